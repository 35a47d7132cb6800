"""Processes die, freeze, stop: others go on, and no number is ever used twice."""

import asyncio
from uuid import UUID

from tests.factories.runs import (
    expire_lease,
    get_run,
    kill,
    make_run,
    run_when,
    start_run,
    until_stored,
)
from tests.runs.conftest import Notes, Process
from tests.runs.scripted import (
    TEXT,
    WORDS,
    Talk,
    add_note,
    all_of,
    first_of,
    numbers_of,
    text_of,
)

from dossier.core.database import Session, SessionFactory
from dossier.runs.constants import RESERVED_BLOCK, RunState
from dossier.runs.models import Run
from dossier.runs.service import RunContext, RunKind


async def test_run_of_a_killed_process_is_taken_over(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine, other = await process(Talk(pause_at=6)), await process()
    run = await start_run(engine, committed, brand)
    seen = await first_of(engine, brand, run.id, 7)

    await kill(engine)
    await expire_lease(committed, run)
    seen += await all_of(other.follow(brand, run.id, 7))

    ended = await get_run(committed, run)
    assert (ended.state, ended.attempts, ended.losses) == (RunState.COMPLETED, 2, 1)
    assert ended.result == {"text": TEXT}
    assert text_of(seen) == TEXT
    assert numbers_of(seen) == sorted(set(numbers_of(seen)))
    assert await notes() == [TEXT]


async def test_what_was_shown_but_not_stored_is_taken_back(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk, batch_ms=250, lease_s=10)
    run = await start_run(engine, committed, brand)
    seen = await first_of(engine, brand, run.id, 7)

    await kill(engine)
    await expire_lease(committed, run)
    other = await process()
    seen += await all_of(other.follow(brand, run.id, 7))

    restart = seen[7]
    assert (restart.type, restart.sequence_number) == (
        "run.restarted",
        RESERVED_BLOCK + 1,
    )
    assert restart.data["kept_through"] == 0
    assert text_of(seen) == TEXT
    stored = await all_of(other.follow(brand, run.id))
    assert stored == seen[7:]


async def test_executor_chooses_what_counts_after_a_take_over(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    async def anew(context: RunContext) -> None:
        await context.restarted(1)
        context.emit("response.output_text.delta", {"delta": "anew"})
        await context.finish("response.completed", {})

    engine = await process(Talk(pause_at=6))
    run = await start_run(engine, committed, brand)
    await until_stored(committed, run, 7)

    await kill(engine)
    await expire_lease(committed, run)
    other = await process(anew)
    events = await all_of(other.follow(brand, run.id))

    assert text_of(events) == "anew"
    assert events[7].data["kept_through"] == 1


async def test_run_survives_two_deaths(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    run = None
    for pause_at in (3, 8):
        talk = Talk(pause_at=pause_at)
        engine = await process(talk)
        run = run or await start_run(engine, committed, brand)
        await asyncio.wait_for(talk.paused.wait(), 5)
        await asyncio.sleep(0.03)
        await kill(engine)
        await expire_lease(committed, run)
    assert run is not None

    last = await process()
    events = await all_of(last.follow(brand, run.id))

    assert text_of(events) == TEXT
    assert numbers_of(events) == sorted(set(numbers_of(events)))
    assert await notes() == [TEXT]


async def test_frozen_owner_that_wakes_up_changes_nothing(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    seen = await first_of(engine, brand, run.id, 7)
    follower = asyncio.create_task(all_of(engine.follow(brand, run.id, 7)))

    async with engine._writer.lock:  # noqa: SLF001 - frozen: it writes no more
        await expire_lease(committed, run)
        other = await process()
        ended = await other.wait(brand, run.id, 5)
        talk.go.set()
        await asyncio.sleep(0.01)
    seen += await follower

    assert ended.result == {"text": TEXT}
    assert await notes() == [TEXT]
    assert text_of(seen) == TEXT
    assert numbers_of(seen) == sorted(set(numbers_of(seen)))
    assert (await get_run(committed, run)).attempts == 2


async def test_executor_of_a_lost_run_is_stopped(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()

    async with engine._writer.lock:  # noqa: SLF001 - frozen: it writes no more
        await expire_lease(committed, run)
        other = await process()
        await other.wait(brand, run.id, 5)

    await asyncio.wait_for(talk.stopped.wait(), 1)


async def test_run_whose_processes_die_again_and_again_fails(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    async def on_end(session: Session, run: Run) -> None:
        await add_note(session, run.org_id, run.state)

    engine = await process(Talk(pause_at=6))
    run = await start_run(engine, committed, brand)
    await until_stored(committed, run, 7)

    await kill(engine)
    await expire_lease(committed, run)
    other = await process(RunKind(Talk(), on_end), max_attempts=1)
    events = await all_of(other.follow(brand, run.id))

    ended = await get_run(committed, run)
    assert ended.error is not None
    assert ended.error["code"] == "run_abandoned"
    assert [event.type for event in events[-2:]] == ["run.restarted", "response.failed"]
    assert text_of(events) == "".join(WORDS[:6])
    assert await notes() == ["failed"]


async def test_process_that_stops_hands_its_runs_over_at_once(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    talk = Talk(pause_at=6)
    engine, other = await process(talk, lease_s=60), await process(lease_s=60)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()

    async with asyncio.timeout(1):
        await engine.close(grace_s=0.01)
        ended = await other.wait(brand, run.id, 5)

    events = await all_of(other.follow(brand, run.id))
    assert talk.stopped.is_set()
    assert (ended.state, ended.attempts, ended.losses) == (RunState.COMPLETED, 2, 0)
    assert text_of(events) == TEXT
    assert await notes() == [TEXT]


async def test_process_that_stops_lets_runs_come_to_their_end(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()

    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0.01)
    talk.go.set()
    await closing

    ended = await get_run(committed, run)
    assert (ended.state, ended.attempts) == (RunState.COMPLETED, 1)


async def test_lease_of_a_silent_run_is_renewed(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=0)
    engine, _other = await process(talk), await process()
    run = await start_run(engine, committed, brand)
    first = await get_run(committed, run)

    now = await run_when(
        committed, run, lambda now: now.lease_until != first.lease_until
    )

    assert (now.epoch, now.owner) == (1, engine.holder.id)


async def test_kinds_that_nobody_knows_are_left_alone(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    run = await make_run(committed, brand, kind="tests.other")

    taken = await engine.take_over()

    assert (taken, (await get_run(committed, run)).state) == (0, RunState.PENDING)
