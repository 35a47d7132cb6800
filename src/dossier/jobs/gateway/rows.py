"""Queries on job rows. Functions `…_for_system` need a system transaction."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    all_,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect
from dossier.jobs import kinds
from dossier.jobs.constants import LIVE, RUNNING, JobState
from dossier.jobs.models import LIVE_SQL, Job
from dossier.jobs.schemas import JobResponse
from dossier.jobs.types import JobFilters

_JOBS = select(
    *(getattr(Job, name) for name in JobResponse.model_fields if name != "progress"),
    Job.progress_done,
    Job.progress_total,
    Job.progress_unit,
    Job.progress_message,
).where(
    Job.org_id == ORG_ID, Job.kind != all_(bindparam("unlisted", type_=ARRAY(Text)))
)
_ONE = TenantSelect(_JOBS.where(Job.id == bindparam("job_id")))
_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "state": Job.state == bindparam("state", type_=Job.state.type),
    "kind": Job.kind == bindparam("kind"),
    "created_after": Job.created_at > bindparam("created_after"),
    "created_before": Job.created_at < bindparam("created_before"),
}


class RunningJob(NamedTuple):
    """State of a running job."""

    id: UUID
    state: JobState
    attempts: int
    is_abandoned: bool
    """No reader is left and `on_disconnect` is `cancel`."""


async def add_job(session: Session, row: dict[str, Any]) -> Job | None:
    """Insert a job; `None` where its deduplication key is taken."""
    statement = (
        insert(Job)
        .values(row)
        .on_conflict_do_nothing(
            index_elements=["org_id", "dedupe_key"],
            index_where=text(f"dedupe_key is not null and {LIVE_SQL}"),
        )
        .returning(Job)
    )
    added: Job | None = await session.scalar(statement)
    return added


async def get_job_for_org(session: Session, org_id: UUID, job_id: UUID) -> Job | None:
    """Return one job."""
    found: Job | None = await session.scalar(_one(org_id, job_id))
    return found


async def read_job_for_org(
    reader: TenantReader, org_id: UUID, job_id: UUID
) -> Row | None:
    """Return what clients see of one listed job."""
    unlisted = kinds.unlisted_names()
    row = await reader.row(_ONE, org_id, job_id=job_id, unlisted=unlisted)
    return None if row is None else _with_progress(row)


async def lock_job_for_org(
    session: Session, org_id: UUID, job_id: UUID, *, fences_events: bool = False
) -> Job | None:
    """Return one job, locked until the transaction ends.

    `fences_events`: no batch of events of an earlier attempt is stored meanwhile. Other
    changes do without: a flush waits for the locks of all jobs whose events it has, so
    that one slow change would hold up every stream of a worker.
    """
    found: Job | None = await session.scalar(
        _one(org_id, job_id)
        .with_for_update(key_share=not fences_events)
        .execution_options(populate_existing=True)
    )
    return found


async def get_live_job_by_key_for_org(
    session: Session, org_id: UUID, dedupe_key: str
) -> Job | None:
    """Return the job that holds a deduplication key."""
    found: Job | None = await session.scalar(
        select(Job).where(
            Job.org_id == org_id, Job.dedupe_key == dedupe_key, Job.state.in_(LIVE)
        )
    )
    return found


async def list_jobs_for_org(
    reader: TenantReader, org_id: UUID, filters: JobFilters, page: PageParams
) -> Slice[Row]:
    """Return one page of an organisation's listed jobs, newest first."""
    values = _given(filters)
    listed = _list(frozenset(values))
    unlisted = kinds.unlisted_names()
    found = await reader.page(listed, org_id, page, unlisted=unlisted, **values)
    items = [_with_progress(row) for row in found.items]
    return Slice(items, found.total, found.limit, found.offset)


@cache
def _list(wanted: frozenset[str]) -> TenantPage:
    return TenantPage(
        _JOBS.where(*(_CONDITIONS[name] for name in sorted(wanted))).order_by(
            Job.created_at.desc(), Job.id.desc()
        )
    )


def _with_progress(row: Row) -> Row:
    """Return the row with its progress as one member, null before the first."""
    names = ("done", "total", "unit", "message")
    progress = {name: row.pop(f"progress_{name}") for name in names}
    return row | {"progress": None if progress["done"] is None else progress}


async def count_unfinished_for_org(
    session: Session, org_id: UUID, names: Collection[str], *, at_most: int
) -> int:
    """Count an organisation's unfinished jobs of some kinds, up to `at_most`.

    Those that wait for a person stand in no queue.
    """
    rows = (
        select(Job.id)
        .where(
            Job.org_id == org_id,
            Job.finished_at.is_(None),
            Job.state != JobState.WAITING,
            Job.kind.in_(names),
        )
        .limit(at_most)
    )
    return await session.scalar(select(func.count()).select_from(rows.subquery())) or 0


async def mark_progress_for_org(
    session: Session, org_id: UUID, job_id: UUID, attempt: int, **progress: Any
) -> JobState | None:
    """Write an attempt's progress; a new maximum resets failures and deaths."""
    done = progress["progress_done"]
    further = Job.progress_peak < done
    statement = (
        update(Job)
        .where(*_held(org_id, job_id, attempt))
        .values(
            **progress,
            progress_peak=func.greatest(Job.progress_peak, done),
            failures=case((further, 0), else_=Job.failures),
            deaths=case((further, 0), else_=Job.deaths),
        )
        .returning(Job.state)
    )
    state: JobState | None = await session.scalar(statement)
    return state


async def hold_job_for_org(
    session: Session, org_id: UUID, job_id: UUID, attempt: int, **values: Any
) -> JobState | None:
    """Lock a job for an attempt that still has it, and return its state.

    A step was finished: earlier failures and deaths of workers no longer count.
    """
    statement = (
        update(Job)
        .where(*_held(org_id, job_id, attempt))
        .values(failures=0, deaths=0, **values)
        .returning(Job.state)
        .execution_options(synchronize_session=False)
    )
    state: JobState | None = await session.scalar(statement)
    return state


async def end_job_for_org(
    session: Session, org_id: UUID, job_id: UUID, attempt: int, **values: Any
) -> Job | None:
    """Write the end of an attempt that still has the job, and return the row."""
    statement = (
        update(Job)
        .where(*_held(org_id, job_id, attempt))
        .values(**values)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    ended: Job | None = await session.scalar(statement)
    return ended


async def delete_jobs_for_org(
    session: Session,
    org_id: UUID,
    *,
    job_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> list[Job]:
    """Delete one job, or all of a subject, with their events; return them."""
    if (job_id is None) == (subject_id is None):
        message = "either a job or a subject"
        raise ValueError(message)
    which = Job.id == job_id if job_id else Job.subject_id == subject_id
    # Locked in one order first, so that two transactions never wait for each other.
    locked = (
        select(Job)
        .where(Job.org_id == org_id, which)
        .order_by(Job.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    jobs = list(await session.scalars(locked))
    ids = [job.id for job in jobs]
    await session.execute(delete(Job).where(Job.org_id == org_id, Job.id.in_(ids)))
    return jobs


async def list_unfinished_ids_for_org(
    session: Session, org_id: UUID, subject_id: UUID
) -> list[UUID]:
    """Return the jobs of a subject that are under way."""
    query = select(Job.id).where(
        Job.org_id == org_id,
        Job.subject_id == subject_id,
        Job.finished_at.is_(None),
    )
    return list(await session.scalars(query))


async def list_jobs_for_system(
    session: Session, filters: JobFilters, *, limit: int
) -> list[Job]:
    """Return listed jobs of all organisations, newest first."""
    values = _given(filters)
    query = (
        select(Job)
        .where(
            Job.kind.not_in(kinds.unlisted_names()),
            *(_CONDITIONS[name] for name in values),
        )
        .order_by(Job.created_at.desc(), Job.id)
        .limit(limit)
    )
    return list(await session.scalars(query, values))


async def get_job_for_system(session: Session, job_id: UUID) -> Job | None:
    """Return one job of any organisation."""
    return await session.get(Job, job_id)


async def lock_unfinished_for_system(
    session: Session, *, after: UUID, before: datetime, limit: int
) -> list[Job]:
    """Return unfinished jobs made before an instant that no transaction has locked.

    `after` is the last id of the batch before; ids are ordered by time.
    """
    query = (
        select(Job)
        .where(
            Job.finished_at.is_(None),
            Job.state != JobState.WAITING,  # the engine has no row of these
            Job.created_at < before,
            Job.id > after,
        )
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(await session.scalars(query))


async def list_running_for_system(
    session: Session, job_ids: Collection[UUID], grace: timedelta
) -> list[RunningJob]:
    """Return the states of jobs that a worker runs."""
    is_abandoned = and_(
        Job.on_disconnect == "cancel", Job.last_read_at < func.now() - grace
    )
    query = select(
        Job.id, Job.state, Job.attempts, func.coalesce(is_abandoned, false())
    ).where(Job.id.in_(job_ids))
    return [RunningJob(*row) for row in await session.execute(query)]


async def cancel_abandoned_for_system(
    session: Session, job_ids: Collection[UUID], grace: timedelta
) -> list[UUID]:
    """Ask for the end of running jobs whose readers have left; return which."""
    cancelled = await session.scalars(
        update(Job)
        .where(
            Job.id.in_(job_ids),
            Job.state == JobState.PROCESSING,
            Job.on_disconnect == "cancel",
            Job.last_read_at < func.now() - grace,
        )
        .values(state=JobState.CANCELLING, cancel_requested_at=func.now())
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return list(cancelled)


async def mark_read_for_system(session: Session, job_ids: Collection[UUID]) -> None:
    """Set when these jobs were last read, where they end without a reader."""
    await session.execute(
        update(Job)
        .where(
            Job.id.in_(job_ids),
            Job.on_disconnect == "cancel",
            Job.finished_at.is_(None),
        )
        .values(last_read_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _given(filters: JobFilters) -> dict[str, Any]:
    return {name: value for name, value in asdict(filters).items() if value is not None}


def _one(org_id: UUID, job_id: UUID) -> Select[Any]:
    return select(Job).where(Job.org_id == org_id, Job.id == job_id)


def _held(org_id: UUID, job_id: UUID, attempt: int) -> list[Any]:
    return [
        Job.org_id == org_id,
        Job.id == job_id,
        Job.attempts == attempt,
        Job.state.in_(RUNNING),
    ]
