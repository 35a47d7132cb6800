"""An end that is near is written with the row of its run; a later one by itself."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from tests.factories.runs import get_run
from tests.runs.conftest import Notes, Process
from tests.runs.scripted import all_of, numbers_of

from dossier.core.creates import Creates, create_for
from dossier.core.database import SessionFactory
from dossier.core.reads import Statements
from dossier.core.tenancy import Actor
from dossier.runs.constants import RunState
from dossier.runs.models import Run
from dossier.runs.service import Joint, Quick, RunContext, RunEngine, add_run

DONE = "response.completed"
SOON_S = 2.0


@dataclass
class Handed:
    """What goes with the run to its executor."""

    joint: Joint | None


class Noter:
    """Ends with a note, at once or when it is let."""

    def __init__(self, go: asyncio.Event | None = None) -> None:
        self._go = go

    async def __call__(self, context: RunContext) -> None:
        async def write(statements: Statements) -> None:
            sql = "insert into runs_notes (org_id, note) values ($1, $2)"
            await statements(sql, context.org_id, DONE)

        context.emit("response.created", {})
        if self._go is not None:
            context.takes_longer()
            await self._go.wait()
        await context.finish(DONE, {}, Quick(write))


def begun(
    engine: RunEngine, committed: SessionFactory, brand: UUID
) -> tuple[Creates, Run]:
    actor = Actor.system(brand)
    creates = create_for(committed, actor)
    run = add_run(
        creates, actor, "tests.talk", input={}, subject_id=None, holder=engine.holder
    )
    return creates, run


async def test_end_that_is_near_is_written_with_the_row(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine, joint = await process(Noter()), Joint()
    creates, run = begun(engine, committed, brand)

    tell = engine.adopt_early(run, Handed(joint))
    end = await joint.end(SOON_S)
    is_stored = await creates.store(None, end)
    stored = await get_run(committed, run)  # before anybody here was told
    joint.tell(is_stored)
    tell(is_stored)

    assert end is not None
    assert stored.state is RunState.COMPLETED
    assert (await engine.wait(brand, run.id, 5)).state is RunState.COMPLETED
    assert await notes() == [DONE]
    for after in (0, 1):
        events = await all_of(engine.follow(brand, run.id, after))
        assert numbers_of(events) == [1, 2][after:]


async def test_end_that_takes_longer_is_written_by_itself(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    go = asyncio.Event()
    engine, joint = await process(Noter(go)), Joint()
    creates, run = begun(engine, committed, brand)

    tell = engine.adopt_early(run, Handed(joint))
    end = await joint.end(SOON_S)
    is_stored = await creates.store(None, end)
    joint.tell(is_stored)
    tell(is_stored)
    go.set()

    assert end is None
    assert (await engine.wait(brand, run.id, 5)).state is RunState.COMPLETED
    assert await notes() == [DONE]
    assert numbers_of(await all_of(engine.follow(brand, run.id))) == [1, 2]


async def test_end_whose_row_does_not_come_to_stand_is_no_end(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine, joint = await process(Noter()), Joint()
    _, run = begun(engine, committed, brand)

    tell = engine.adopt_early(run, Handed(joint))
    assert await joint.end(SOON_S) is not None
    joint.tell(False)  # noqa: FBT003 - as the engine asks for it
    tell(False)  # noqa: FBT003 - as above
    await engine.close()

    assert await notes() == []
    assert run.state is RunState.PROCESSING


async def test_end_that_nobody_waits_for_any_more_comes_too_late() -> None:
    joint = Joint()

    async def write(_statements: Statements) -> None:
        """Write nothing."""

    assert await joint.end(0) is None
    assert not await joint.join(write)
