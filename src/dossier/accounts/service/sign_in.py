"""Log-in, and finding out who a token belongs to.

Opens its own transactions, none of which is open while a password is hashed: log-in
happens before there is an organisation to act in.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.exceptions import InvalidCredentialsError, ScopeRequiredError
from dossier.accounts.models import Membership
from dossier.accounts.schemas import LoginRequest
from dossier.activity.service import ActivityService
from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.security import Claims, InvalidTokenError, Passwords, TokenSigner
from dossier.core.tenancy import Actor

logger = logging.getLogger(__name__)

ENTITY = "user"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a verified token belongs to; a key's has its id and its scopes."""

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

    def actor(self, origin: Origin) -> Actor:
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
        self, sessions: SessionFactory, passwords: Passwords, signer: TokenSigner
    ) -> None:
        self._sessions = sessions
        self._passwords = passwords
        self._signer = signer

    async def log_in(self, wanted: LoginRequest, origin: Origin) -> str:
        """Return an access token, or refuse; both leave a trace."""
        email = rules.fold_email(wanted.email)
        async with system_transaction(self._sessions) as session:
            member = await gateway.find_credentials_for_org(
                session, wanted.organisation_id, email
            )
        stored = member.user.password_hash if member else None
        secret = wanted.password.get_secret_value()
        # Nobody's password takes as long as somebody's: no address can be probed.
        is_match = await self._passwords.is_match(stored, secret)
        if member is None:
            await self._spend_a_record(email)
            raise InvalidCredentialsError
        is_welcome = is_match and member.is_active
        await self._record(member, origin, "success" if is_welcome else "failure")
        if not is_welcome:
            raise InvalidCredentialsError
        return self._signer.issue(member.user_id, member.org_id)

    async def principal_of(self, claims: Claims) -> Principal:
        """Return who a token's claims name, as they stand today, or raise."""
        async with tenant_transaction(self._sessions, claims.org_id) as session:
            member = await gateway.get_member_for_org(
                session, claims.org_id, claims.user_id
            )
        if member is None or not member.is_active or _is_outdated(claims, member):
            raise InvalidTokenError
        return principal_of(member)

    async def _spend_a_record(self, email: str) -> None:
        """Take as long as a record takes, where there is no trail to write to."""
        logger.warning("accounts.login.refused", extra={"reason": "unknown address"})
        async with system_transaction(self._sessions) as session:
            await gateway.find_credentials_for_org(session, None, email)

    async def _record(self, member: Membership, origin: Origin, status: str) -> None:
        actor = principal_of(member).actor(origin)
        async with tenant_transaction(self._sessions, member.org_id) as session:
            activity = ActivityService(session, actor)
            await activity.record("login", ENTITY, member.user_id, status=status)


def principal_of(member: Membership) -> Principal:
    """Return who a member is to the rest of the house."""
    return Principal(member.org_id, member.user_id, member.role, member.name)


def _is_outdated(claims: Claims, member: Membership) -> bool:
    changed_at_s = member.user.credentials_changed_at.timestamp()
    return not rules.is_token_current(claims.issued_at_s, changed_at_s)
