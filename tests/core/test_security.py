import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.edge import Clock

from dossier.core.security import (
    AUDIENCE,
    ISSUER,
    InvalidTokenError,
    Passwords,
    PrincipalCache,
    TokenSigner,
    WeakSecretError,
    signing_secret,
    token_key,
)
from dossier.core.settings import AuthSettings

SECRET = b"s" * 32
USER_ID, ORG_ID = uuid4(), uuid4()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(clock: Clock) -> TokenSigner:
    return TokenSigner(SECRET, 900, clock)


def test_token_holds_user_and_expiry(signer: TokenSigner) -> None:
    claims = signer.verify(signer.issue(USER_ID, ORG_ID))

    assert (claims.user_id, claims.org_id) == (USER_ID, ORG_ID)
    assert claims.expires_at_s - claims.issued_at_s == 900


def test_token_names_its_key_issuer_and_audience(signer: TokenSigner) -> None:
    token = signer.issue(USER_ID, ORG_ID)

    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert header["alg"] == "HS256"
    assert len(header["kid"]) == 12
    assert (claims["iss"], claims["aud"]) == (ISSUER, AUDIENCE)


def test_token_ends_on_the_second(signer: TokenSigner, clock: Clock) -> None:
    token = signer.issue(USER_ID, ORG_ID)

    clock.now_s += 899
    assert signer.verify(token).user_id == USER_ID
    clock.now_s += 1
    with pytest.raises(InvalidTokenError):
        signer.verify(token)


def forged(**changes: Any) -> str:
    """Return a token with the right key and one thing wrong."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(USER_ID),
        "org": str(ORG_ID),
        "iat": 1_000_000,
        "exp": 1_000_900,
    } | changes
    present = {name: value for name, value in claims.items() if value is not None}
    kid = jwt.get_unverified_header(TokenSigner(SECRET, 900).issue(USER_ID, ORG_ID))[
        "kid"
    ]
    return jwt.encode(present, SECRET, "HS256", headers={"kid": kid})


def test_forgery_helper_makes_a_good_token_when_nothing_is_wrong(
    signer: TokenSigner,
) -> None:
    assert signer.verify(forged()).user_id == USER_ID


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "elsewhere"},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"org": None},
        {"sub": "not-a-uuid"},
        {"org": 7},
        {"exp": "soon"},
    ],
)
def test_token_with_one_thing_wrong_is_refused(
    signer: TokenSigner, change: dict[str, Any]
) -> None:
    with pytest.raises(InvalidTokenError):
        signer.verify(forged(**change))


def test_unsigned_token_is_refused(signer: TokenSigner) -> None:
    claims = jwt.decode(forged(), options={"verify_signature": False})
    kid = jwt.get_unverified_header(forged())["kid"]
    token = jwt.encode(claims, None, "none", headers={"kid": kid})

    with pytest.raises(InvalidTokenError):
        signer.verify(token)


@given(st.text(max_size=80))
def test_text_that_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        TokenSigner(SECRET, 900).verify(token)


async def test_password_is_hashed_with_the_chosen_cost_and_checked() -> None:
    passwords = Passwords()

    encoded = await passwords.hash("a long pass phrase")

    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.is_match(encoded, "a long pass phrase")
    assert not await passwords.is_match(encoded, "a wrong pass phrase")
    passwords.close()


@pytest.mark.parametrize("stored", [None, "not a hash"])
async def test_account_without_a_password_matches_none(stored: str | None) -> None:
    passwords = Passwords()

    assert not await passwords.is_match(stored, "")
    passwords.close()


def test_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"

    first = signing_secret(AuthSettings(), home)
    second = signing_secret(AuthSettings(), home)

    assert first == second
    assert len(first) >= 32
    assert stat.S_IMODE((home / "secret").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["secret"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    def start(_number: int) -> bytes:
        return signing_secret(AuthSettings(), tmp_path)

    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(start, range(16)))

    assert len(secrets) == 1


def test_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeakSecretError):
        signing_secret(AuthSettings.model_validate({"secret": "short"}), tmp_path)


def test_principal_is_remembered_for_seconds(clock: Clock) -> None:
    cache: PrincipalCache[str] = PrincipalCache(15, clock)
    key = token_key(b"Bearer x")

    cache.put(key, "mei", clock.now_s + 900, cache.generation)

    assert cache.get(key) == "mei"
    clock.now_s += 15
    assert cache.get(key) is None


def test_principal_is_forgotten_when_the_token_ends(clock: Clock) -> None:
    cache: PrincipalCache[str] = PrincipalCache(15, clock)
    key = token_key(b"Bearer x")

    cache.put(key, "mei", clock.now_s + 5, cache.generation)

    clock.now_s += 5
    assert cache.get(key) is None


def test_principal_read_before_the_cache_was_dropped_is_not_stored(
    clock: Clock,
) -> None:
    cache: PrincipalCache[str] = PrincipalCache(15, clock)
    key = token_key(b"Bearer x")
    generation = cache.generation

    cache.clear()
    cache.put(key, "owner", clock.now_s + 900, generation)

    assert cache.get(key) is None


def test_principals_do_not_grow_without_bound(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dossier.core.security.MAX_PRINCIPALS", 3)
    cache: PrincipalCache[int] = PrincipalCache(15, clock)

    for number in range(10):
        cache.put(
            token_key(b"%d" % number), number, clock.now_s + 900, cache.generation
        )

    remembered = [n for n in range(10) if cache.get(token_key(b"%d" % n)) is not None]
    assert remembered == [9]


def test_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0o600)

    with pytest.raises(WeakSecretError, match="Remove the file"):
        signing_secret(AuthSettings(), tmp_path)


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o666])
def test_secret_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    signing_secret(AuthSettings(), tmp_path)
    (tmp_path / "secret").chmod(mode)

    with pytest.raises(WeakSecretError, match="chmod 600"):
        signing_secret(AuthSettings(), tmp_path)


def test_secret_that_its_group_may_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = signing_secret(AuthSettings(), tmp_path)
    (tmp_path / "secret").chmod(0o640)

    assert signing_secret(AuthSettings(), tmp_path) == first
    assert caplog.records[0].message == "auth.secret.group_readable"
