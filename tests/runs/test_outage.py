"""The database goes away in the middle of a run and comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.factories.runs import (
    get_run,
    kill,
    make_engine,
    run_when,
    start_run,
    until_stored,
)
from tests.runs.cable import Cable
from tests.runs.conftest import Notes, Process
from tests.runs.scripted import (
    COUNT,
    TEXT,
    WORDS,
    Talk,
    all_of,
    first_of,
    numbers_of,
    text_of,
)

from dossier.core.database import SessionFactory, make_sessions, system_transaction
from dossier.core.database import make_engine as make_pool
from dossier.runs.constants import FINISHED, RunState
from dossier.runs.models import Run
from dossier.runs.service import RunEngine

LOCK = text("select 1 from runs where id = :id for update")

FarRun = Callable[[Talk], Awaitable[tuple[RunEngine, Run]]]


@pytest.fixture
async def cable(runs_url: str) -> AsyncIterator[Cable]:
    cable = Cable(runs_url)
    yield cable
    await cable.remove()


@pytest.fixture
async def far_run(cable: Cable, brand: UUID) -> AsyncIterator[FarRun]:
    """Starts a run in a process at the other end of the cable."""
    url = await cable.lay()
    pool = make_pool(url)
    sessions = make_sessions(pool)
    engines: list[RunEngine] = []

    async def begin(talk: Talk) -> tuple[RunEngine, Run]:
        engine = make_engine(sessions, url, {"tests.talk": talk}, lease_s=10)
        engines.append(engine)
        await engine.start()
        return engine, await start_run(engine, sessions, brand)

    yield begin
    for engine in engines:
        await kill(engine)
    await pool.dispose()


async def test_run_goes_on_while_the_database_is_away(
    far_run: FarRun, cable: Cable, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    talk = Talk(pause_at=6)
    engine, run = await far_run(talk)
    seen = await first_of(engine, brand, run.id, 7)

    cable.pull()
    talk.go.set()
    seen += await first_of(engine, brand, run.id, 6, after=7)
    shown_meanwhile = text_of(seen)
    cable.mend()
    seen += await all_of(engine.follow(brand, run.id, 13))

    ended = await get_run(committed, run)
    assert shown_meanwhile == TEXT
    assert numbers_of(seen) == list(range(1, COUNT + 1))
    assert (ended.state, ended.attempts) == (RunState.COMPLETED, 1)
    assert await all_of(engine.follow(brand, run.id)) == seen
    assert await notes() == [TEXT]


async def test_row_that_somebody_has_locked_holds_up_no_other_run(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    locked = await start_run(engine, committed, brand)
    await until_stored(committed, locked, 7)

    async with system_transaction(committed) as session:
        await session.execute(LOCK, {"id": locked.id})
        talk.pause_at = None
        free = await start_run(engine, committed, brand)
        await run_when(committed, free, lambda now: now.state in FINISHED)
        talk.go.set()
        await asyncio.sleep(0.02)
    ended = await engine.wait(brand, locked.id, 5)

    assert (ended.state, ended.attempts) == (RunState.COMPLETED, 1)
    assert await notes() == [TEXT, TEXT]


async def test_end_whose_answer_was_lost_is_written_once(
    far_run: FarRun, cable: Cable, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    talk = Talk(pause_at=6)
    engine, run = await far_run(talk)
    reader = asyncio.create_task(all_of(engine.follow(brand, run.id)))
    await talk.paused.wait()

    cable.lose_commit_of(b"response.completed")
    talk.go.set()
    seen = await reader

    ended = await get_run(committed, run)
    assert cable.lost_commits == [b"response.completed"]
    assert (ended.state, ended.attempts) == (RunState.COMPLETED, 1)
    assert numbers_of(seen) == list(range(1, COUNT + 1))
    assert await notes() == [TEXT]


async def test_events_whose_answer_was_lost_are_stored_once(
    far_run: FarRun, cable: Cable, committed: SessionFactory, brand: UUID
) -> None:
    cable.lose_commit_of(b"word3")
    talk = Talk(pause_at=6)
    engine, run = await far_run(talk)

    await until_stored(committed, run, 7)
    await run_when(committed, run, lambda _: bool(cable.lost_commits))
    talk.go.set()
    await engine.wait(brand, run.id, 5)

    events = await all_of(engine.follow(brand, run.id))
    assert cable.lost_commits == [b"word3"]
    assert text_of(events) == "".join(WORDS)
    assert numbers_of(events) == list(range(1, COUNT + 1))
