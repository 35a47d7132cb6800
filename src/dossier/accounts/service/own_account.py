"""The caller's own account.

Opens its own transactions: none is open while a password is hashed, and a wrong one
stays counted although the request fails.
"""

from collections.abc import Callable
from typing import Any

from dossier.accounts import gateway, rules
from dossier.accounts.exceptions import CurrentPasswordRequiredError, UserNotFoundError
from dossier.accounts.models import Membership
from dossier.accounts.schemas import SelfUpdate
from dossier.accounts.service import rights
from dossier.accounts.service.throttle import LoginThrottle
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.security import Passwords
from dossier.core.tenancy import Actor


class OwnAccountService:
    """Changes the caller's own name, e-mail address or password.

    `forget` clears this process's cache of principals.
    """

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        passwords: Passwords,
        throttle: LoginThrottle,
        forget: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._passwords = passwords
        self._throttle = throttle
        self._forget = forget

    async def update(self, wanted: SelfUpdate) -> Membership:
        """Change what was sent; password and address need the current password."""
        self._actor.require_person()
        sent = wanted.model_fields_set
        proven = None
        if sent & {"password", "email"}:
            proven = await self._proven_hash(wanted)
        changes: dict[str, Any] = {"name": wanted.name} if "name" in sent else {}
        if "password" in sent:
            secret = wanted.password.get_secret_value()
            changes["password_hash"] = await self._passwords.hash(secret)
            changes["credentials_changed_at"] = now()
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            actor = await rights.confirm(session, self._actor)
            member = await self._member(session)
            if proven is not None and member.user.password_hash != proven:
                raise CurrentPasswordRequiredError  # changed a moment ago
            email = rules.fold_email(wanted.email)
            if "email" in sent and email != member.user.email:
                # Not unique in all organisations: a refusal would show who has it.
                changes |= {"email": email, "has_unique_email": False}
            if changes:
                await gateway.update_user_for_org(
                    session, actor.org_id, member.user_id, changes
                )
                await ActivityService(session, actor).record(
                    "update", "user", member.user_id, details={"changed": sorted(sent)}
                )
                await rights.drop_principals(session, self._forget)
        return member

    async def _proven_hash(self, wanted: SelfUpdate) -> str | None:
        """Return the stored hash that the current password matches, or raise."""
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            user = (await self._member(session)).user
        given = wanted.current_password
        if given is None:
            raise CurrentPasswordRequiredError
        async with system_transaction(self._sessions) as session:
            attempt = await self._throttle.admit(
                session, user.email, self._actor.address
            )
        is_match = await self._passwords.is_match(
            user.password_hash, given.get_secret_value()
        )
        await self._throttle.record(attempt, is_success=is_match)
        if not is_match:
            raise CurrentPasswordRequiredError
        return user.password_hash

    async def _member(self, session: Session) -> Membership:
        member = None
        if self._actor.user_id is not None:
            member = await gateway.get_member_for_org(
                session, self._actor.org_id, self._actor.user_id
            )
        if member is None:
            raise UserNotFoundError(self._actor.user_id)
        return member
