"""Use cases of operators, and the local organisation of open mode.

They open their own transactions: there is no member yet on whose behalf to act.
"""

from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.constants import (
    LOCAL_ORG_ID,
    LOCAL_ORG_NAME,
    LOCAL_USER_EMAIL,
    LOCAL_USER_ID,
    LOCAL_USER_NAME,
    OrganisationKind,
    Role,
)
from dossier.accounts.exceptions import OrganisationNotFoundError, UserNotFoundError
from dossier.accounts.models import Membership, Organisation, User
from dossier.accounts.service.sign_in import Principal, RequestSource, principal_of
from dossier.activity.service import ActivityService
from dossier.core.database import (
    Session,
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.security import Passwords
from dossier.core.tenancy import Actor

LOCAL_OWNER = Principal(
    org_id=LOCAL_ORG_ID,
    user_id=LOCAL_USER_ID,
    role=Role.OWNER.value,
    name=LOCAL_USER_NAME,
)


class OrganisationsService:
    """Creates organisations and their first users."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions

    async def create_organisation(
        self, name: str, kind: OrganisationKind
    ) -> Organisation:
        """Make an organisation."""
        organisation = Organisation(name=name, kind=kind)
        async with system_transaction(self._sessions) as session:
            await gateway.add_organisation(session, organisation)
            await _record(session, organisation.id, "organisation", organisation.id)
        return organisation

    async def create_user(
        self,
        org_id: UUID,
        user: User,
        role: Role,
        *,
        password: str,
        passwords: Passwords,
    ) -> Membership:
        """Make a user of an organisation, without a member who asks for it."""
        user.email = rules.fold_email(user.email)
        user.password_hash = await passwords.hash(password)
        member = Membership(org_id=org_id, user=user, role=role)
        async with tenant_transaction(self._sessions, org_id) as session:
            if await gateway.get_organisation_for_org(session, org_id) is None:
                raise OrganisationNotFoundError(org_id)
            await gateway.add_member(session, member)
            await _record(session, org_id, "user", user.id)
        return member

    async def ensure_local(self) -> Actor:
        """Return the owner of this machine's one organisation, made on first use."""
        async with system_transaction(self._sessions) as session:
            if await gateway.get_organisation_for_org(session, LOCAL_ORG_ID) is None:
                organisation = Organisation(
                    id=LOCAL_ORG_ID, name=LOCAL_ORG_NAME, kind=OrganisationKind.BRAND
                )
                user = User(
                    id=LOCAL_USER_ID,
                    email=LOCAL_USER_EMAIL,
                    name=LOCAL_USER_NAME,
                    password_hash=None,
                )
                owner = Membership(org_id=LOCAL_ORG_ID, user=user, role=Role.OWNER)
                if await gateway.add_local_owner(session, organisation, owner):
                    await _record(session, LOCAL_ORG_ID, "organisation", LOCAL_ORG_ID)
                    await _record(session, LOCAL_ORG_ID, "user", LOCAL_USER_ID)
        return LOCAL_OWNER.actor(RequestSource())

    async def member_of(self, email: str) -> Actor:
        """Return the member of an e-mail address, for an operator to act for."""
        async with system_transaction(self._sessions) as session:
            member = await gateway.find_credentials_for_org(
                session, None, rules.fold_email(email)
            )
        if member is None or not member.is_active:
            raise UserNotFoundError(email)
        return principal_of(member).actor(RequestSource())

    async def operator_of(self, org_id: UUID) -> Actor:
        """Return who acts for an operator in an organisation that exists."""
        async with tenant_transaction(self._sessions, org_id) as session:
            if await gateway.get_organisation_for_org(session, org_id) is None:
                raise OrganisationNotFoundError(org_id)
        return Actor.system(org_id)


async def _record(
    session: Session, org_id: UUID, entity_type: str, entity_id: UUID
) -> None:
    activity = ActivityService(session, Actor.system(org_id))
    await activity.record("create", entity_type, entity_id)
