"""Queries of the event log. Functions `…_for_system` need a system transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, select

from dossier.core.database import Session, raw_rows
from dossier.jobs.constants import (
    EVENTS_CHANNEL,
    FINISHED,
    MAX_NOTIFIED,
    RUNNING,
    JobState,
)
from dossier.jobs.events import EventBatch
from dossier.jobs.models import JobEventBatch

READ_ROWS = 50
"""Batches of one job that one query of a follower returns."""

_RUNNING_SQL = ", ".join(f"'{state}'" for state in sorted(RUNNING))

# A batch is refused as a whole where its attempt no longer has the job, or where
# another attempt has stored a batch that begins with the same number. The row lock is
# the one that foreign keys take: it waits for a transaction that begins another attempt
# or deletes the job (FOR UPDATE), and not for changes of state (FOR NO KEY UPDATE).
_STORE = f"""
with batch as (
  select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::int[], $5::int[],
                       $6::text[])
    as batch (org_id, job_id, attempt, first_seq, last_seq, events)
), held as materialized (
  select batch.* from batch
  join jobs on jobs.org_id = batch.org_id and jobs.id = batch.job_id
  where jobs.attempts = batch.attempt and jobs.state in ({_RUNNING_SQL})
  order by batch.job_id
  for key share of jobs
), stored as (
  insert into job_events
    (org_id, job_id, attempt, first_seq, last_seq, events, created_at)
  select org_id, job_id, attempt, first_seq, last_seq, events::json, clock_timestamp()
  from held
  on conflict (job_id, first_seq) do nothing
  returning job_id, attempt
), numbered as (
  select job_id, attempt, (row_number() over () - 1) / {MAX_NOTIFIED} as part
  from stored
)
select array_agg(job_id) as job_ids, array_agg(attempt) as attempts,
       pg_notify($7, string_agg(replace(job_id::text, '-', ''), ' '))
from numbered group by part
"""  # noqa: S608 - the names are constants

# What a lost reply left behind: the very batch of this attempt.
_STORED = """
select stored.job_id, stored.attempt
from unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[])
  as batch (job_id, attempt, first_seq, last_seq)
join job_events stored using (job_id, attempt, first_seq, last_seq)
"""

_ADD = """
insert into job_events
  (org_id, job_id, attempt, first_seq, last_seq, events, created_at)
values ($1, $2, $3, $4, $5, $6::json, clock_timestamp())
"""

# Row and log in one snapshot: who sees the end of a job sees all its events. The batch
# that a position lies in, or at whose end it is, is found by the key: a long log is not
# walked from its beginning.
_READ = f"""
select wanted.org_id, wanted.job_id, job.state, log.events
from unnest($1::uuid[], $2::uuid[], $3::int[]) as wanted (org_id, job_id, after)
left join jobs job on job.org_id = wanted.org_id and job.id = wanted.job_id
left join lateral (
  select first_seq from job_events
  where job_id = wanted.job_id and first_seq <= wanted.after
  order by first_seq desc limit 1
) reached on true
left join lateral (
  select first_seq, events::text as events from job_events
  where org_id = wanted.org_id and job_id = wanted.job_id
    and first_seq >= coalesce(reached.first_seq, 0) and last_seq > wanted.after
  order by first_seq limit {READ_ROWS}
) log on true
order by wanted.org_id, wanted.job_id, log.first_seq
"""  # noqa: S608 - the number is a constant

_PRUNE = """
with old as (
  select org_id, id from jobs
  where finished_at < $1 and last_seq > 0 and log_pruned_at is null
  order by finished_at limit $2 for update skip locked
), pruned as (
  update jobs set log_pruned_at = clock_timestamp() from old
  where jobs.org_id = old.org_id and jobs.id = old.id
), gone as (
  delete from job_events using old
  where job_events.org_id = old.org_id and job_events.job_id = old.id
)
select id from old
"""


@dataclass(slots=True)
class LogPage:
    """What a follower's query found of one job."""

    state: JobState | None
    """`None`: there is no such job any more."""
    batches: list[str]

    @property
    def is_full(self) -> bool:
        """Return whether more may be stored than was read."""
        return len(self.batches) == READ_ROWS

    @property
    def is_last(self) -> bool:
        """Return whether nothing can come after these batches."""
        is_over = self.state is None or self.state in FINISHED
        return is_over and not self.is_full


async def store_batches_for_system(
    session: Session, batches: Sequence[EventBatch]
) -> set[tuple[UUID, int]]:
    """Store batches and notify; return the jobs and attempts that took theirs."""
    columns = zip(*batches, strict=True)
    rows = await raw_rows(session, _STORE, *columns, EVENTS_CHANNEL)
    return {
        key for row in rows for key in zip(row["job_ids"], row["attempts"], strict=True)
    }


async def list_stored_for_system(
    session: Session, batches: Iterable[EventBatch]
) -> set[tuple[UUID, int]]:
    """Return the jobs and attempts whose batches are stored already."""
    keys = [(b.job_id, b.attempt, b.first_seq, b.last_seq) for b in batches]
    rows = await raw_rows(session, _STORED, *zip(*keys, strict=True))
    return {(row["job_id"], row["attempt"]) for row in rows}


async def add_notification(
    session: Session, job_ids: Collection[UUID], channel: str = EVENTS_CHANNEL
) -> None:
    """Notify all processes of jobs when the transaction commits."""
    ids = [job_id.hex for job_id in job_ids]
    for start in range(0, len(ids), MAX_NOTIFIED):
        payload = " ".join(ids[start : start + MAX_NOTIFIED])
        await session.execute(select(func.pg_notify(channel, payload)))


async def add_batch(session: Session, batch: EventBatch) -> None:
    """Store one batch in the caller's transaction; a number that is taken raises."""
    org_id, job_id, attempt, first_seq, last_seq, events = batch
    await raw_rows(session, _ADD, org_id, job_id, attempt, first_seq, last_seq, events)


async def get_last_number_for_org(session: Session, org_id: UUID, job_id: UUID) -> int:
    """Return the number of the last stored event, 0 where there is none."""
    query = (
        select(JobEventBatch.last_seq)
        .where(JobEventBatch.org_id == org_id, JobEventBatch.job_id == job_id)
        .order_by(JobEventBatch.first_seq.desc())
        .limit(1)
    )
    return await session.scalar(query) or 0


async def list_batches_for_org(
    session: Session, org_id: UUID, job_id: UUID, through: int
) -> list[str]:
    """Return the stored batches up to a number."""
    query = (
        select(cast(JobEventBatch.events, Text))
        .where(
            JobEventBatch.org_id == org_id,
            JobEventBatch.job_id == job_id,
            JobEventBatch.last_seq <= through,
        )
        .order_by(JobEventBatch.first_seq)
    )
    return list(await session.scalars(query))


async def read_pages_for_system(
    session: Session, positions: Collection[tuple[UUID, UUID, int]]
) -> dict[tuple[UUID, UUID], LogPage]:
    """Return what is stored after a position of each job, in one query.

    Args:
        session: A system transaction.
        positions: Organisation, job and the last number known. The caller has
            authorised each pair; a job of another organisation counts as missing.
    """
    rows = await raw_rows(session, _READ, *zip(*positions, strict=True))
    pages: dict[tuple[UUID, UUID], LogPage] = {}
    for row in rows:
        state = None if row["state"] is None else JobState(row["state"])
        page = pages.setdefault((row["org_id"], row["job_id"]), LogPage(state, []))
        if row["events"] is not None:
            page.batches.append(row["events"])
    return pages


async def prune_logs_for_system(session: Session, before: datetime, limit: int) -> int:
    """Delete the events of some jobs that ended before an instant; return how many."""
    return len(await raw_rows(session, _PRUNE, before, limit))
