"""SQL of organisations, users, memberships and API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row as SelectedRow
from sqlalchemy import bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased, contains_eager
from sqlalchemy.sql.elements import ColumnElement

from dossier.accounts.constants import RIGHTS_CHANNEL, Role
from dossier.accounts.exceptions import EmailTakenError
from dossier.accounts.models import (
    ApiKey,
    Invitation,
    LoginCount,
    Membership,
    Organisation,
    User,
)
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


async def lock_rights_for_org(session: Session, org_id: UUID) -> None:
    """Wait for other changes of rights in the organisation; ends with the transaction.

    A lock of its own, taken before any row's: of two owners who change each other, each
    would hold the row that the other one waits for.
    """
    key = func.hashtextextended(f"dossier.rights/{org_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def add_rights_notification(session: Session) -> None:
    """Notify the processes that cache principals, at the commit."""
    await session.execute(select(func.pg_notify(RIGHTS_CHANNEL, "")))


async def find_rights_for_org(
    session: Session, org_id: UUID, user_id: UUID, key_id: UUID | None
) -> SelectedRow[Any, Any] | None:
    """Return role and key's scopes of an active member, whose row is locked.

    `None` also where the key is not in force any more.
    """
    of_key = (ApiKey.org_id == org_id) & (ApiKey.id == key_id)
    query = (
        select(Membership.role, ApiKey.scopes)
        .outerjoin(ApiKey, of_key & (ApiKey.user_id == Membership.user_id))
        .where(
            Membership.org_id == org_id,
            Membership.user_id == user_id,
            Membership.is_active,
        )
        .with_for_update(read=True, of=Membership)
    )
    if key_id is not None:
        query = query.where(ApiKey.id.is_not(None), ApiKey.revoked_at.is_(None))
    return (await session.execute(query)).one_or_none()


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
    """Return the member whom an e-mail address names, in the organisation or in any.

    The address alone names an account only where no other one can have it: where it is
    unique everywhere, or where there is one organisation. Log-in and operators ask
    across organisations, in a system transaction.
    """
    query = (
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(User.email == email)
    )
    if org_id is not None:
        query = query.where(Membership.org_id == org_id)
    else:
        has_others = exists().where(Organisation.id != Membership.org_id)
        query = query.where(or_(User.has_unique_email, ~has_others))
    return (await session.scalars(query)).one_or_none()


async def has_member_for_org(session: Session, org_id: UUID, email: str) -> bool:
    """Return whether an address belongs to a member of the organisation."""
    query = select(User.id).where(User.org_id == org_id, User.email == email)
    return (await session.scalar(query)) is not None


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
    """Insert a user with the membership; the e-mail address may be taken."""
    user = membership.user
    user.org_id = membership.org_id
    session.add(user)
    taken = EmailTakenError(user.email)
    with (
        conflict_on("uq_users_org_id_email", taken),
        conflict_on("uq_users_email", taken),
    ):
        await session.flush()
    session.add(membership)
    await session.flush()


async def update_user_for_org(
    session: Session, org_id: UUID, user_id: UUID, changes: dict[str, Any]
) -> None:
    """Change a member's own data; the new e-mail address may be taken."""
    statement = (
        update(User).where(User.org_id == org_id, User.id == user_id).values(changes)
    )
    taken = EmailTakenError(changes.get("email", ""))
    with conflict_on("uq_users_org_id_email", taken):
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
                user,
                "id",
                "created_at",
                "email",
                "name",
                "credentials_changed_at",
                "has_unique_email",
            )
            | {"org_id": organisation.id},
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


_INVITATIONS = select(
    Invitation.id,
    Invitation.email,
    Invitation.name,
    Invitation.role,
    Invitation.invited_by,
    Invitation.created_at,
    Invitation.expires_at,
).where(Invitation.org_id == ORG_ID, Invitation.expires_at > func.now())
_LIST_INVITATIONS = TenantPage(
    _INVITATIONS.order_by(Invitation.created_at.desc(), Invitation.id.desc())
)


async def list_invitations_for_org(
    reader: TenantReader, org_id: UUID, page: PageParams
) -> Slice[Row]:
    """Return one page of the invitations that have not expired, the newest first."""
    return await reader.page(_LIST_INVITATIONS, org_id, page)


async def add_invitation(session: Session, invitation: Invitation) -> None:
    """Insert an invitation in place of an earlier one to the same address."""
    former = delete(Invitation).where(
        Invitation.org_id == invitation.org_id, Invitation.email == invitation.email
    )
    await session.execute(former)
    session.add(invitation)
    await session.flush()


async def find_invitation_for_system(
    session: Session, token_sha256: str
) -> SelectedRow[Invitation, str, Role] | None:
    """Return an invitation in force of any organisation, with its inviter's role."""
    inviter = aliased(Membership)
    query = (
        select(Invitation, Organisation.name.label("organisation"), inviter.role)
        .join(Organisation, Organisation.id == Invitation.org_id)
        .join(
            inviter,
            (inviter.org_id == Invitation.org_id)
            & (inviter.user_id == Invitation.invited_by)
            & inviter.is_active,
        )
        .where(
            Invitation.token_sha256 == token_sha256, Invitation.expires_at > func.now()
        )
    )
    return (await session.execute(query)).one_or_none()


async def remove_invitation_for_org(
    session: Session, org_id: UUID, invitation_id: UUID
) -> str | None:
    """Delete an invitation; return whom it was for, `None` where there is none."""
    statement = (
        delete(Invitation)
        .where(Invitation.org_id == org_id, Invitation.id == invitation_id)
        .returning(Invitation.email)
    )
    email: str | None = await session.scalar(statement)
    return email


_LOCK_COUNTS: Final = """
select pg_advisory_xact_lock(hashtextextended($1, 0)),
  pg_advisory_xact_lock(hashtextextended($2, 0))
"""
# The few expired rows that each statement deletes are more than it makes.
_COUNT_FAILURES: Final = """
with expired as (
  delete from login_counts where key in (
    select key from login_counts where expires_at < now() and key <> all($1::text[])
    limit 8 for update skip locked
  )
)
insert into login_counts (key, failures, failed_at, expires_at)
select key, 1, clock_timestamp(), clock_timestamp() + $2::interval
from unnest($1::text[]) as key
on conflict (key) do update set
  failures = case when login_counts.expires_at > now()
    then login_counts.failures + 1 else 1 end,
  failed_at = clock_timestamp(),
  expires_at = greatest(excluded.expires_at, login_counts.expires_at)
"""
_TRUST: Final = """
insert into login_counts (key, failures, failed_at, expires_at)
values ($1, 0, now(), now() + $2::interval)
on conflict (key) do update set failures = 0, expires_at = excluded.expires_at
"""
_TAKE_BACK: Final = """
update login_counts set failures = case when key = $1 then 0 else failures - 1 end
where key = any(array[$1, $2]) and failures > 0
"""


async def find_login_counts_for_system(
    session: Session, *keys: str
) -> dict[str, LoginCount]:
    """Return the counts of these keys that have not expired."""
    query = (
        select(LoginCount)
        .where(LoginCount.key.in_(keys), LoginCount.expires_at > func.now())
        # Read before and after the lock: the second read must see what is stored then.
        .execution_options(populate_existing=True)
    )
    return {count.key: count for count in await session.scalars(query)}


async def lock_login_counts_for_system(
    session: Session, account: str, address: str
) -> None:
    """Let one attempt at a time be counted, also where there is no row yet.

    A crash may lose a count: an attempt does not wait for the disk.
    """
    await raw_rows(session, _LOCK_COUNTS, account, address)
    await raw_rows(session, "set local synchronous_commit = off")


async def count_failures_for_system(
    session: Session, keys: list[str], kept_for: timedelta
) -> None:
    """Add one failure to each count; it is forgotten after that time without one."""
    await raw_rows(session, _COUNT_FAILURES, keys, kept_for)


async def record_success_for_system(
    session: Session, account: str, address: str | None, pair: str, kept_for: timedelta
) -> None:
    """Reset the account, take the attempt back from the address, trust the pair.

    `None`: the attempt was not counted for its address.
    """
    await raw_rows(session, "set local synchronous_commit = off")
    await raw_rows(session, _TAKE_BACK, account, address)
    await raw_rows(session, _TRUST, pair, kept_for)


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


async def count_live_keys_for_org(session: Session, org_id: UUID, user_id: UUID) -> int:
    """Return how many keys of a member are in force."""
    query = select(func.count()).where(
        *_keys_of(org_id, user_id),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
    )
    return await session.scalar(query) or 0


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
