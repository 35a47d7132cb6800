"""Streams are cut and resumed anywhere: nothing is missing and nothing comes twice."""

import asyncio
from uuid import UUID

import pytest
from tests.factories.runs import make_run, start_run
from tests.runs.conftest import Process
from tests.runs.scripted import (
    COUNT,
    TEXT,
    Talk,
    all_of,
    first_of,
    numbers_of,
    text_of,
)

from dossier.core.database import Engine, SessionFactory
from dossier.core.models import new_id
from dossier.runs.constants import RESERVED_BLOCK
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.service import RunContext, RunEvent


@pytest.mark.parametrize("resumes_elsewhere", [False, True])
async def test_finished_stream_is_resumed_at_every_event(
    process: Process,
    committed: SessionFactory,
    brand: UUID,
    resumes_elsewhere: bool,  # noqa: FBT001 - a table
) -> None:
    engine = await process()
    other = await process() if resumes_elsewhere else engine
    run = await start_run(engine, committed, brand)
    whole = await all_of(engine.follow(brand, run.id))

    resumed = [
        whole[:cut] + await all_of(other.follow(brand, run.id, cut))
        for cut in range(COUNT + 1)
    ]

    assert resumed == [whole] * (COUNT + 1)


@pytest.mark.parametrize("resumes_elsewhere", [False, True])
async def test_running_stream_is_cut_and_resumed_at_every_event(
    process: Process,
    committed: SessionFactory,
    brand: UUID,
    resumes_elsewhere: bool,  # noqa: FBT001 - a table
) -> None:
    async def read(cut: int) -> None:
        head = await first_of(engine, brand, run.id, cut)
        readers[cut] = head + await all_of(other.follow(brand, run.id, cut))

    talk = Talk(pause_at=6)
    engine = await process(talk)
    other = await process() if resumes_elsewhere else engine
    run = await start_run(engine, committed, brand)
    readers: dict[int, list[RunEvent]] = {}

    async with asyncio.TaskGroup() as group:
        for cut in range(COUNT + 1):
            group.create_task(read(cut))
        await talk.paused.wait()
        await asyncio.sleep(0.02)
        talk.go.set()
    whole = await all_of(other.follow(brand, run.id))

    assert numbers_of(whole) == list(range(1, COUNT + 1))
    assert readers == dict.fromkeys(range(COUNT + 1), whole)


async def test_events_are_shown_before_they_are_stored(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process(Talk(pause_at=3), batch_ms=250, lease_s=10)

    run = await start_run(engine, committed, brand)
    async with asyncio.timeout(0.2):
        events = await first_of(engine, brand, run.id, 4)

    assert numbers_of(events) == [1, 2, 3, 4]


async def test_numbers_beyond_the_reserve_are_shown_once_they_are_reserved(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    count = 3 * RESERVED_BLOCK

    async def burst(context: RunContext) -> None:
        for number in range(count):
            context.emit("delta", {"delta": str(number)})
        await go.wait()
        await context.finish("response.completed", {})

    go = asyncio.Event()
    engine, other = await process(burst), await process()

    run = await start_run(engine, committed, brand)
    shown = await first_of(engine, brand, run.id, count)
    elsewhere = await first_of(other, brand, run.id, count)
    go.set()

    assert numbers_of(shown) == list(range(1, count + 1))
    assert elsewhere == shown


async def test_slow_reader_finds_in_the_log_what_has_left_memory(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    async def chatter(context: RunContext) -> None:
        for round_ in range(10):
            for number in range(200):
                context.emit("delta", {"delta": f"{round_}.{number} "})
            await asyncio.sleep(0.015)
        await context.finish("response.completed", {})

    engine = await process(chatter)
    run = await start_run(engine, committed, brand)
    events = await first_of(engine, brand, run.id, 3)

    with engine.following(brand, run.id, 3) as follower:
        await engine.wait(brand, run.id, 5)
        while not follower.has_ended:
            events += await follower.next()

    assert numbers_of(events) == list(range(1, 2002))


async def test_readers_who_vanish_leave_nothing_behind(
    process: Process, committed: SessionFactory, brand: UUID, pool: Engine
) -> None:
    async def read() -> None:
        await all_of(engine.follow(brand, run.id))

    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()

    readers = [asyncio.create_task(read()) for _ in range(200)]
    await asyncio.sleep(0.01)
    taken = pool.pool.checkedout()  # type: ignore[attr-defined]  # of the queue pool
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    talk.go.set()
    ended = await engine.wait(brand, run.id, 5)

    assert taken <= 2  # of the writer and the watch over leases, never of readers
    assert not engine.has_readers(run.id)
    assert ended.result == {"text": TEXT}


async def test_reader_elsewhere_follows_live(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine, other = await process(talk), await process()
    run = await start_run(engine, committed, brand)

    head = await first_of(other, brand, run.id, 7)
    talk.go.set()
    tail = await all_of(other.follow(brand, run.id, 7))

    assert text_of(head + tail) == TEXT
    assert numbers_of(head + tail) == list(range(1, COUNT + 1))


async def test_run_of_another_organisation_is_not_followed(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    run = await make_run(committed, brand, kind="tests.other")

    with pytest.raises(RunNotFoundError):
        await all_of(engine.follow(new_id(), run.id))
