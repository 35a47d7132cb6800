"""Every query on job rows. Functions `…_for_system` need a system transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import CursorResult, Select, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.core.reads import Reads, bound
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
    """Return one page of an organisation's jobs, newest first."""
    query = _filtered(select(Job).where(Job.org_id == org_id), filters)
    ordered = query.order_by(Job.created_at.desc(), Job.id.desc())
    return await paginate(session, ordered, page)


async def count_unfinished_for_org(
    session: Session, org_id: UUID, *, at_most: int
) -> int:
    """Count an organisation's unfinished jobs, no further than `at_most`."""
    rows = (
        select(Job.id)
        .where(Job.org_id == org_id, Job.finished_at.is_(None))
        .limit(at_most)
    )
    return await session.scalar(select(func.count()).select_from(rows.subquery())) or 0


async def mark_progress_for_org(
    session: Session, org_id: UUID, job_id: UUID, run_id: UUID, **progress: Any
) -> JobState | None:
    """Write progress if the run still owns the job; going further forgives failures."""
    done = progress["progress_done"]
    further = Job.progress_peak < done
    statement = (
        update(Job)
        .where(*_owned(org_id, job_id, run_id))
        .values(
            **progress,
            progress_peak=func.greatest(Job.progress_peak, done),
            failures=case((further, 0), else_=Job.failures),
        )
        .returning(Job.state)
    )
    state: JobState | None = await session.scalar(statement)
    return state


async def settle_done_for_org(
    session: Session, org_id: UUID, job_id: UUID, run_id: UUID, **values: Any
) -> bool:
    """Write the receipt if the run still owns the job."""
    statement = (
        update(Job)
        .where(*_owned(org_id, job_id, run_id))
        .values(state=JobState.DONE, error=None, **values)
    )
    result = await session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount == 1


async def list_jobs_for_system(
    session: Session, filters: JobFilters, *, limit: int
) -> list[Job]:
    """Return jobs of all organisations, newest first."""
    query = _filtered(select(Job), filters).order_by(Job.created_at.desc(), Job.id)
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


def _one(org_id: UUID, job_id: UUID) -> Select[Any]:
    return select(Job).where(Job.org_id == org_id, Job.id == job_id)


def _owned(org_id: UUID, job_id: UUID, run_id: UUID) -> list[Any]:
    return [
        Job.org_id == org_id,
        Job.id == job_id,
        Job.run_id == run_id,
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
