"""Invitations: an owner makes one, the person who holds its link accepts it.

The answers are the same whether the address has an account in another organisation or
not: accounts of organisations are apart (ADR 0036).
"""

import secrets
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.constants import INVITATION_TTL_DAYS
from dossier.accounts.exceptions import EmailTakenError, InvitationNotFoundError
from dossier.accounts.models import Invitation, Membership, User
from dossier.accounts.schemas import InvitationAccept, InvitationShown, UserInvite
from dossier.accounts.service.sign_in import RequestSource, principal_of
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    system_transaction,
)
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.security import Passwords
from dossier.core.tenancy import Actor

_TOKEN_BYTES: Final = 32


class InvitationsService:
    """The invitations of one organisation; the actor is one that was confirmed."""

    def __init__(
        self, session: Session, actor: Actor, activity: ActivityService
    ) -> None:
        self._session = session
        self._actor = actor
        self._activity = activity

    async def invite(self, wanted: UserInvite) -> tuple[Invitation, str]:
        """Make an invitation, in place of an earlier one; return it with its token."""
        self._actor.require_person()
        self._actor.require(*rules.MANAGES_USERS)
        org_id, email = self._actor.org_id, rules.fold_email(wanted.email)
        if await gateway.has_member_for_org(self._session, org_id, email):
            raise EmailTakenError(email)
        if self._actor.user_id is None:
            message = "an invitation needs a member who makes it"
            raise ValueError(message)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        invitation = Invitation(
            org_id=org_id,
            email=email,
            name=wanted.name,
            role=wanted.role,
            invited_by=self._actor.user_id,
            token_sha256=rules.secret_digest(token),
            expires_at=now() + timedelta(days=INVITATION_TTL_DAYS),
        )
        await gateway.add_invitation(self._session, invitation)
        details = {"email": email, "role": wanted.role.value}
        await self._record("create", invitation.id, details)
        return invitation, token

    async def revoke(self, invitation_id: UUID) -> None:
        """Delete an invitation that nobody has accepted."""
        self._actor.require_person()
        self._actor.require(*rules.MANAGES_USERS)
        email = await gateway.remove_invitation_for_org(
            self._session, self._actor.org_id, invitation_id
        )
        if email is None:
            raise InvitationNotFoundError(invitation_id)
        await self._record("delete", invitation_id, {"email": email})

    async def _record(
        self, action: str, invitation_id: UUID, details: dict[str, Any]
    ) -> None:
        await self._activity.record(
            action, "invitation", invitation_id, details=details
        )


async def list_invitations(reader: TenantReader, page: PageParams) -> Slice[Row]:
    """Return one page of the invitations that are not accepted yet."""
    reader.actor.require(*rules.MANAGES_USERS)
    return await gateway.list_invitations_for_org(reader, reader.org_id, page)


class AcceptanceService:
    """What who holds the link may do; opens its own transactions, as log-in does."""

    def __init__(self, sessions: SessionFactory, passwords: Passwords) -> None:
        self._sessions = sessions
        self._passwords = passwords

    async def show(self, token: str) -> InvitationShown:
        """Return an invitation in force."""
        async with system_transaction(self._sessions) as session:
            invitation, organisation = await _invitation(session, token)
        return InvitationShown(
            organisation=organisation,
            email=invitation.email,
            name=invitation.name,
            role=invitation.role,
            expires_at=invitation.expires_at,
        )

    async def accept(
        self, token: str, wanted: InvitationAccept, origin: RequestSource
    ) -> Membership:
        """Make the account with the password that the person chose."""
        async with system_transaction(self._sessions) as session:
            found, _ = await _invitation(session, token)
        encoded = await self._passwords.hash(wanted.password.get_secret_value())
        async with system_transaction(self._sessions) as session:
            # Who invited may have lost the right meanwhile, or another request have
            # accepted: both wait for this lock.
            await gateway.lock_rights_for_org(session, found.org_id)
            invitation, _ = await _invitation(session, token)
            user = User(
                email=invitation.email,
                name=wanted.name or invitation.name,
                password_hash=encoded,
                has_unique_email=False,
            )
            member = Membership(
                org_id=invitation.org_id, user=user, role=invitation.role
            )
            await gateway.add_member(session, member)
            await gateway.remove_invitation_for_org(
                session, invitation.org_id, invitation.id
            )
            actor = principal_of(member).actor(origin)
            await ActivityService(session, actor).record(
                "create",
                "user",
                user.id,
                details={
                    "role": str(invitation.role),
                    "invited_by": str(invitation.invited_by),
                },
            )
        return member


async def _invitation(session: Session, token: str) -> tuple[Invitation, str]:
    """Return an invitation in force and its organisation's name, or raise."""
    found = await gateway.find_invitation_for_system(
        session, rules.secret_digest(token)
    )
    if found is None or found.role not in rules.MANAGES_USERS:
        raise InvitationNotFoundError
    return found.Invitation, found.organisation
