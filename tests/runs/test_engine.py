"""One process: a run is started, followed, ended."""

from uuid import UUID

from tests.factories.runs import get_run, start_run
from tests.runs.conftest import Process
from tests.runs.scripted import TEXT, numbers_of, text_of

from dossier.core.database import SessionFactory
from dossier.runs.constants import RunState


async def test_run_streams_its_events_and_completes(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()

    run = await start_run(engine, committed, brand)
    events = [event async for event in engine.follow(brand, run.id)]

    assert numbers_of(events) == list(range(1, 15))
    assert (text_of(events), events[-1].type) == (TEXT, "response.completed")
    ended = await get_run(committed, run)
    assert (ended.state, ended.result) == (RunState.COMPLETED, {"text": TEXT})
