"""Log-in by password, and the principal behind an access token or an API key.

Opens its own transactions: log-in happens before there is an organisation to act in.
None is open while a password is hashed, and the use of a key is written a little later,
so that no request waits for it.
"""

import asyncio
import logging
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.constants import Role
from dossier.accounts.exceptions import (
    InvalidApiKeyError,
    InvalidCredentialsError,
    ScopeRequiredError,
)
from dossier.accounts.models import Membership
from dossier.accounts.schemas import LoginRequest
from dossier.accounts.service.throttle import LoginThrottle
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.security import Claims, InvalidTokenError, Passwords, TokenSigner
from dossier.core.tenancy import Actor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestSource:
    """Where a request comes from."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """The member behind a verified token; of an API key, also its id and scopes."""

    org_id: UUID
    user_id: UUID
    role: str
    name: str
    api_key_id: UUID | None = None
    scopes: frozenset[str] | None = None

    def require_scope(self, method: str) -> None:
        """Raise where a key may not send requests of this method."""
        needed = rules.scope_for(method)
        if self.scopes is not None and needed not in self.scopes:
            detail = f"{method} needs an API key of scope `{needed}`."
            raise ScopeRequiredError(detail)

    def actor(self, origin: RequestSource) -> Actor:
        """Return the actor of one request."""
        return Actor(
            org_id=self.org_id,
            user_id=self.user_id,
            role=self.role,
            name=self.name,
            address=origin.address,
            user_agent=origin.user_agent,
            request_id=origin.request_id,
            api_key_id=self.api_key_id,
        )


class SignInService:
    """Turns a password into a token, and a token into a principal."""

    def __init__(
        self,
        sessions: SessionFactory,
        passwords: Passwords,
        signer: TokenSigner,
        throttle: LoginThrottle,
    ) -> None:
        self._sessions = sessions
        self._throttle = throttle
        self._passwords = passwords
        self._signer = signer

    async def log_in(self, wanted: LoginRequest, origin: RequestSource) -> str:
        """Return an access token, or raise; both are recorded."""
        email = rules.fold_email(wanted.email)
        async with system_transaction(self._sessions) as session:
            attempt = await self._throttle.admit(session, email, origin.address)
            member = await gateway.find_credentials_for_org(
                session, wanted.organisation_id, email
            )
        stored = member.user.password_hash if member else None
        secret = wanted.password.get_secret_value()
        # Hashed for an unknown address too: the time does not show which ones exist.
        is_match = await self._passwords.is_match(stored, secret)
        is_accepted = is_match and member is not None and member.is_active
        await self._throttle.record(attempt, is_success=is_accepted)
        if member is None:
            logger.warning(
                "accounts.login.refused", extra={"reason": "unknown address"}
            )
            # As long as writing to the activity log of a known member takes.
            async with system_transaction(self._sessions) as session:
                await gateway.find_credentials_for_org(session, None, email)
            raise InvalidCredentialsError
        actor = principal_of(member).actor(origin)
        async with tenant_transaction(self._sessions, member.org_id) as session:
            await ActivityService(session, actor).record(
                "login",
                "user",
                member.user_id,
                status="success" if is_accepted else "failure",
            )
        if not is_accepted:
            raise InvalidCredentialsError
        return self._signer.issue(member.user_id, member.org_id)

    async def principal_of(self, claims: Claims) -> Principal:
        """Return the principal of a token, with the role that it has now, or raise."""
        async with tenant_transaction(self._sessions, claims.org_id) as session:
            member = await gateway.get_member_for_org(
                session, claims.org_id, claims.user_id
            )
        if member is None or not member.is_active:
            raise InvalidTokenError
        changed_at_s = member.user.credentials_changed_at.timestamp()
        if not rules.is_token_current(claims.issued_at_s, changed_at_s):
            raise InvalidTokenError
        return principal_of(member)


def principal_of(member: Membership) -> Principal:
    """Return the principal that a member's token stands for."""
    return Principal(member.org_id, member.user_id, member.role, member.name)


USED_WITHIN = timedelta(minutes=1)
"""How exact `last_used_at` is: a key in constant use is written once in that time."""
WRITE_AFTER_S = 5.0


class KeyUses:
    """Collects when keys were used, and writes it in batches; one per process."""

    def __init__(
        self, sessions: SessionFactory, write_after_s: float = WRITE_AFTER_S
    ) -> None:
        self._sessions = sessions
        self._write_after_s = write_after_s
        self._noted: dict[UUID, datetime] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def note(self, key_id: UUID, last_used_at: datetime | None) -> None:
        """Note a use, unless one of the last minute is stored already."""
        moment = now()
        if last_used_at is not None and moment - last_used_at < USED_WITHIN:
            return
        self._noted[key_id] = moment
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._write_after_s, self._begin)

    async def write(self) -> None:
        """Write the uses that were noted."""
        noted, self._noted = self._noted, {}
        if noted:
            async with system_transaction(self._sessions) as session:
                await gateway.mark_used_for_system(session, noted)

    async def close(self) -> None:
        """Write what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await self._writing
        await self._attempt()

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._attempt())

    async def _attempt(self) -> None:
        try:
            await self.write()
        except Exception as exc:  # noqa: BLE001 - nobody waits; the next use is noted again
            logger.warning("accounts.api_key.use_lost", extra={"error": repr(exc)})


class KeySignInService:
    """Turns the token of an API key into a principal."""

    def __init__(self, sessions: SessionFactory, uses: KeyUses) -> None:
        self._sessions = sessions
        self._uses = uses

    async def principal_of(self, token: str) -> tuple[Principal, float]:
        """Return the principal of a key and when it expires, or raise.

        A text that is no token of ours is refused without a query.
        """
        parsed = rules.parsed_token(token)
        if parsed is None:
            raise InvalidApiKeyError
        key_id, secret = parsed
        async with system_transaction(self._sessions) as session:
            found = await gateway.find_api_key_for_system(session, key_id)
        if found is None or not rules.is_secret(secret, found.secret_sha256):
            raise InvalidApiKeyError
        if found.expires_at is not None and found.expires_at <= now():
            raise InvalidApiKeyError
        self._uses.note(key_id, found.last_used_at)
        principal = Principal(
            found.org_id,
            found.user_id,
            rules.role_of_key(Role(found.role), found.scopes),
            found.name,
            api_key_id=key_id,
            scopes=frozenset(found.scopes),
        )
        expires_at = found.expires_at
        return principal, math.inf if expires_at is None else expires_at.timestamp()
