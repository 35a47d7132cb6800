"""Runs survive what befalls their worker: finished steps are never repeated."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import BaseModel
from tests.workflows.conftest import Runs

from dossier.core.database import tenant_transaction
from dossier.core.errors import UpstreamError
from dossier.jobs import kinds as job_kinds
from dossier.workflows import gateway
from dossier.workflows.exceptions import (
    RunBudgetReachedError,
    WorkflowNotWaitingError,
    WorkflowRejectedError,
    WorkflowStepUnknownError,
)
from dossier.workflows.journal import WorkflowRunner
from dossier.workflows.kinds import KINDS, register
from dossier.workflows.schemas import RunBudget, WorkflowInputs
from dossier.workflows.types import StepContext, WorkflowKind

calls: Counter[str] = Counter()
gates: dict[str, asyncio.Event] = {}
started: dict[str, asyncio.Event] = {}
faults: dict[str, list[Exception]] = {}


class Inputs(WorkflowInputs):
    topic: str = "cream"
    approves: bool = False
    wakes_at: datetime | None = None


class Word(BaseModel):
    text: str


class Words(BaseModel):
    texts: list[str]


async def write(step: StepContext, wanted: Word) -> Word:
    """Write a word, once its gate is open; count how often."""
    del step
    calls[wanted.text] += 1
    if wanted.text in started:
        started[wanted.text].set()
    if faults.get(wanted.text):
        raise faults[wanted.text].pop()
    if wanted.text in gates:
        await gates[wanted.text].wait()
    return Word(text=wanted.text.upper())


async def run_steps(run: WorkflowRunner, inputs: Inputs) -> Words:
    texts: list[str] = []
    try:
        for name in ("one", "two", "three"):
            written = await run.step(name, write, Word(text=name))
            texts += [written.text]
        side = await run.parallel(
            *(
                run.step("side", write, Word(text=f"side{n}"), key=f"{n}")
                for n in (1, 2)
            )
        )
        texts += [each.text for each in side]
        if inputs.wakes_at is not None:
            await run.wait_until(inputs.wakes_at)
        if inputs.approves:
            decision = await run.approval("look", Words(texts=texts))
            if not decision.is_approved:
                raise WorkflowRejectedError(decision.comment)
        texts.append((await run.step("last", write, Word(text="last"))).text)
    except RunBudgetReachedError:
        run.stop_reason = "budget"
    return Words(texts=texts)


ALL = ["ONE", "TWO", "THREE", "SIDE1", "SIDE2", "LAST"]
NAMES = ["one", "two", "three", "side1", "side2", "last"]


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    register(
        WorkflowKind(
            name="tested",
            version=1,
            inputs=Inputs,
            result=Words,
            run=run_steps,
            markdown=lambda result: " ".join(result.texts) + "\n",
        )
    )
    for each in (calls, gates, started, faults):
        each.clear()
    yield
    del KINDS["tested"]
    del job_kinds._KINDS["workflow.tested"]  # noqa: SLF001 - kinds are for ever elsewhere


def hold(name: str) -> asyncio.Event:
    """Make a step wait; return the event that it has begun."""
    gates[name], started[name] = asyncio.Event(), asyncio.Event()
    return started[name]


async def test_steps_run_in_order_and_are_told_by_events(runs: Runs) -> None:
    run_id = await runs.start("tested", Inputs())
    async with runs.working():
        run = await runs.ended(run_id)

    assert (run["status"], run["stop_reason"]) == ("completed", "completed")
    assert run["result"] == {"texts": ALL}
    events = await runs.events(run_id)
    assert [each.type for each in events] == [
        "start",
        *["step_complete"] * 6,
        "complete",
    ]
    assert [each.sequence_number for each in events] == list(range(1, 9))


@pytest.mark.parametrize("name", NAMES)
async def test_lost_worker_repeats_only_the_step_that_was_under_way(
    runs: Runs, name: str
) -> None:
    begun = hold(name)
    run_id = await runs.start("tested", Inputs())
    async with runs.working() as stop:
        async with asyncio.timeout(10):
            await begun.wait()
        stop.set()  # gives the run back, as another worker takes it from a lost one
    gates.clear()
    async with runs.working():
        run = await runs.ended(run_id)

    assert run["status"] == "completed"
    assert run["result"] == {"texts": ALL}
    repeated = {each for each, count in calls.items() if count > 1}
    assert repeated <= ({"side1", "side2"} if name.startswith("side") else {name})
    events = await runs.events(run_id)
    told = [e.data["step"] for e in events if e.type == "step_complete"]
    assert sorted(told) == ["last", "one", "side[1]", "side[2]", "three", "two"]


@pytest.mark.parametrize("name", ["one", "two", "side1", "last"])
async def test_run_is_cancelled_in_the_middle_of_a_step(runs: Runs, name: str) -> None:
    begun = hold(name)
    run_id = await runs.start("tested", Inputs())
    async with runs.working():
        async with asyncio.timeout(10):
            await begun.wait()
        await runs.act(lambda service: service.cancel(run_id))
        run = await runs.ended(run_id, timeout_s=3)

    assert run["status"] == "cancelled"
    assert (await runs.events(run_id))[-1].type == "error"


async def test_fault_of_another_system_is_tried_again_from_the_step(runs: Runs) -> None:
    faults["three"] = [UpstreamError("away"), UpstreamError("away")]
    run_id = await runs.start("tested", Inputs())
    async with runs.working():
        run = await runs.ended(run_id)

    assert run["status"] == "completed"
    assert calls == Counter(NAMES) + Counter({"three": 2})


async def test_our_own_fault_fails_the_run_with_its_problem(runs: Runs) -> None:
    faults["two"] = [ValueError("no")]
    run_id = await runs.start("tested", Inputs())
    async with runs.working():
        run = await runs.ended(run_id)

    assert run["status"] == "failed"
    assert run["error"]["status"] == 500
    assert (await runs.events(run_id))[-1].type == "error"


async def test_waiting_run_holds_no_attempt_and_continues_when_approved(
    runs: Runs,
) -> None:
    run_id = await runs.start("tested", Inputs(approves=True))
    async with runs.working():
        waiting = await runs.until(run_id, "waiting")
    assert waiting["waiting_for"] == {"step": "look", "payload": {"texts": ALL[:-1]}}

    await runs.act(
        lambda service: service.decide(run_id, is_approved=True, comment="fine")
    )
    async with runs.working():  # another worker, after a restart
        run = await runs.ended(run_id)

    assert run["status"] == "completed"
    assert calls == Counter(NAMES)
    with pytest.raises(WorkflowNotWaitingError):
        await runs.act(
            lambda service: service.decide(run_id, is_approved=True, comment="")
        )


async def test_rejected_run_fails_with_the_comment(runs: Runs) -> None:
    run_id = await runs.start("tested", Inputs(approves=True))
    async with runs.working():
        await runs.until(run_id, "waiting")
        await runs.act(
            lambda service: service.decide(run_id, is_approved=False, comment="No.")
        )
        run = await runs.ended(run_id)

    assert run["status"] == "failed"
    assert run["error"]["code"] == "workflow_rejected"
    assert run["error"]["detail"] == "No."


async def test_run_waits_for_an_instant_in_the_queue(runs: Runs) -> None:
    day = datetime(2026, 12, 1, tzinfo=UTC)
    runs.clock.append(day)
    wakes_at = day + timedelta(seconds=0.3)
    run_id = await runs.start("tested", Inputs(wakes_at=wakes_at))
    async with runs.working():
        async with asyncio.timeout(10):
            while calls["side2"] == 0:  # noqa: ASYNC110 - a test
                await asyncio.sleep(0.01)
        await runs.until(run_id, "pending")
        runs.clock[0] = day + timedelta(days=1)
        run = await runs.ended(run_id)

    assert run["status"] == "completed"
    assert calls == Counter(NAMES)


async def test_retry_from_a_step_keeps_those_before_it(runs: Runs) -> None:
    run_id = await runs.start("tested", Inputs())
    async with runs.working():
        await runs.ended(run_id)
        await runs.act(lambda service: service.retry(run_id, "three"))
        run = await runs.ended(run_id)

    assert run["status"] == "completed"
    assert calls["one"] == calls["two"] == 1
    assert calls["three"] == calls["last"] == 2
    events = await runs.events(run_id)
    assert [each.type for each in events][:2] == ["run.restarted", "start"]
    with pytest.raises(WorkflowStepUnknownError, match="finished: one"):
        await runs.act(lambda service: service.retry(run_id, "four"))
    async with tenant_transaction(runs.database.sessions, runs.actor.org_id) as session:
        steps = await gateway.list_steps_for_org(session, runs.actor.org_id, run_id)
    assert len(steps) == 6


@pytest.mark.parametrize(
    ("seconds", "finished"), [(0, 0), (1, 1)], ids=["at once", "after a step"]
)
async def test_run_over_its_budget_ends_with_what_there_is(
    runs: Runs, seconds: int, finished: int
) -> None:
    begun = hold("one")
    day = datetime.now(UTC)
    runs.clock.append(day)
    run_id = await runs.start("tested", Inputs(budget=RunBudget(seconds=60)))
    if not seconds:
        runs.clock[0] = day + timedelta(seconds=120)
        gates.clear()
    async with runs.working():
        if seconds:
            async with asyncio.timeout(10):
                await begun.wait()
            runs.clock[0] = day + timedelta(seconds=120)
            gates["one"].set()
        run = await runs.ended(run_id)

    assert (run["status"], run["stop_reason"]) == ("completed", "budget")
    assert run["result"] == {"texts": ALL[:finished]}


async def test_same_run_is_answered_from_the_cache(runs: Runs) -> None:
    first = await runs.start("tested", Inputs())
    async with runs.working():
        await runs.ended(first)
        again = await runs.start("tested", Inputs())
        run = await runs.ended(again)
        fresh = await runs.start("tested", Inputs(no_cache=True))
        anew = await runs.ended(fresh)

    assert run["cache"]["hit"] is True
    assert run["result"] == {"texts": ALL}
    assert [each.type for each in await runs.events(again)] == [
        "start",
        "cache_hit",
        "complete",
    ]
    assert anew["cache"]["hit"] is False
    assert calls["one"] == 2


async def test_many_waiting_runs_hold_up_no_other(runs: Runs) -> None:
    waiting = [
        await runs.start("tested", Inputs(topic=f"t{n}", approves=True, no_cache=True))
        for n in range(20)
    ]
    async with runs.working():
        for each in waiting:
            await runs.until(each, "waiting")
        run_id = await runs.start("tested", Inputs())
        run = await runs.ended(run_id)

    assert run["status"] == "completed"


async def test_run_of_another_organisation_is_not_found(runs: Runs) -> None:
    answer = await runs.client.get(f"/api/v1/workflows/{UUID(int=7)}")

    assert answer.status_code == 404
