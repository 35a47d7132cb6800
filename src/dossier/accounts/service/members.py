"""Use cases of an organisation's members, within the transaction of the caller."""

from collections.abc import Callable
from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.exceptions import LastOwnerError, UserNotFoundError
from dossier.accounts.models import Membership
from dossier.accounts.schemas import UserUpdate
from dossier.accounts.service import rights
from dossier.activity.service import ActivityService
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor


class AccountsService:
    """Shows and changes members, for owners.

    For changes the actor is one that `rights.confirm` returned. `forget` clears this
    process's cache of principals.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        activity: ActivityService,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._session = session
        self._actor = actor
        self._activity = activity
        self._forget = forget

    async def get_user(self, user_id: UUID) -> Membership:
        """Return one member."""
        self._actor.require(*rules.MANAGES_USERS)
        return await self._member(user_id)

    async def update_user(self, user_id: UUID, wanted: UserUpdate) -> Membership:
        """Change what was sent; the organisation keeps an active owner.

        Deactivating a member revokes the member's API keys for good.
        """
        self._actor.require_person()
        self._actor.require(*rules.MANAGES_USERS)
        changes = wanted.model_dump(exclude_unset=True)
        owners = await gateway.lock_owners_for_org(self._session, self._actor.org_id)
        member = await self._member(user_id)
        if "name" in changes:
            await gateway.update_user_for_org(
                self._session, self._actor.org_id, user_id, {"name": changes["name"]}
            )
        for field in changes.keys() & {"role", "is_active"}:
            setattr(member, field, changes[field])
        still_owner = rules.is_active_owner(
            role=member.role, is_active=member.is_active
        )
        if owners == [user_id] and not still_owner:
            raise LastOwnerError
        if not member.is_active:
            await gateway.mark_revoked_for_org(
                self._session, self._actor.org_id, user_id
            )
        await rights.drop_principals(self._session, self._forget)
        await self._activity.record(
            "update", "user", user_id, details={"changed": sorted(changes)}
        )
        return member

    async def _member(self, user_id: UUID | None) -> Membership:
        member = None
        if user_id is not None:
            member = await gateway.get_member_for_org(
                self._session, self._actor.org_id, user_id
            )
        if member is None:
            raise UserNotFoundError(user_id)
        return member


class MemberLookup:
    """Finds members of the actor's organisation, for other domains."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def find_colleague(self, user_id: UUID) -> Membership | None:
        """Return an active member of the organisation."""
        member = await gateway.get_member_for_org(
            self._session, self._actor.org_id, user_id
        )
        return member if member is not None and member.is_active else None


async def list_users(reader: TenantReader, page: PageParams) -> Slice[Row]:
    """Return one page of the organisation's members, the newest first."""
    reader.actor.require(*rules.MANAGES_USERS)
    return await gateway.list_users_for_org(reader, reader.org_id, page)


async def read_user(reader: TenantReader, user_id: UUID | None = None) -> Row:
    """Return one member; the caller, where no other is named."""
    if user_id is None:
        user_id = reader.actor.user_id
    else:
        reader.actor.require(*rules.MANAGES_USERS)
    member = None
    if user_id is not None:
        member = await gateway.read_user_for_org(reader, reader.org_id, user_id)
    if member is None:
        raise UserNotFoundError(user_id)
    return member
