"""Queries on the event log: storing, replaying, telling other processes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from dossier.core.database import Session, raw_rows
from dossier.core.reads import Reads, Statements, bound
from dossier.runs.constants import CHANNEL, FINISHED, RunState, Verb
from dossier.runs.ports import Holder
from dossier.runs.rules.events import Batch

# All runs of a process in one statement. What is not its own any more stores nothing;
# what somebody else has locked for a moment is left for the next time, so that no
# transaction of theirs holds up the leases of all. Each run is looked up by its id: an
# equal `org_id` would tempt the planner, as long as it knows little of the table, to
# walk all runs of an organisation for each.
#
# The lock alone keeps others from taking a run while events are stored. Its row is
# written where its lease has aged or more numbers are wanted: written with each batch,
# rows would die by the thousand. A lease that is not renewed here is a young one.
_STORE = """
with lease as (
  select * from unnest($3::uuid[], $4::uuid[], $5::int[], $6::bigint[], $7::bigint[],
                       $8::bigint[], $9::text[])
    as lease(org_id, id, epoch, reserve, first, last, events)
), held as materialized (
  select lease.*, run.state, run.is_due from lease cross join lateral (
    select run.state, run.reserved_through < lease.reserve or run.lease_until
        < clock_timestamp() + make_interval(secs => $2 * 0.9) as is_due
    from runs run
    where run.id = lease.id and run.org_id is not distinct from lease.org_id
      and run.owner = $1 and run.epoch = lease.epoch and run.finished_at is null
    for no key update skip locked
  ) as run
), renewed as (
  update runs run
  set lease_until = clock_timestamp() + make_interval(secs => $2),
      reserved_through = greatest(run.reserved_through, held.reserve)
  from held where held.is_due and run.id = held.id
    and run.org_id is not distinct from held.org_id
), stored as (
  insert into run_events
    (org_id, run_id, first_sequence, last_sequence, events, created_at)
  select org_id, id, first, last, events::json, clock_timestamp()
  from held where events is not null
  -- Stored already, when the answer of a commit was lost.
  on conflict do nothing
)
select id, state from held
"""

_STILL_HELD = """
select run.id
from unnest($2::uuid[], $3::uuid[], $4::int[]) as lease(org_id, id, epoch)
cross join lateral (
  select run.id from runs run
  where run.org_id = lease.org_id and run.id = lease.id and run.owner = $1
    and run.epoch = lease.epoch and run.finished_at is null
  offset 0
) as run
"""

_ADD = """
insert into run_events
  (org_id, run_id, first_sequence, last_sequence, events, created_at)
select $1, $2, batch.first, batch.last, batch.events::json, clock_timestamp()
from unnest($3::bigint[], $4::bigint[], $5::text[]) as batch(first, last, events)
on conflict do nothing
"""

_END = """
with ended as (
  update runs set state = coalesce($4::text::jsonb ->> state, state),
    result = $5::text::jsonb, error = $6::text::jsonb, stored_through = $7,
    reserved_through = greatest(reserved_through, $7), owner = null,
    lease_until = null, finished_at = $8
  where org_id = $1 and id = $2 and epoch = $3 and finished_at is null
  returning state
), stored as (
  insert into run_events
    (org_id, run_id, first_sequence, last_sequence, events, created_at)
  select $1, $2, batch.first, batch.last, batch.events::json, clock_timestamp()
  from ended, unnest($9::bigint[], $10::bigint[], $11::text[])
    as batch(first, last, events)
  on conflict do nothing
)
select state, pg_notify($12, $13) from ended
"""

# The row and its log in one snapshot: who sees the end sees all events before it.
_READ = bound("""
select run.state, run.reserved_through, log.events::text as events
from runs run left join lateral (
  select last_sequence, events from run_events
  where org_id = bound.org_id and run_id = run.id and last_sequence > $3
  order by last_sequence limit $4
) log on true
where run.org_id = bound.org_id and run.id = $2
order by log.last_sequence
""")


_LIST = """
select events::text from run_events
where org_id = $1 and run_id = $2 and last_sequence > $3
order by last_sequence limit $4
"""


_NO_BATCH = (None, None, None)


_REMOVE = """
with old as (
  select run.org_id, run.id from runs run
  where run.finished_at < $1 and run.log_pruned_at is null
  order by run.finished_at limit $2 for update skip locked
), pruned as (
  update runs run set log_pruned_at = clock_timestamp() from old
  where run.org_id = old.org_id and run.id = old.id
), gone as (
  delete from run_events e using old
  where e.org_id = old.org_id and e.run_id = old.id
)
select id from old
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What a process says of one of its runs when it stores."""

    org_id: UUID
    run_id: UUID
    epoch: int
    reserve_through: int
    stored_through: int
    batches: Sequence[Batch]


@dataclass(frozen=True, slots=True)
class LogPage:
    """A piece of a run's log, and how far the run was when it was read."""

    state: RunState
    reserved_through: int
    arrays: list[str]

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing can follow what stands in the log."""
        return self.state in FINISHED


async def store_for_system(
    session: Session, holder: Holder, runs: Sequence[Held]
) -> dict[UUID, RunState | None]:
    """Store events, renew leases, reserve numbers; return the runs still held.

    A run without a state was locked by somebody: nothing of it was stored.
    """
    states: dict[UUID, RunState | None] = {}
    for layer in range(max((len(run.batches) for run in runs), default=0) or 1):
        due = [run for run in runs if len(run.batches) > layer or layer == 0]
        states |= await _store(session, holder, due, layer)
    missing = [run for run in runs if run.run_id not in states]
    if missing:
        keys = _columns((run.org_id, run.run_id, run.epoch) for run in missing)
        rows = await raw_rows(session, _STILL_HELD, holder.id, *keys)
        states |= dict.fromkeys((row["id"] for row in rows), None)
    return states


async def _store(
    session: Session, holder: Holder, runs: Sequence[Held], layer: int
) -> dict[UUID, RunState]:
    """Store one batch of each run, where it has that many; mostly it has one."""
    columns = _columns(
        (
            run.org_id,
            run.run_id,
            run.epoch,
            run.reserve_through,
            *(run.batches[layer] if len(run.batches) > layer else _NO_BATCH),
        )
        for run in runs
    )
    rows = await raw_rows(session, _STORE, holder.id, holder.lease_s, *columns)
    return {row["id"]: RunState(row["state"]) for row in rows}


def _columns(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return zip(*rows, strict=True)


async def add_batches(
    session: Session, org_id: UUID, run_id: UUID, batches: Sequence[Batch]
) -> None:
    """Store events in the transaction of what they tell of."""
    if batches:
        columns = ([batch[column] for batch in batches] for column in range(3))
        await raw_rows(session, _ADD, org_id, run_id, *columns)


@dataclass(frozen=True, slots=True)
class Ended:
    """What is written of a run that ends."""

    epoch: int
    """The owner's; of a run that another has taken over nothing is written."""
    states: Mapping[str, str]
    """Where the end leads from each state."""
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    finished_at: datetime
    batches: Sequence[Batch]
    """The last events, with the very last."""
    stored_through: int


async def end_run_for_org(
    statements: Statements, org_id: UUID, run_id: UUID, ended: Ended
) -> RunState | None:
    """Write the end of a run with its last events, and tell of it when it is committed.

    `None`, and nothing written: it is over already, or another process has it.
    """
    payload = f"{Verb.ENDED} {run_id.hex}"
    rows = await statements(
        _END,
        org_id,
        run_id,
        ended.epoch,
        orjson.dumps(dict(ended.states)).decode(),
        _json(ended.result),
        _json(ended.error),
        ended.stored_through,
        ended.finished_at,
        *([batch[column] for batch in ended.batches] for column in range(3)),
        CHANNEL,
        payload,
    )
    return RunState(rows[0]["state"]) if rows else None


def _json(members: dict[str, Any] | None) -> str | None:
    return None if members is None else orjson.dumps(members).decode()


async def read_log_for_org(
    reads: Reads, org_id: UUID, run_id: UUID, after: int, limit: int
) -> LogPage | None:
    """Return stored events after a number, in one round trip; `None`: no such run."""
    rows = await reads.rows(_READ, org_id, run_id, after, limit)
    if not rows:
        return None
    arrays = [row["events"] for row in rows if row["events"] is not None]
    return LogPage(RunState(rows[0]["state"]), rows[0]["reserved_through"], arrays)


async def list_arrays_for_org(
    session: Session, org_id: UUID, run_id: UUID, after: int, limit: int
) -> list[str]:
    """Return stored rows after a number, as JSON arrays; `limit` counts rows."""
    rows = await raw_rows(session, _LIST, org_id, run_id, after, limit)
    return [row["events"] for row in rows]


async def remove_events_for_system(
    session: Session, before: datetime, limit: int
) -> int:
    """Delete the logs of some runs that ended before a time; return of how many."""
    return len(await raw_rows(session, _REMOVE, before, limit))


async def tell_for_org(
    session: Session, org_id: UUID, verb: Verb, run_ids: Collection[UUID]
) -> None:
    """Tell all processes when the transaction commits."""
    del org_id  # ids of runs say nothing to whoever may not read them
    await _tell(session, verb, run_ids)


async def tell_for_system(
    session: Session, verb: Verb, run_ids: Collection[UUID]
) -> None:
    """Tell all processes of runs of several organisations."""
    await _tell(session, verb, run_ids)


async def _tell(session: Session, verb: Verb, run_ids: Collection[UUID]) -> None:
    payload = " ".join([verb, *(run_id.hex for run_id in run_ids)])
    await raw_rows(session, "select pg_notify($1, $2)", CHANNEL, payload)
