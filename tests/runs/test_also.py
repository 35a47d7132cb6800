"""What is written with the end of a run is written, whatever becomes of the run."""

import asyncio
from uuid import UUID

import pytest
from tests.factories.runs import get_run
from tests.runs.conftest import Notes, Process

from dossier.core.creates import create_for
from dossier.core.database import SessionFactory
from dossier.core.reads import Statements
from dossier.core.tenancy import Actor
from dossier.runs.constants import RunState
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.models import Run
from dossier.runs.service import RunContext, RunEngine, add_run

PAID = "paid"


class Payer:
    """Has something written with the end, and ends or not."""

    def __init__(self, *, fails: bool = False) -> None:
        self._fails = fails

    async def __call__(self, context: RunContext) -> None:
        async def write(statements: Statements) -> None:
            sql = "insert into runs_notes (org_id, note) values ($1, $2)"
            await statements(sql, context.org_id, PAID)

        context.also(write)
        if self._fails:
            raise ValueError(PAID)
        await context.finish("response.completed", {})


async def started(
    engine: RunEngine, committed: SessionFactory, brand: UUID, *, is_stored: bool
) -> Run:
    actor = Actor.system(brand)
    creates = create_for(committed, actor)
    run = add_run(
        creates, actor, "tests.talk", input={}, subject_id=None, holder=engine.holder
    )
    tell = engine.adopt_early(run)
    await asyncio.sleep(0.02)
    if is_stored:
        await creates.store()
    tell(is_stored)
    return run


async def test_it_is_written_with_the_end(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine = await process(Payer())

    run = await started(engine, committed, brand, is_stored=True)

    assert (await engine.wait(brand, run.id, 5)).state is RunState.COMPLETED
    assert await notes() == [PAID]


async def test_it_is_written_with_the_end_of_a_run_that_failed(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine = await process(Payer(fails=True))

    run = await started(engine, committed, brand, is_stored=True)

    assert (await engine.wait(brand, run.id, 5)).state is RunState.FAILED
    assert (await get_run(committed, run)).state is RunState.FAILED
    assert await notes() == [PAID]


async def test_it_is_written_where_the_run_comes_to_no_end(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    engine = await process(Payer())

    run = await started(engine, committed, brand, is_stored=False)

    with pytest.raises(RunNotFoundError):
        await engine.wait(brand, run.id, 2)
    await engine.close()
    assert await notes() == [PAID]
