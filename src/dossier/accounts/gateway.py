"""SQL of organisations, users, memberships and API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.elements import ColumnElement

from dossier.accounts.constants import Role
from dossier.accounts.exceptions import EmailTakenError
from dossier.accounts.models import ApiKey, Membership, Organisation, User
from dossier.core.clock import now
from dossier.core.database import Session, conflict_on, raw_rows
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect

_USERS = (
    select(
        Membership.id,
        Membership.user_id,
        Membership.org_id,
        User.email,
        User.name,
        Membership.role,
        Membership.is_active,
        Membership.created_at,
    )
    .join(Membership.user)
    .where(Membership.org_id == ORG_ID)
)
_LIST_USERS = TenantPage(
    _USERS.order_by(Membership.created_at.desc(), Membership.id.desc())
)
_ONE_USER = TenantSelect(_USERS.where(Membership.user_id == bindparam("user_id")))


async def list_users_for_org(
    reader: TenantReader, org_id: UUID, page: PageParams
) -> Slice[Row]:
    """Return one page of the members, the newest first."""
    return await reader.page(_LIST_USERS, org_id, page)


async def read_user_for_org(
    reader: TenantReader, org_id: UUID, user_id: UUID
) -> Row | None:
    """Return what clients see of one member."""
    return await reader.row(_ONE_USER, org_id, user_id=user_id)


async def get_member_for_org(
    session: Session, org_id: UUID, user_id: UUID
) -> Membership | None:
    """Return a membership with its user."""
    query = (
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(Membership.org_id == org_id, Membership.user_id == user_id)
    )
    return (await session.scalars(query)).one_or_none()


async def lock_member_for_org(session: Session, org_id: UUID, user_id: UUID) -> bool:
    """Return whether a member is active; locked until the transaction ends."""
    query = (
        select(Membership.user_id)
        .where(
            Membership.org_id == org_id,
            Membership.user_id == user_id,
            Membership.is_active,
        )
        .with_for_update(read=True)
    )
    return (await session.scalar(query)) is not None


async def lock_owners_for_org(session: Session, org_id: UUID) -> list[UUID]:
    """Return the active owners; locked until the transaction ends."""
    query = (
        select(Membership.user_id)
        .where(
            Membership.org_id == org_id,
            Membership.role == Role.OWNER,
            Membership.is_active,
        )
        .order_by(Membership.id)
        .with_for_update()
    )
    return list(await session.scalars(query))


async def find_credentials_for_org(
    session: Session, org_id: UUID | None, email: str
) -> Membership | None:
    """Return the member of an e-mail address, in any organisation where it is `None`.

    Only log-in asks across organisations, in a system transaction.
    """
    query = (
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(User.email == email)
    )
    if org_id is not None:
        query = query.where(Membership.org_id == org_id)
    return (await session.scalars(query)).one_or_none()


async def get_organisation_for_org(
    session: Session, org_id: UUID
) -> Organisation | None:
    """Return the organisation itself."""
    query = select(Organisation).where(Organisation.id == org_id)
    return (await session.scalars(query)).one_or_none()


async def add_organisation(session: Session, organisation: Organisation) -> None:
    """Insert an organisation; needs a system transaction."""
    session.add(organisation)
    await session.flush()


async def add_member(session: Session, membership: Membership) -> None:
    """Insert a user with the membership; e-mail addresses are unique everywhere."""
    session.add(membership.user)
    with conflict_on("uq_users_email", EmailTakenError(membership.user.email)):
        await session.flush()
    session.add(membership)
    await session.flush()


async def update_user_for_org(
    session: Session, org_id: UUID, user_id: UUID, changes: dict[str, Any]
) -> None:
    """Change a member's own data; the new e-mail address may be taken."""
    is_member = exists().where(
        Membership.user_id == User.id, Membership.org_id == org_id
    )
    statement = update(User).where(User.id == user_id, is_member).values(changes)
    with conflict_on("uq_users_email", EmailTakenError(changes.get("email", ""))):
        await session.execute(
            statement, execution_options={"synchronize_session": "fetch"}
        )


async def add_local_owner(
    session: Session, organisation: Organisation, membership: Membership
) -> bool:
    """Insert the one organisation of open mode, unless another process just did.

    The other one's is committed when we return, and ours is then not made.
    """
    user = membership.user
    rows: tuple[tuple[type[Organisation | User | Membership], dict[str, object]], ...]
    rows = (
        (Organisation, _values(organisation, "id", "created_at", "name", "kind")),
        (
            User,
            _values(
                user, "id", "created_at", "email", "name", "credentials_changed_at"
            ),
        ),
        (
            Membership,
            _values(membership, "id", "created_at", "org_id", "role", "is_active")
            | {"user_id": user.id},
        ),
    )
    made: list[UUID] = []
    for table, values in rows:
        statement = insert(table).values(values).on_conflict_do_nothing()
        made += await session.scalars(statement.returning(table.id))
    return bool(made)


def _values(row: object, *names: str) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


_FIND_KEY = (
    select(
        ApiKey.org_id,
        ApiKey.user_id,
        ApiKey.secret_sha256,
        ApiKey.scopes,
        ApiKey.expires_at,
        ApiKey.last_used_at,
        Membership.role,
        User.name,
    )
    .join(
        Membership,
        (Membership.org_id == ApiKey.org_id)
        & (Membership.user_id == ApiKey.user_id)
        & Membership.is_active,
    )
    .join(User, User.id == ApiKey.user_id)
    .where(ApiKey.id == bindparam("key_id"), ApiKey.revoked_at.is_(None))
)
# A locked row is being written by another process, with nearly the same time.
_MARK_KEYS_USED = """
with free as (
  select id from api_keys where id = any($1::uuid[]) order by id for update skip locked
)
update api_keys k set last_used_at = used.at
from unnest($1::uuid[], $2::timestamptz[]) as used (id, at) join free using (id)
where k.id = used.id
"""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that is in force, unless it has expired, and its maker as of today."""

    org_id: UUID
    user_id: UUID
    secret_sha256: str
    scopes: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    role: str
    name: str


async def find_api_key_for_system(session: Session, key_id: UUID) -> FoundKey | None:
    """Return a key of any organisation whose maker still belongs there."""
    row = (await session.execute(_FIND_KEY, {"key_id": key_id})).one_or_none()
    return None if row is None else FoundKey(*row)


async def add_api_key(session: Session, api_key: ApiKey) -> None:
    """Insert a key."""
    session.add(api_key)
    await session.flush()


async def get_api_key_for_org(
    session: Session, org_id: UUID, key_id: UUID, user_id: UUID | None
) -> ApiKey | None:
    """Return one key, of one maker unless `user_id` is `None`."""
    query = select(ApiKey).where(*_keys_of(org_id, user_id), ApiKey.id == key_id)
    return (await session.scalars(query)).one_or_none()


async def list_api_keys_for_org(
    session: Session, org_id: UUID, user_id: UUID | None, page: PageParams
) -> Slice[ApiKey]:
    """Return keys, the newest first, of one maker unless `user_id` is `None`."""
    query = (
        select(ApiKey)
        .where(*_keys_of(org_id, user_id))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return await paginate(session, query, page)


async def mark_revoked_for_org(
    session: Session, org_id: UUID, user_id: UUID, key_id: UUID | None = None
) -> list[UUID]:
    """Revoke one of a maker's keys, or all; return which ones were in force."""
    which = [] if key_id is None else [ApiKey.id == key_id]
    statement = (
        update(ApiKey)
        .where(*_keys_of(org_id, user_id), ApiKey.revoked_at.is_(None), *which)
        .values(revoked_at=now())
        .returning(ApiKey.id)
    )
    return list(await session.scalars(statement))


async def mark_used_for_system(
    session: Session, used_at: Mapping[UUID, datetime]
) -> None:
    """Write when keys of any organisations were last used."""
    await raw_rows(session, _MARK_KEYS_USED, list(used_at), list(used_at.values()))


def _keys_of(org_id: UUID, user_id: UUID | None) -> list[ColumnElement[bool]]:
    conditions = [ApiKey.org_id == org_id]
    if user_id is not None:
        conditions.append(ApiKey.user_id == user_id)
    return conditions
