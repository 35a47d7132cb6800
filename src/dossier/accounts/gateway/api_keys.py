"""Queries on API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.sql.elements import ColumnElement

from dossier.accounts.models import ApiKey
from dossier.core.clock import now
from dossier.core.database import Session, raw_rows
from dossier.core.pagination import PageParams, Slice, paginate

_FIND = """
select k.org_id, k.user_id, k.secret_sha256, k.scopes, k.expires_at, k.last_used_at,
  m.role, u.name
from api_keys k
join memberships m on m.org_id = k.org_id and m.user_id = k.user_id and m.is_active
join users u on u.id = k.user_id
where k.id = $1 and k.revoked_at is null
"""
# A row that is locked is being written by another process, with much the same time.
_MARK_USED = """
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
    rows = await raw_rows(session, _FIND, key_id)
    return FoundKey(*rows[0].values()) if rows else None


async def add_api_key(session: Session, api_key: ApiKey) -> None:
    """Insert a key."""
    session.add(api_key)
    await session.flush()


async def get_api_key_for_org(
    session: Session, org_id: UUID, key_id: UUID, user_id: UUID | None
) -> ApiKey | None:
    """Return one key, of one maker unless `user_id` is `None`."""
    query = select(ApiKey).where(*_of(org_id, user_id), ApiKey.id == key_id)
    return (await session.scalars(query)).one_or_none()


async def list_api_keys_for_org(
    session: Session, org_id: UUID, user_id: UUID | None, page: PageParams
) -> Slice[ApiKey]:
    """Return keys, the newest first, of one maker unless `user_id` is `None`."""
    query = (
        select(ApiKey)
        .where(*_of(org_id, user_id))
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
        .where(*_of(org_id, user_id), ApiKey.revoked_at.is_(None), *which)
        .values(revoked_at=now())
        .returning(ApiKey.id)
    )
    return list(await session.scalars(statement))


async def mark_used_for_system(
    session: Session, used_at: Mapping[UUID, datetime]
) -> None:
    """Write when keys of any organisations were last used."""
    await raw_rows(session, _MARK_USED, list(used_at), list(used_at.values()))


def _of(org_id: UUID, user_id: UUID | None) -> list[ColumnElement[bool]]:
    conditions = [ApiKey.org_id == org_id]
    if user_id is not None:
        conditions.append(ApiKey.user_id == user_id)
    return conditions
