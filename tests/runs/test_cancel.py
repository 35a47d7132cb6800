"""Cancelling, from anywhere."""

import asyncio
from uuid import UUID

import pytest
from tests.factories.runs import (
    expire_lease,
    get_run,
    kill,
    make_run,
    run_when,
    start_run,
)
from tests.runs.conftest import Notes, Process
from tests.runs.scripted import TEXT, WORDS, Talk, add_note, all_of, text_of

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.runs.constants import FINISHED, RunState
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.models import Run
from dossier.runs.service import RunContext, RunKind, RunsService


async def cancel(sessions: SessionFactory, run: Run) -> Run:
    async with tenant_transaction(sessions, run.org_id) as session:
        return await RunsService(session, Actor.system(run.org_id)).cancel(run.id)


async def test_running_executor_is_stopped_wherever_it_runs(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine, other = await process(talk, lease_s=60), await process(lease_s=60)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()

    asked = await cancel(committed, run)  # on no engine: any process may be asked
    async with asyncio.timeout(1):
        await talk.stopped.wait()
        events = await all_of(other.follow(brand, run.id))

    ended = await get_run(committed, run)
    assert asked.state is RunState.CANCELLING
    assert ended.state is RunState.CANCELLED
    assert text_of(events) == "".join(WORDS[:6])
    assert (events[-1].type, events[-1].data["reason"]) == (
        "response.incomplete",
        "cancelled",
    )


async def test_cancel_is_noticed_although_nobody_was_told(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()
    await engine._news.listener.close()  # noqa: SLF001 - deaf

    await cancel(committed, run)
    ended = await run_when(committed, run, lambda now: now.state in FINISHED)

    assert ended.state is RunState.CANCELLED


async def test_executor_may_keep_what_it_has_when_it_is_cancelled(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    async def execute(context: RunContext) -> None:
        async def write(session: Session) -> None:
            await add_note(session, brand, "half")

        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await context.finish(
                "response.incomplete", {"reason": "cancelled"}, write, state="cancelled"
            )
            raise

    started = asyncio.Event()
    engine = await process(execute)
    run = await start_run(engine, committed, brand)
    await started.wait()

    await cancel(committed, run)
    ended = await engine.wait(brand, run.id, 5)

    assert ended.state is RunState.CANCELLED
    assert await notes() == ["half"]


async def test_run_without_a_living_owner_is_cancelled_by_another(
    process: Process, committed: SessionFactory, brand: UUID, notes: Notes
) -> None:
    async def on_end(session: Session, run: Run) -> None:
        await add_note(session, run.org_id, run.state)

    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()
    await kill(engine)
    await cancel(committed, run)

    await expire_lease(committed, run)
    other = await process(RunKind(Talk(), on_end))
    events = await all_of(other.follow(brand, run.id))

    assert events[-1].type == "response.incomplete"
    assert (await get_run(committed, run)).state is RunState.CANCELLED
    assert await notes() == ["cancelled"]


async def test_run_that_waits_is_cancelled_at_once(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    run = await make_run(committed, brand, kind="tests.other")
    reader = asyncio.create_task(all_of(engine.follow(brand, run.id)))
    await asyncio.sleep(0)

    asked = await cancel(committed, run)
    events = await reader

    assert asked.state is RunState.CANCELLED
    assert [(event.sequence_number, event.type) for event in events] == [
        (1, "response.incomplete")
    ]
    assert events[0].data["response"] == {
        "id": str(run.id),
        "object": "response",
        "status": "incomplete",
        "incomplete_details": {"reason": "cancelled"},
    }


async def test_asking_again_changes_nothing(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    await talk.paused.wait()

    first = await cancel(committed, run)
    second = await cancel(committed, run)
    await engine.wait(brand, run.id, 5)
    third = await cancel(committed, run)

    assert first.cancel_requested_at is not None
    assert third.cancel_requested_at == first.cancel_requested_at
    assert second.state in {RunState.CANCELLING, RunState.CANCELLED}
    assert third.state is RunState.CANCELLED


async def test_what_is_over_stays_as_it_is(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    run = await start_run(engine, committed, brand)
    await engine.wait(brand, run.id, 5)

    asked = await cancel(committed, run)

    assert (asked.state, asked.result) == (RunState.COMPLETED, {"text": TEXT})


async def test_end_that_comes_before_the_wish_is_the_end(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    async def execute(context: RunContext) -> None:
        await cancel(committed, context.run)
        await context.finish("response.completed", {})

    engine = await process(execute, lease_s=60, batch_ms=250)
    run = await start_run(engine, committed, brand)
    ended = await engine.wait(brand, run.id, 5)

    assert ended.state in {RunState.COMPLETED, RunState.CANCELLED}
    [last] = await all_of(engine.follow(brand, run.id))
    assert (ended.state is RunState.COMPLETED) == (last.type == "response.completed")


async def test_run_of_another_organisation_is_not_cancelled(
    committed: SessionFactory, brand: UUID
) -> None:
    run = await make_run(committed, brand, kind="tests.other")
    stranger = new_id()

    async with tenant_transaction(committed, stranger) as session:
        service = RunsService(session, Actor.system(stranger))
        with pytest.raises(RunNotFoundError):
            await service.cancel(run.id)
