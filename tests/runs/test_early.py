"""A run that begins while its row is still being written."""

import asyncio
from uuid import UUID

import pytest
from tests.factories.runs import get_run
from tests.runs.conftest import Process
from tests.runs.scripted import COUNT, all_of, numbers_of

from dossier.core.creates import create_for
from dossier.core.database import SessionFactory
from dossier.core.tenancy import Actor
from dossier.runs.constants import RunState
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.service import add_run


async def test_nothing_is_shown_before_the_row_stands_and_all_of_it_after(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    actor = Actor.system(brand)
    creates = create_for(committed, actor)
    run = add_run(
        creates, actor, "tests.talk", input={}, subject_id=None, holder=engine.holder
    )

    tell = engine.adopt_early(run, handed="what was read")
    with engine.following(brand, run.id) as follower:
        looking = asyncio.ensure_future(follower.next())
        await asyncio.sleep(0.1)  # the executor has long said all that it has to say
        assert not looking.done() or looking.result() == []
        looking.cancel()
    await creates.store()
    tell(True)  # noqa: FBT003 - as the engine asks for it

    events = await all_of(engine.follow(brand, run.id))
    assert numbers_of(events) == list(range(1, COUNT + 1))
    assert (await get_run(committed, run)).state is RunState.COMPLETED


async def test_run_whose_row_does_not_come_to_stand_is_stopped_and_leaves_nothing(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    actor = Actor.system(brand)
    run = add_run(
        create_for(committed, actor),
        actor,
        "tests.talk",
        input={},
        subject_id=None,
        holder=engine.holder,
    )

    tell = engine.adopt_early(run)
    await asyncio.sleep(0.05)
    tell(False)  # noqa: FBT003 - as the engine asks for it
    await asyncio.wait_for(tell.until_left(), 2)
    assert tell.work is not None
    assert tell.work.done()

    with pytest.raises(RunNotFoundError):
        await engine.wait(brand, run.id, 2)
