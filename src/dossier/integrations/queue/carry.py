"""Hands jobs to the engine inside the caller's transaction.

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
from dossier.integrations.queue.names import (
    ENGINE_CHANNEL,
    ID_SEQUENCE,
    JOB_CHANNEL,
    TABLE,
)

RANKS = 1000
"""Places within one priority that fairness may use."""

_RESERVE = f"select nextval('{ID_SEQUENCE}') as id from generate_series(1, $1)"  # noqa: S608 - the name is a constant
_INSERT = f"""
insert into {TABLE}
  (id, priority, entrypoint, payload, execute_after, status)
select id, priority, kind, payload, now() + delay, 'queued'
from unnest($1::bigint[], $2::int[], $3::text[], $4::bytea[], $5::interval[])
  as load (id, priority, kind, payload, delay)
"""  # noqa: S608 - names are constants
_MISSING = f"""
select wanted.id from unnest($1::bigint[]) as wanted (id)
where not exists (select from {TABLE} where {TABLE}.id = wanted.id)
"""  # noqa: S608 - names are constants
_NOTIFY = "select pg_notify($1, $2)"


@dataclass(frozen=True, slots=True)
class Load:
    """One job as the engine carries it: which, of whom, when, before whom."""

    engine_id: int
    kind: str
    org_id: UUID
    job_id: UUID
    priority: int = 0
    rank: int = 0
    delay_s: float = 0


def engine_priority(priority: int, rank: int) -> int:
    """Return the engine's priority: within one class, lower ranks go first."""
    return priority * RANKS - min(rank, RANKS - 1)


async def reserve_ids(session: Session, count: int) -> list[int]:
    """Return engine ids that nobody else will get."""
    return [row["id"] for row in await raw_rows(session, _RESERVE, count)]


async def carry(session: Session, loads: Sequence[Load]) -> None:
    """Queue the loads; they exist when the caller's transaction commits."""
    await raw_rows(
        session,
        _INSERT,
        [load.engine_id for load in loads],
        [engine_priority(load.priority, load.rank) for load in loads],
        [load.kind for load in loads],
        [_payload(load) for load in loads],
        [timedelta(seconds=load.delay_s) for load in loads],
    )


async def missing_of(session: Session, engine_ids: Sequence[int]) -> set[int]:
    """Return those of the ids that the engine no longer has."""
    return {row["id"] for row in await raw_rows(session, _MISSING, list(engine_ids))}


async def request_stop(session: Session, engine_id: int) -> None:
    """Tell the worker that runs this to stop, once the transaction commits."""
    event = {
        "channel": ENGINE_CHANNEL,
        "ids": [engine_id],
        "sent_at": now().isoformat(),
        "type": "cancellation_event",
    }
    await raw_rows(session, _NOTIFY, ENGINE_CHANNEL, orjson.dumps(event).decode())


async def announce_end(session: Session, job_id: UUID) -> None:
    """Wake whoever waits for this job, once the transaction commits."""
    await raw_rows(session, _NOTIFY, JOB_CHANNEL, str(job_id))


def _payload(load: Load) -> bytes:
    return orjson.dumps({"org_id": str(load.org_id), "job_id": str(load.job_id)})
