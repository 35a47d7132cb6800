"""Use cases of an organisation's members, within the transaction of the caller."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.exceptions import (
    CurrentPasswordRequiredError,
    LastOwnerError,
    UserNotFoundError,
)
from dossier.accounts.models import Membership, User
from dossier.accounts.schemas import SelfUpdate, UserCreate, UserUpdate
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session, after_commit
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.security import Passwords
from dossier.core.tenancy import SYSTEM_ACTOR, Actor, RoleRequiredError


class AccountsService:
    """Changes members, for owners, and the caller's own account, for everybody.

    `forget` clears this process's cache of principals.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        activity: ActivityService,
        passwords: Passwords,
        forget: Callable[[], None] | None = None,
    ) -> None:
        self._session = session
        self._actor = actor
        self._activity = activity
        self._passwords = passwords
        self._forget = forget

    async def get_user(self, user_id: UUID) -> Membership:
        """Return one member."""
        self._actor.require(*rules.MANAGES_USERS)
        return await self._member(user_id)

    async def create_user(self, wanted: UserCreate) -> Membership:
        """Make a user who belongs to this organisation."""
        self._actor.require_person()
        self._actor.require(*rules.MANAGES_USERS)
        owners = await gateway.lock_owners_for_org(self._session, self._actor.org_id)
        self._check_owner(owners)
        secret = wanted.password.get_secret_value()
        user = User(
            email=rules.fold_email(wanted.email),
            name=wanted.name,
            password_hash=await self._passwords.hash(secret),
        )
        member = Membership(org_id=self._actor.org_id, user=user, role=wanted.role)
        await gateway.add_member(self._session, member)
        await self._record("create", user.id, {"role": wanted.role.value})
        return member

    async def update_user(self, user_id: UUID, wanted: UserUpdate) -> Membership:
        """Change what was sent; the organisation keeps an active owner.

        Deactivating a member revokes the member's API keys for good.
        """
        self._actor.require_person()
        self._actor.require(*rules.MANAGES_USERS)
        changes = wanted.model_dump(exclude_unset=True)
        owners = await gateway.lock_owners_for_org(self._session, self._actor.org_id)
        member = await self._member(user_id)
        self._check_owner(owners)
        if "name" in changes:
            await self._change_user(user_id, {"name": changes["name"]})
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
        if self._forget is not None:
            after_commit(self._session, self._forget)
        await self._record("update", user_id, {"changed": sorted(changes)})
        return member

    def _check_owner(self, owners: Sequence[UUID]) -> None:
        """Raise where the actor is no active owner.

        `owners` are locked: the role of the request's principal may be seconds old.
        """
        if self._actor.role != SYSTEM_ACTOR and self._actor.user_id not in owners:
            detail = "Only an owner may change users; your role has changed."
            raise RoleRequiredError(detail)

    async def update_self(self, wanted: SelfUpdate) -> Membership:
        """Change the caller's own name, e-mail address or password."""
        self._actor.require_person()
        member = await self._member(self._actor.user_id)
        sent = wanted.model_fields_set
        if sent & {"password", "email"}:
            given = wanted.current_password
            secret = given.get_secret_value() if given else ""
            if not await self._passwords.is_match(member.user.password_hash, secret):
                raise CurrentPasswordRequiredError
        changes: dict[str, Any] = {}
        if "name" in sent:
            changes["name"] = wanted.name
        if "email" in sent:
            changes["email"] = rules.fold_email(wanted.email)
        if "password" in sent:
            secret = wanted.password.get_secret_value()
            changes["password_hash"] = await self._passwords.hash(secret)
            changes["credentials_changed_at"] = now()
        if changes:
            await self._change_user(member.user_id, changes)
            await self._record("update", member.user_id, {"changed": sorted(sent)})
        return member

    async def _change_user(self, user_id: UUID, changes: dict[str, Any]) -> None:
        await gateway.update_user_for_org(
            self._session, self._actor.org_id, user_id, changes
        )

    async def _member(self, user_id: UUID | None) -> Membership:
        member = None
        if user_id is not None:
            member = await gateway.get_member_for_org(
                self._session, self._actor.org_id, user_id
            )
        if member is None:
            raise UserNotFoundError(user_id)
        return member

    async def _record(
        self, action: str, user_id: UUID, details: dict[str, Any]
    ) -> None:
        await self._activity.record(action, "user", user_id, details=details)


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
