"""Queries on job rows. Functions `…_for_system` need a system transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import (
    Select,
    and_,
    case,
    delete,
    false,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.core.reads import Reads, bound
from dossier.jobs import kinds
from dossier.jobs.constants import LIVE, RUNNING, JobState
from dossier.jobs.models import LIVE_SQL, Job
from dossier.jobs.schemas import JobFilters

# What clients see, in the order that they see it; JSON leaves the database as text.
_GET = bound("""
select id::text, kind, state, priority,
       case when progress_done is not null then json_build_object(
         'done', progress_done, 'total', progress_total,
         'unit', progress_unit, 'message', progress_message
       )::text end as progress,
       attempts, error::text, result_path, created_at, started_at, finished_at,
       cancel_requested_at
from jobs where org_id = bound.org_id and id = $2
""")


class RunningJob(NamedTuple):
    """Where a job stands that some worker runs."""

    id: UUID
    state: JobState
    attempts: int
    is_left: bool
    """Its readers have left, and it is to end then."""


async def add_jobs(session: Session, rows: Sequence[dict[str, Any]]) -> list[Job]:
    """Insert jobs a thousand a statement; one whose key is taken is left out."""
    statement = (
        insert(Job)
        .on_conflict_do_nothing(
            index_elements=["org_id", "dedupe_key"],
            index_where=text(f"dedupe_key is not null and {LIVE_SQL}"),
        )
        .returning(Job)
    )
    added = await session.scalars(statement, list(rows))
    return sorted(added, key=lambda job: job.engine_id)


async def get_job_for_org(session: Session, org_id: UUID, job_id: UUID) -> Job | None:
    """Return one job."""
    found: Job | None = await session.scalar(_one(org_id, job_id))
    return found


async def get_job_row_for_org(
    reads: Reads, org_id: UUID, job_id: UUID
) -> asyncpg.Record | None:
    """Return one job as the driver gives it, or `None`."""
    rows = await reads.rows(_GET, org_id, job_id)
    return rows[0] if rows else None


async def lock_job_for_org(session: Session, org_id: UUID, job_id: UUID) -> Job | None:
    """Return one job that nobody else can change before we commit."""
    found: Job | None = await session.scalar(
        _one(org_id, job_id).with_for_update().execution_options(populate_existing=True)
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
    session: Session, org_id: UUID, filters: JobFilters, page: PageParams
) -> Slice[Job]:
    """Return one page of an organisation's listed jobs, newest first."""
    listed = select(Job).where(
        Job.org_id == org_id, Job.kind.not_in(kinds.unlisted_names())
    )
    query = _filtered(listed, filters)
    ordered = query.order_by(Job.created_at.desc(), Job.id.desc())
    return await paginate(session, ordered, page)


async def count_unfinished_for_org(
    session: Session, org_id: UUID, kinds: Collection[str], *, at_most: int
) -> int:
    """Count an organisation's unfinished jobs of some kinds, up to `at_most`."""
    rows = (
        select(Job.id)
        .where(Job.org_id == org_id, Job.finished_at.is_(None), Job.kind.in_(kinds))
        .limit(at_most)
    )
    return await session.scalar(select(func.count()).select_from(rows.subquery())) or 0


async def mark_progress_for_org(
    session: Session, org_id: UUID, job_id: UUID, attempt: int, **progress: Any
) -> JobState | None:
    """Write an attempt's progress; going further forgives failures and deaths."""
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
    listed = select(Job).where(Job.kind.not_in(kinds.unlisted_names()))
    query = _filtered(listed, filters).order_by(Job.created_at.desc(), Job.id)
    return list(await session.scalars(query.limit(limit)))


async def get_job_for_system(session: Session, job_id: UUID) -> Job | None:
    """Return one job of any organisation."""
    return await session.get(Job, job_id)


async def lock_unfinished_for_system(
    session: Session, *, after: UUID, before: datetime, limit: int
) -> list[Job]:
    """Return unfinished jobs made before an instant, that nobody is changing.

    `after` is the last id of the batch before; ids are ordered by time.
    """
    query = (
        select(Job)
        .where(Job.finished_at.is_(None), Job.created_at < before, Job.id > after)
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(query))


async def list_running_for_system(
    session: Session, job_ids: Collection[UUID], grace: timedelta
) -> list[RunningJob]:
    """Return where jobs stand that a worker runs."""
    is_left = and_(Job.on_disconnect == "cancel", Job.last_read_at < func.now() - grace)
    query = select(
        Job.id, Job.state, Job.attempts, func.coalesce(is_left, false())
    ).where(Job.id.in_(job_ids))
    return [RunningJob(*row) for row in await session.execute(query)]


async def cancel_left_for_system(
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
    """Note that somebody follows these jobs, where that decides over them."""
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


def _one(org_id: UUID, job_id: UUID) -> Select[Any]:
    return select(Job).where(Job.org_id == org_id, Job.id == job_id)


def _held(org_id: UUID, job_id: UUID, attempt: int) -> list[Any]:
    return [
        Job.org_id == org_id,
        Job.id == job_id,
        Job.attempts == attempt,
        Job.state.in_(RUNNING),
    ]


def _filtered(query: Select[Any], filters: JobFilters) -> Select[Any]:
    wanted = {
        Job.state: filters.state,
        Job.kind: filters.kind,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if filters.created_after is not None:
        query = query.where(Job.created_at > filters.created_after)
    if filters.created_before is not None:
        query = query.where(Job.created_at < filters.created_before)
    return query
