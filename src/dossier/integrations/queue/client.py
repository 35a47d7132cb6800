"""The job engine's tables: queueing inside the caller's transaction, and figures.

The statements are the engine's own, as text, so that a web process need not import
the engine (33 MB, 0.4 s); a test compares their effect with the engine's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson

from dossier.core.clock import now
from dossier.core.database import Session, raw_rows

QUEUE_SCHEMA = "queue"
TABLE = f"{QUEUE_SCHEMA}.pgqueuer"
LOG_TABLE = f"{QUEUE_SCHEMA}.pgqueuer_log"
ID_SEQUENCE = f"{QUEUE_SCHEMA}.pgqueuer_id_seq"
ENGINE_CHANNEL = "ch_pgqueuer"

RANKS = 1000
"""Number of ranks within one priority."""

_RESERVE = f"select nextval('{ID_SEQUENCE}') as id from generate_series(1, $1)"  # noqa: S608 - the name is a constant
_INSERT = f"""
insert into {TABLE}
  (id, priority, entrypoint, payload, execute_after, status)
select id, priority, kind, payload, now() + delay, 'queued'
from unnest($1::bigint[], $2::int[], $3::text[], $4::bytea[], $5::interval[])
  as entry (id, priority, kind, payload, delay)
"""  # noqa: S608 - names are constants
_MISSING = f"""
select wanted.id from unnest($1::bigint[]) as wanted (id)
where not exists (select from {TABLE} where {TABLE}.id = wanted.id)
"""  # noqa: S608 - names are constants
_NOTIFY = "select pg_notify($1, $2)"
_DEPTH = f"""
select entrypoint as kind, status::text as status, count(*) as jobs,
       extract(epoch from now() - min(created))::float8 as oldest_age_s
from {TABLE} group by 1, 2 order by 1, 2
"""  # noqa: S608 - the name is a constant
_PRUNE = f"""
with gone as (delete from {LOG_TABLE} where created < now() - $1::interval returning 1)
select count(*) as rows from gone
"""  # noqa: S608 - the name is a constant


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One job in the engine's queue: ids, kind and place in the order."""

    engine_id: int
    kind: str
    org_id: UUID
    job_id: UUID
    priority: int = 0
    rank: int = 0
    delay: timedelta = timedelta(0)
    """No worker takes it earlier."""


def engine_priority(priority: int, rank: int) -> int:
    """Return the engine's priority: within one class, lower ranks go first."""
    return priority * RANKS - min(rank, RANKS - 1)


async def reserve_ids(session: Session, count: int) -> list[int]:
    """Return engine ids from the sequence; each is given once."""
    return [row["id"] for row in await raw_rows(session, _RESERVE, count)]


async def add_entries(session: Session, entries: Sequence[QueueEntry]) -> None:
    """Queue jobs; the entries exist when the caller's transaction commits."""
    await raw_rows(
        session,
        _INSERT,
        [entry.engine_id for entry in entries],
        [engine_priority(entry.priority, entry.rank) for entry in entries],
        [entry.kind for entry in entries],
        [
            orjson.dumps({"org_id": str(entry.org_id), "job_id": str(entry.job_id)})
            for entry in entries
        ],
        [entry.delay for entry in entries],
    )


async def missing_of(session: Session, engine_ids: Sequence[int]) -> set[int]:
    """Return the ids that the engine no longer has."""
    return {row["id"] for row in await raw_rows(session, _MISSING, list(engine_ids))}


async def request_stop(session: Session, engine_ids: Sequence[int]) -> None:
    """Notify the workers that run these to stop, once the transaction commits."""
    event = {
        "channel": ENGINE_CHANNEL,
        "ids": list(engine_ids),
        "sent_at": now().isoformat(),
        "type": "cancellation_event",
    }
    await raw_rows(session, _NOTIFY, ENGINE_CHANNEL, orjson.dumps(event).decode())


@dataclass(frozen=True, slots=True)
class Depth:
    """How many jobs of one kind wait or run, and the age of the oldest."""

    kind: str
    status: str
    jobs: int
    oldest_age_s: float


async def queue_depth(session: Session) -> list[Depth]:
    """Return what the engine holds, by kind and status (`queued`, `picked`)."""
    return [Depth(**row) for row in await raw_rows(session, _DEPTH)]


async def prune_log(session: Session, *, keep: timedelta) -> int:
    """Delete older log rows; the engine writes three a job and deletes none."""
    [row] = await raw_rows(session, _PRUNE, keep)
    return int(row["rows"])
