"""Queries on run rows. `…_for_system` needs a system transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, case, delete, func, select, update

from dossier.core.clock import now
from dossier.core.creates import Creates, fresh
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.runs.constants import RESERVED_BLOCK, RUNNING, RunState
from dossier.runs.models import Run, RunEventBatch
from dossier.runs.ports import Holder
from dossier.runs.schemas import RunFilters


async def add_run(session: Session, run: Run, holder: Holder | None = None) -> None:
    """Insert a run; one that has a holder is in its hand from the first instant."""
    if holder is not None:
        for name, value in _in_hand(holder, run.created_at).items():
            setattr(run, name, value)
        # The database's clock alone decides over leases.
        run.lease_until = func.clock_timestamp() + timedelta(seconds=holder.lease_s)
    session.add(run)
    await session.flush()


def add_run_in_hand(
    creates: Creates, members: Mapping[str, Any], holder: Holder
) -> Run:
    """Take a run along with the other new rows of a request, in the holder's hand."""
    at = now()
    run = fresh(Run, created_at=at, **members, **_in_hand(holder, at))
    lease = f"clock_timestamp() + make_interval(secs => {holder.lease_s:f})"
    creates.add(run, computed={"lease_until": lease})
    return run


def _in_hand(holder: Holder, at: datetime) -> dict[str, Any]:
    return {
        "owner": holder.id,
        "epoch": 1,
        "attempts": 1,
        "reserved_through": RESERVED_BLOCK,
        "state": RunState.PROCESSING,
        "started_at": at,
    }


async def get_run_for_org(session: Session, org_id: UUID, run_id: UUID) -> Run | None:
    """Return one run as it stands now."""
    found: Run | None = await session.scalar(
        _one(org_id, run_id).execution_options(populate_existing=True)
    )
    return found


async def lock_run_for_org(session: Session, org_id: UUID, run_id: UUID) -> Run | None:
    """Return one run that nobody else can change before we commit."""
    found: Run | None = await session.scalar(
        _one(org_id, run_id).with_for_update().execution_options(populate_existing=True)
    )
    return found


async def list_runs_for_org(
    session: Session, org_id: UUID, filters: RunFilters, page: PageParams
) -> Slice[Run]:
    """Return one page of runs, the newest first."""
    query = _narrowed(select(Run).where(Run.org_id == org_id), filters).order_by(
        Run.created_at.desc(), Run.id.desc()
    )
    return await paginate(session, query, page)


async def delete_run_for_org(session: Session, org_id: UUID, run_id: UUID) -> bool:
    """Delete a run with its events; tell whether there was one."""
    statement = (
        delete(Run).where(Run.org_id == org_id, Run.id == run_id).returning(Run.id)
    )
    return await session.scalar(statement) is not None


async def delete_runs_of_subject_for_org(
    session: Session, org_id: UUID, subject_id: UUID
) -> list[UUID]:
    """Delete the runs of one subject; return those that had not come to an end."""
    statement = (
        delete(Run)
        .where(Run.org_id == org_id, Run.subject_id == subject_id)
        .returning(Run.id, Run.finished_at)
    )
    rows = await session.execute(statement)
    return [run_id for run_id, finished_at in rows if finished_at is None]


async def list_unfinished_ids_for_org(
    session: Session, org_id: UUID, subject_id: UUID
) -> list[UUID]:
    """Return the runs of one subject that are under way."""
    query = select(Run.id).where(
        Run.org_id == org_id,
        Run.subject_id == subject_id,
        Run.finished_at.is_(None),
    )
    return list(await session.scalars(query))


async def claim_due_for_system(
    session: Session,
    holder: Holder,
    kinds: Collection[str],
    *,
    besides: Collection[UUID],
    limit: int,
) -> list[Run]:
    """Take runs that nobody has in hand, or whose process has fallen silent."""
    is_over = (Run.lease_until.is_(None)) | (Run.lease_until < func.clock_timestamp())
    locked = (
        select(Run.id)
        .where(
            Run.finished_at.is_(None),
            Run.state.in_({RunState.PENDING, *RUNNING}),
            Run.kind.in_(kinds),
            Run.id.not_in(besides),
            is_over,
        )
        .order_by(Run.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # A statement of its own: what begins behind the locks sees all that was stored.
    due = list(await session.scalars(locked))
    return await _claim(session, holder, Run.id.in_(due)) if due else []


async def claim_one_for_org(
    session: Session, org_id: UUID, run_id: UUID, holder: Holder
) -> Run | None:
    """Take one run that has not begun, if nobody else was quicker."""
    is_free = (
        (Run.org_id == org_id) & (Run.id == run_id) & (Run.state == RunState.PENDING)
    )
    claimed = await _claim(session, holder, is_free)
    return claimed[0] if claimed else None


async def release_for_system(
    session: Session, owner: UUID, runs: dict[UUID, int]
) -> None:
    """Give runs back, so that another process takes them at once.

    Args:
        session: A system transaction.
        owner: The process that gives them back.
        runs: The epoch of each, by its id.
    """
    for run_id, epoch in runs.items():
        held = (Run.id == run_id) & (Run.owner == owner) & (Run.epoch == epoch)
        await session.execute(
            update(Run)
            .where(held, Run.finished_at.is_(None))
            .values(owner=None, lease_until=func.clock_timestamp())
        )


async def _claim(session: Session, holder: Holder, condition: object) -> list[Run]:
    statement = (
        update(Run)
        .where(condition)  # type: ignore[arg-type]  # any condition on runs
        .values(
            owner=holder.id,
            epoch=Run.epoch + 1,
            attempts=Run.attempts + 1,
            # Whoever gave a run back has left it without an owner.
            losses=Run.losses + case((Run.owner.is_not(None), 1), else_=0),
            lease_until=func.clock_timestamp() + timedelta(seconds=holder.lease_s),
            reserved_through=Run.reserved_through + RESERVED_BLOCK,
            stored_through=func.greatest(Run.stored_through, _last_stored()),
            started_at=func.coalesce(Run.started_at, func.clock_timestamp()),
            state=case(
                (Run.state == RunState.PENDING, RunState.PROCESSING), else_=Run.state
            ),
        )
        .returning(Run)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(await session.scalars(statement))


def _last_stored() -> ScalarSelect[int]:
    """Return the last number in a run's log; its row tells it from its end on."""
    log = select(func.coalesce(func.max(RunEventBatch.last_sequence), 0)).where(
        RunEventBatch.org_id == Run.org_id, RunEventBatch.run_id == Run.id
    )
    return log.correlate(Run).scalar_subquery()


def _one(org_id: UUID, run_id: UUID) -> Select[Any]:
    return select(Run).where(Run.org_id == org_id, Run.id == run_id)


def _narrowed(query: Select[Any], filters: RunFilters) -> Select[Any]:
    wanted = {
        Run.kind: filters.kind,
        Run.subject_id: filters.subject_id,
        Run.state: filters.state,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    return query
