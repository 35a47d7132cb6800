"""Passwords, access tokens, their signing secret, and the cache of principals."""

import asyncio
import hashlib
import logging
import os
import secrets
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dossier.core.errors import InvalidError, UnauthenticatedError
from dossier.core.settings import AuthSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

# OWASP's argon2id profile: 19 ms and 19 MiB for one check.
TIME_COST = 2
MEMORY_KIB = 19 * 1024
HASHERS = 2
"""Hashes at once: more would take memory and starve the event loop of its core."""

ISSUER = "dossier"
AUDIENCE = "dossier-api"
ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32  # RFC 7518 §3.2: HS256 needs a key as long as its hash
MAX_PRINCIPALS = 10_000
BEARER = b"Bearer "


class InvalidTokenError(UnauthenticatedError):
    """The token is not one of ours, or its time is over."""

    title = "Token not valid"


class WeakSecretError(InvalidError):
    """The secret that signs tokens is too short."""

    title = "Secret too short"


_SALT, _DIGEST = (b64encode(bytes(n)).decode().rstrip("=") for n in (16, 32))
_UNKNOWN = f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p=1${_SALT}${_DIGEST}"
"""Matches no password, and takes as long to check as a real hash."""


class Passwords:
    """Hashes and checks passwords on two threads of their own."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=1
        )
        self._threads = ThreadPoolExecutor(HASHERS, thread_name_prefix="argon2")

    async def hash(self, password: str) -> str:
        """Return the encoded hash of a password."""
        return await self._run(self._hasher.hash, password)

    async def is_match(self, encoded: str | None, password: str) -> bool:
        """Return whether the password matches; as slow where there is no hash."""
        return await self._run(self._check, encoded or _UNKNOWN, password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, work, *args
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified token; the role is not among them but looked up."""

    user_id: UUID
    org_id: UUID
    issued_at_s: int
    expires_at_s: int


class TokenSigner:
    """Issues and verifies short-lived access tokens."""

    def __init__(
        self, secret: bytes, ttl_s: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._secret = secret
        self._clock = clock
        self.ttl_s = ttl_s
        self._kid = hashlib.sha256(b"kid:" + secret).hexdigest()[:12]

    def issue(self, user_id: UUID, org_id: UUID) -> str:
        """Return a token for one member of one organisation."""
        issued_at_s = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "org": str(org_id),
            "iat": issued_at_s,
            "exp": issued_at_s + self.ttl_s,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._secret, ALGORITHM, headers={"kid": self._kid})

    def verify(self, token: str) -> Claims:
        """Return the claims of a token of ours that is still valid, or raise."""
        try:
            if jwt.get_unverified_header(token).get("kid") != self._kid:
                raise InvalidTokenError
            decoded = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The clock of this class decides, below.
                options={
                    "require": ["exp", "iat", "sub", "org"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            claims = Claims(
                user_id=UUID(decoded["sub"]),
                org_id=UUID(str(decoded["org"])),
                issued_at_s=int(decoded["iat"]),
                expires_at_s=int(decoded["exp"]),
            )
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as exc:
            raise InvalidTokenError from exc
        if claims.expires_at_s <= self._clock():
            raise InvalidTokenError
        return claims


def signing_secret(auth: AuthSettings, home: Path) -> bytes:
    """Return the configured secret, or the one in `home`, made on first use."""
    if auth.secret is None:
        path = home / "secret"
        if not path.exists():
            _make_secret(path)
        return read_secret(path)
    secret = auth.secret.get_secret_value().encode()
    if len(secret) < MIN_SECRET_BYTES:
        detail = f"DOSSIER_AUTH__SECRET needs {MIN_SECRET_BYTES} bytes or more."
        raise WeakSecretError(detail)
    return secret


def read_secret(path: Path) -> bytes:
    """Return the bytes of a secret's file, or raise `WeakSecretError`.

    Our own file is 0600. A mounted one may be readable by its group, as orchestrators
    mount them: that is warned of.
    """
    mode = path.stat().st_mode & 0o777
    if mode & 0o027:
        detail = f"Others may use {path} ({mode:03o}): `chmod 600 {path}`."
        raise WeakSecretError(detail)
    if mode & 0o070:
        logger.warning("auth.secret.group_readable", extra={"path": str(path)})
    secret = path.read_bytes()
    if len(secret) < MIN_SECRET_BYTES:
        detail = (
            f"{path} has {len(secret)} bytes; a secret needs {MIN_SECRET_BYTES}. "
            "Remove the file, and a new one is made."
        )
        raise WeakSecretError(detail)
    return secret


def _make_secret(path: Path) -> None:
    """Make the file in one step, so that processes starting together agree."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(MIN_SECRET_BYTES).encode())
        file.flush()
        os.fsync(file.fileno())  # else a power cut leaves an empty file
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return  # another process was first; its secret is the one
    finally:
        Path(part).unlink()


def credentials_of(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the value of `Authorization`, or what `X-API-Key` means in its place.

    `X-API-Key` counts only where there is no `Authorization`.
    """
    credentials = headers.get(b"authorization")
    if credentials is not None:
        return credentials
    api_key = headers.get(b"x-api-key")
    return b"" if api_key is None else BEARER + api_key


def token_key(credentials: bytes) -> bytes:
    """Return the key of a token in the cache: a digest, never the token itself."""
    return hashlib.sha256(credentials).digest()


@dataclass(frozen=True, slots=True)
class _CachedPrincipal(Generic[T]):
    principal: T
    until_s: float


class PrincipalCache(Generic[T]):
    """Caches the principals of tokens for seconds, at most until they expire."""

    def __init__(self, ttl_s: int, clock: Callable[[], float] = time.time) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._known: dict[bytes, _CachedPrincipal[T]] = {}
        self.generation = 0
        """Grows whenever all entries are dropped."""

    def get(self, key: bytes) -> T | None:
        """Return the principal, or `None` where it is not cached or has expired."""
        entry = self._known.get(key)
        if entry is None or entry.until_s <= self._clock():
            return None
        return entry.principal

    def put(
        self, key: bytes, principal: T, expires_at_s: float, generation: int
    ) -> None:
        """Cache the principal of a verified token.

        `generation` is that of before the look-up: what was read before a change of
        rights must not be stored after it.
        """
        if generation != self.generation:
            return
        if len(self._known) >= MAX_PRINCIPALS:
            self._known.clear()  # rare, and costs each caller one look-up
        until_s = min(self._clock() + self._ttl_s, expires_at_s)
        self._known[key] = _CachedPrincipal(principal, until_s)

    def clear(self) -> None:
        """Drop all entries, so that a revocation takes effect at once."""
        self.generation += 1
        self._known.clear()
