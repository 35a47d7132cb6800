"""SQL of the activity log."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, select, text

from dossier.activity.models import ActivityEvent, ActivityPending, ActivitySeal
from dossier.activity.schemas import ActivityResponse
from dossier.activity.types import ActivityFilter
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader

_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "action_type": ActivityEvent.action == bindparam("action_type"),
    "entity_type": ActivityEvent.entity_type == bindparam("entity_type"),
    "entity_id": ActivityEvent.entity_id == bindparam("entity_id"),
    "user_id": ActivityEvent.user_id == bindparam("user_id"),
    "status": ActivityEvent.status == bindparam("status"),
    "created_after": ActivityEvent.created_at > bindparam("created_after"),
    "created_before": ActivityEvent.created_at < bindparam("created_before"),
}
"""The condition of each field of the filter."""


def add_event(session: Session, event: ActivityEvent) -> None:
    """Insert an event with the transaction's other writes."""
    session.add(event)


async def list_events_for_org(
    reader: TenantReader, org_id: UUID, wanted: ActivityFilter, page: PageParams
) -> Slice[Row]:
    """Return events, the newest first."""
    values = {k: v for k, v in asdict(wanted).items() if v is not None}
    return await reader.page(_list(frozenset(values)), org_id, page, **values)


@cache
def _list(wanted: frozenset[str]) -> TenantPage:
    columns: list[Any] = [
        getattr(ActivityEvent, name) for name in ActivityResponse.model_fields
    ]
    return TenantPage(
        select(*columns)
        .where(ActivityEvent.org_id == ORG_ID)
        .where(*(_CONDITIONS[name] for name in sorted(wanted)))
        .order_by(ActivityEvent.created_at.desc(), ActivityEvent.id.desc())
    )


async def lock_chain_for_org(session: Session, org_id: UUID) -> bool:
    """Lock the organisation's chain for this transaction; false if it is held."""
    taken = await session.scalar(
        text("select pg_try_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"activity.seal:{org_id}"},
    )
    return bool(taken)


async def last_seal_for_org(session: Session, org_id: UUID) -> ActivitySeal | None:
    """Return the newest seal."""
    query = (
        select(ActivitySeal)
        .where(ActivitySeal.org_id == org_id)
        .order_by(ActivitySeal.position.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def list_pending_for_org(
    session: Session, org_id: UUID, limit: int
) -> list[tuple[UUID, str]]:
    """Return the oldest unsealed events as (id, row hash)."""
    query = (
        select(ActivityEvent.id, ActivityEvent.row_hash)
        .join(
            ActivityPending,
            (ActivityPending.org_id == ActivityEvent.org_id)
            & (ActivityPending.event_id == ActivityEvent.id),
        )
        .where(ActivityPending.org_id == org_id)
        .order_by(ActivityEvent.id)
        .limit(limit)
    )
    return [(row.id, row.row_hash) for row in await session.execute(query)]


async def add_seals(session: Session, org_id: UUID, seals: list[ActivitySeal]) -> None:
    """Insert seals and delete their events from the pending ones."""
    session.add_all(seals)
    await session.flush()
    sealed = [seal.event_id for seal in seals]
    await session.execute(
        delete(ActivityPending).where(
            ActivityPending.org_id == org_id, ActivityPending.event_id.in_(sealed)
        )
    )


async def list_links_for_org(
    session: Session, org_id: UUID, after_position: int, limit: int
) -> list[tuple[ActivitySeal, ActivityEvent | None]]:
    """Return seals in the order of the chain, each with its event if it is there."""
    query = (
        select(ActivitySeal, ActivityEvent)
        .outerjoin(
            ActivityEvent,
            (ActivityEvent.org_id == ActivitySeal.org_id)
            & (ActivityEvent.id == ActivitySeal.event_id),
        )
        .where(ActivitySeal.org_id == org_id, ActivitySeal.position > after_position)
        .order_by(ActivitySeal.position)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def count_unsealed_for_org(session: Session, org_id: UUID) -> int:
    """Return how many events have no seal, without relying on the pending ones."""
    sealed = select(ActivitySeal.event_id).where(
        ActivitySeal.org_id == org_id, ActivitySeal.event_id == ActivityEvent.id
    )
    query = (
        select(func.count())
        .select_from(ActivityEvent)
        .where(ActivityEvent.org_id == org_id, ~sealed.exists())
    )
    return await session.scalar(query) or 0


async def list_orgs_with_pending_for_system(session: Session) -> list[UUID]:
    """Return organisations with unsealed events; needs a system transaction."""
    return list(await session.scalars(select(ActivityPending.org_id).distinct()))


async def list_orgs_with_events_for_system(session: Session) -> list[UUID]:
    """Return organisations with events; needs a system transaction."""
    return list(await session.scalars(select(ActivityEvent.org_id).distinct()))
