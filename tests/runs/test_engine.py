"""One process: a run is started, followed, ended, whatever its executor does."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.factories.runs import get_run, make_run, start_run, until_stored
from tests.runs.conftest import Notes, Process
from tests.runs.scripted import (
    COUNT,
    DELTA,
    TEXT,
    WORDS,
    Talk,
    add_note,
    all_of,
    first_of,
    numbers_of,
    text_of,
)

from dossier.core.database import Session, SessionFactory, system_transaction
from dossier.core.errors import ConflictError, UpstreamError
from dossier.runs.constants import MAX_BATCH_EVENTS, RunState
from dossier.runs.models import Run
from dossier.runs.service import RunContext, RunKind, RunsService


class ModelAwayError(UpstreamError):
    """The model's server does not answer."""


async def test_run_streams_its_events_and_completes(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine = await process()

    run = await start_run(engine, committed, brand)
    events = await all_of(engine.follow(brand, run.id))

    assert numbers_of(events) == list(range(1, COUNT + 1))
    assert (text_of(events), events[-1].type) == (TEXT, "response.completed")
    assert events[0].data == {
        "type": "response.created",
        "sequence_number": 1,
        "run_id": str(run.id),
    }
    ended = await get_run(committed, run)
    assert (ended.state, ended.result) == (RunState.COMPLETED, {"text": TEXT})
    assert (ended.stored_through, ended.owner) == (COUNT, None)
    assert await notes() == [TEXT]


async def test_run_that_nobody_has_in_hand_is_taken(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()

    run = await make_run(committed, brand)
    ended = await engine.wait(brand, run.id, 5)

    assert (ended.state, ended.attempts, ended.losses) == (RunState.COMPLETED, 1, 0)


async def test_launched_run_begins_once(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine, other = await process(), await process()
    run = await make_run(committed, brand)

    engine.launch(brand, run.id)
    other.launch(brand, run.id)
    ended = await other.wait(brand, run.id, 5)

    assert (ended.state, ended.attempts) == (RunState.COMPLETED, 1)
    assert await notes() == [TEXT]


async def test_waiting_ends_with_the_time_that_was_given(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process(Talk(pause_at=0))
    run = await start_run(engine, committed, brand)

    waited = await engine.wait(brand, run.id, 0.02)

    assert waited.state is RunState.PROCESSING


async def fail_with_name(_context: RunContext) -> None:
    raise ModelAwayError


async def fail_in_group(_context: RunContext) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail_with_name(_context))


async def fail_without_name(context: RunContext) -> None:
    context.emit("response.created", {})
    raise ZeroDivisionError


async def forget_to_finish(context: RunContext) -> None:
    context.emit("response.created", {})


async def cancel_itself(_context: RunContext) -> None:
    raise asyncio.CancelledError


async def sleep_for_ever(_context: RunContext) -> None:
    await asyncio.Event().wait()


async def finish_cancelled(context: RunContext) -> None:
    await context.finish("response.incomplete", {}, state="cancelled")


@pytest.mark.parametrize(
    ("executor", "code"),
    [
        (fail_with_name, "model_away"),
        (fail_in_group, "model_away"),
        (fail_without_name, "internal_server"),
        (forget_to_finish, "run_unfinished"),
        (cancel_itself, "run_unfinished"),
        (finish_cancelled, "run_unfinished"),
    ],
)
async def test_failure_is_a_problem_on_the_row_and_in_the_stream(
    process: Process, committed: SessionFactory, brand: UUID, executor: Any, code: str
) -> None:
    engine = await process(executor)

    run = await start_run(engine, committed, brand)
    events = await all_of(engine.follow(brand, run.id))

    ended = await get_run(committed, run)
    assert ended.state is RunState.FAILED
    assert ended.error is not None
    assert ended.error["code"] == code
    assert (events[-1].type, events[-1].data["error"]) == (
        "response.failed",
        ended.error,
    )


async def test_run_that_takes_too_long_fails(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process(sleep_for_ever, max_duration_s=0.02)

    run = await start_run(engine, committed, brand)
    ended = await engine.wait(brand, run.id, 5)

    assert ended.error is not None
    assert ended.error["code"] == "run_took_too_long"


async def test_what_an_end_writes_is_undone_with_it(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    async def refuse(session: Session) -> None:
        await add_note(session, brand, "half")
        raise ConflictError

    async def execute(context: RunContext) -> None:
        context.emit("response.created", {})
        await context.finish("response.completed", {}, refuse)

    engine = await process(execute)

    run = await start_run(engine, committed, brand)
    events = await all_of(engine.follow(brand, run.id))

    assert [event.type for event in events] == ["response.created", "response.failed"]
    assert numbers_of(events) == [1, 2]
    assert (await get_run(committed, run)).state is RunState.FAILED
    assert await notes() == []


async def test_what_belongs_to_an_unfinished_run_is_settled_with_it(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    async def on_end(session: Session, run: Run) -> None:
        await add_note(session, run.org_id, f"{run.state}: {run.error is not None}")

    engine = await process(RunKind(fail_with_name, on_end))

    run = await start_run(engine, committed, brand)
    await engine.wait(brand, run.id, 5)

    assert await notes() == ["failed: True"]


async def test_what_settles_a_run_finds_all_of_its_events(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    async def execute(context: RunContext) -> None:
        context.emit(DELTA, {"delta": "all of "})
        context.emit(DELTA, {"delta": "it"})
        raise ModelAwayError

    async def on_end(session: Session, run: Run) -> None:
        events = await RunsService(session, run.actor).list_events(run.id)
        await add_note(session, run.org_id, f"{text_of(events)}, {events[-1].type}")

    engine = await process(RunKind(execute, on_end), batch_ms=250)

    run = await start_run(engine, committed, brand)
    await engine.wait(brand, run.id, 5)

    assert await notes() == ["all of it, response.failed"]


async def test_run_fails_although_what_belongs_to_it_cannot_be_settled(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    async def on_end(_session: Session, _run: Run) -> None:
        raise ZeroDivisionError

    engine = await process(RunKind(fail_with_name, on_end))

    run = await start_run(engine, committed, brand)
    ended = await engine.wait(brand, run.id, 5)

    assert ended.error is not None
    assert ended.error["code"] == "model_away"


async def test_nothing_comes_after_the_end(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    refused: list[str] = []

    async def execute(context: RunContext) -> None:
        await context.finish("response.completed", {})
        try:
            context.emit("late", {})
        except RuntimeError as exc:
            refused.append(str(exc))

    engine = await process(execute)

    run = await start_run(engine, committed, brand)
    events = await all_of(engine.follow(brand, run.id))

    assert [event.type for event in events] == ["response.completed"]
    assert refused == ["late comes after the end of the run"]


async def test_texts_that_models_cut_badly_are_stored(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    async def execute(context: RunContext) -> None:
        context.emit("delta", {"delta": "nul \x00, half \ud83d, 玫瑰"})
        await context.finish("response.completed", {})

    engine, other = await process(execute), await process()

    run = await start_run(engine, committed, brand)
    live = await all_of(engine.follow(brand, run.id))
    replayed = await all_of(other.follow(brand, run.id))

    assert live == replayed
    assert live[0].data["delta"] == "nul \x00, half ?, 玫瑰"


async def test_engine_that_does_not_run_leaves_the_run_to_others(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    gone = await process()
    await gone.close()

    run = await start_run(gone, committed, brand)

    assert (await get_run(committed, run)).state is RunState.PROCESSING


async def test_more_events_than_a_row_holds_are_stored_while_the_run_goes_on(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    go = asyncio.Event()

    async def burst(context: RunContext) -> None:
        for number in range(2 * MAX_BATCH_EVENTS + 50):
            context.emit("tests.word", {"number": number})
        await go.wait()
        await context.finish("response.completed", {})

    engine, other = await process(burst), await process()
    run = await start_run(engine, committed, brand)
    last = 2 * MAX_BATCH_EVENTS + 50
    await until_stored(committed, run, last)
    stored = await first_of(other, brand, run.id, last)
    go.set()
    whole = await all_of(engine.follow(brand, run.id))

    assert numbers_of(whole) == list(range(1, last + 2))
    assert stored == whole[:last]


async def test_row_of_a_run_is_not_written_with_each_batch(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=3)
    engine = await process(talk, lease_s=30)
    run = await start_run(engine, committed, brand)
    await until_stored(committed, run, 4)
    before = await version_of(committed, run)
    talk.pause_at, talk.go, go = 9, asyncio.Event(), talk.go
    go.set()
    await until_stored(committed, run, len(WORDS) - 2)

    assert await version_of(committed, run) == before


async def version_of(sessions: SessionFactory, run: Run) -> str:
    """Return what changes whenever a run's row is written."""
    async with system_transaction(sessions) as session:
        query = text("select xmin::text from runs where id = :id")
        return str(await session.scalar(query, {"id": run.id}))
