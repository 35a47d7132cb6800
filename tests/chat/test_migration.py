"""Runs become jobs, and jobs that answer become runs again."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.factories.accounts import make_organisation

from dossier.core import migrate
from dossier.core.database import make_engine, make_sessions
from dossier.core.models import new_id

ROOM, QUESTION, ANSWER = new_id(), new_id(), new_id()
INPUT = {
    "room_id": str(ROOM),
    "question_id": str(QUESTION),
    "answer_id": str(ANSWER),
    "engine": "auto",
    "grounding": "none",
}
RESULT = {"ai_message_id": str(ANSWER), "not_ready": [{"filename": "secret.pdf"}]}
RUN = """
insert into runs (id, created_at, org_id, kind, state, subject_id, input, actor_name,
  actor_role, epoch, attempts, losses, reserved_through, stored_through, result,
  finished_at)
values ($1, now(), $2, 'chat.answer', $3::text, $4, $5, 'Mei', 'owner', 1, 1, 0,
  $6, $7, $8,
  case when $3::text in ('completed', 'failed', 'cancelled') then now() end)
"""
BATCH = """
insert into run_events
  (org_id, run_id, first_sequence, last_sequence, events, created_at)
values ($1, $2, $3, $4, $5, now())
"""
JOBS = "select * from jobs where kind = 'chat.answer' order by id"
LOG = """
select first_seq, last_seq, events::text as events from job_events
where job_id = $1 order by first_seq
"""
QUEUED = """
select convert_from(payload, 'UTF8')::json ->> 'job_id' as job_id, entrypoint
from queue.pgqueuer order by id
"""


@pytest.fixture
async def connection(fresh_database: str) -> AsyncIterator[asyncpg.Connection]:
    """A database as it was before, by somebody who sees all rows."""
    engine = make_engine(fresh_database)
    await make_organisation(make_sessions(engine), id=ROOM, name="Rose Maison")
    await engine.dispose()
    await migrate.downgrade(fresh_database, "job_events")
    connection = await asyncpg.connect(fresh_database)
    yield connection
    await connection.close()


async def add_run(
    connection: asyncpg.Connection,
    state: str,
    *batches: tuple[int, int],
    shown: int = 0,
) -> UUID:
    run_id, stored = new_id(), max((last for _, last in batches), default=0)
    is_over = state == "completed"
    await connection.execute(
        RUN,
        run_id,
        ROOM,
        state,
        ROOM,
        json.dumps(INPUT),
        shown or stored,
        stored if is_over else 0,
        json.dumps(RESULT) if is_over else None,
    )
    for first, last in batches:
        events = [{"type": "t", "sequence_number": n} for n in range(first, last + 1)]
        await connection.execute(BATCH, ROOM, run_id, first, last, json.dumps(events))
    return run_id


async def log_of(connection: asyncpg.Connection, job_id: UUID) -> list[dict[str, Any]]:
    rows = await connection.fetch(LOG, job_id)
    return [event for row in rows for event in json.loads(row["events"])]


async def test_finished_run_is_a_job_with_its_events(
    connection: asyncpg.Connection, fresh_database: str
) -> None:
    # The reply to the second batch was lost, and it was stored again with more.
    run_id = await add_run(connection, "completed", (1, 2), (3, 4), (3, 6))

    await migrate.upgrade(fresh_database)

    [job] = await connection.fetch(JOBS)
    assert (job["id"], job["state"], job["subject_id"]) == (run_id, "done", ROOM)
    assert (job["attempts"], job["last_seq"]) == (1, 6)
    assert json.loads(job["args"]) == INPUT
    assert json.loads(job["result"]) == {"ai_message_id": str(ANSWER)}
    numbers = [each["sequence_number"] for each in await log_of(connection, run_id)]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert await connection.fetch(QUEUED) == []


async def test_unfinished_runs_are_queued_and_go_on_behind_what_was_shown(
    connection: asyncpg.Connection, fresh_database: str
) -> None:
    pending = await add_run(connection, "pending")
    begun = await add_run(connection, "processing", (1, 3), shown=500)
    cancelling = await add_run(connection, "cancelling", (1, 3))

    await migrate.upgrade(fresh_database)

    jobs = {row["id"]: row for row in await connection.fetch(JOBS)}
    states = [jobs[each]["state"] for each in (pending, begun, cancelling)]
    queued = {(r["job_id"], r["entrypoint"]) for r in await connection.fetch(QUEUED)}
    [created] = await log_of(connection, pending)
    restarted = (await log_of(connection, begun))[-1]
    assert states == ["pending", "pending", "cancelling"]
    assert queued == {(str(each), "chat.answer") for each in jobs}
    assert (created["type"], created["sequence_number"]) == ("response.created", 1)
    assert created["ai_message_id"] == str(ANSWER)
    assert created["response"]["id"] == created["run_id"] == str(pending)
    assert restarted == {
        "type": "run.restarted",
        "sequence_number": 501,
        "kept_through": 3,
    }
    assert len(await log_of(connection, cancelling)) == 3


async def test_downgrade_takes_answers_alone_out_of_the_jobs(
    connection: asyncpg.Connection, fresh_database: str
) -> None:
    done = await add_run(connection, "completed", (1, 2), (3, 6))
    pending = await add_run(connection, "pending", (1, 1))
    await migrate.upgrade(fresh_database)
    other = new_id()
    await connection.execute(
        "insert into jobs (id, created_at, org_id, kind, state, priority, args,"
        " progress_peak, attempts, failures, actor_name, actor_role, engine_id)"
        " values ($1, now(), $2, 'reports.render', 'done', 0, '{}', 0, 1, 0, 'Mei',"
        " 'owner', 1)",
        other,
        ROOM,
    )

    await migrate.downgrade(fresh_database, "job_events")

    runs = {row["id"]: row for row in await connection.fetch("select * from runs")}
    left = await connection.fetch("select id from jobs")
    batches = await connection.fetch(
        "select first_sequence, last_sequence from run_events where run_id = $1"
        " order by 1",
        done,
    )
    assert [row["id"] for row in left] == [other]
    assert await connection.fetch(QUEUED) == []
    assert (runs[done]["state"], runs[pending]["state"]) == ("completed", "pending")
    assert json.loads(runs[done]["input"]) == INPUT
    assert (runs[done]["stored_through"], runs[done]["reserved_through"]) == (6, 6)
    assert runs[pending]["owner"] is None
    assert [tuple(row) for row in batches] == [(1, 2), (3, 6)]
