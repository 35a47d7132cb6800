"""The runner of one attempt: finished steps are read from the journal, others run.

A step is a function of its inputs. Its output is written, on condition of the job's
lease, before anything depends on it; so a later attempt repeats no finished step, and
at most the calls that were under way when a worker died are paid again.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from dossier.ai.service.cache import cache_key
from dossier.ai.service.prompts import load_prompt
from dossier.ai.service.usage import RunUsage, usage_of_run
from dossier.core.clock import now
from dossier.core.database import tenant_transaction
from dossier.core.models import new_id
from dossier.core.reconnect import retry_until_connected
from dossier.integrations.tracing.models import Tracer
from dossier.jobs.context import JobContext
from dossier.workflows import gateway
from dossier.workflows.constants import (
    JOB_PREFIX,
    MAX_PARALLEL,
    PROGRESS,
    STEP_COMPLETE,
)
from dossier.workflows.exceptions import RunBudgetReachedError, RunSuspended
from dossier.workflows.metrics import STEP_SECONDS
from dossier.workflows.models import WorkflowStep
from dossier.workflows.schemas import RunBudget
from dossier.workflows.types import (
    RunDecision,
    StepContext,
    WorkflowKind,
    WorkflowServices,
)

I_contra = TypeVar("I_contra", contravariant=True)
O = TypeVar("O")  # noqa: E741 - the output of a step
StepFunction = Callable[[StepContext, I_contra], Awaitable[O]]
Key = tuple[str, int]
"""Name and occurrence of a step."""


class WorkflowRunner:
    """What the function of a kind gets: it runs steps, waits, and knows the budget."""

    def __init__(
        self,
        ctx: JobContext,
        kind: WorkflowKind,
        services: WorkflowServices,
        budget: RunBudget,
        steps: Sequence[WorkflowStep],
        *,
        announced: set[Key],
        clock: Callable[[], datetime],
        tracer: Tracer,
    ) -> None:
        self.ctx = ctx
        self.kind = kind
        self.services = services
        self.stop_reason = "completed"
        """Why the run ended; a kind sets another reason."""
        self._budget = budget
        self._journal = {(each.name, each.occurrence): each for each in steps}
        self._announced = announced
        self._clock = clock
        self._tracer = tracer
        self._occurrences: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(MAX_PARALLEL)
        self._journal_lock = asyncio.Lock()

    @property
    def has_model(self) -> bool:
        """Return whether a model can be asked."""
        return self.services.model is not None

    async def step(
        self,
        name: str,
        function: StepFunction[I_contra, O],
        inputs: I_contra,
        *,
        prompt: str | None = None,
        key: str = "",
    ) -> O:
        """Return the output of a step, from the journal if it was finished before.

        Calls of one name are told apart by their order; those that run side by side, in
        branches with several steps, by `key`. Raises `RunBudgetReachedError` instead of
        running a step that the budget does not allow.
        """
        name = f"{name}[{key}]" if key else name
        self._occurrences[name] += 1
        place = name, self._occurrences[name]
        output = TypeAdapter(get_type_hints(function)["return"])
        fingerprint = await self._fingerprint(name, inputs, prompt)
        found = self._journal.get(place)
        if found is not None and found.fingerprint == fingerprint:
            self._announce(place, found.duration_ms, is_replayed=True)
            stored: O = output.validate_python(found.output["value"])
            return stored
        async with self._slots:
            if found is not None:
                await self._supersede(found)
            await self._check_budget()
            step = await self._run(place, function, inputs, output, fingerprint, prompt)
            await retry_until_connected(lambda: self._write(step))
        self._announce(place, step.duration_ms, is_replayed=False)
        # What was stored, so that a replay continues with exactly the same.
        result: O = output.validate_python(step.output["value"])
        return result

    async def _run(
        self,
        place: Key,
        function: StepFunction[I_contra, O],
        inputs: I_contra,
        output: TypeAdapter[Any],
        fingerprint: str,
        prompt: str | None,
    ) -> WorkflowStep:
        """Run a step, and return the journal's row of it."""
        name, kind = place[0].partition("[")[0], self.kind.name
        context = StepContext(
            self.services,
            self.ctx.actor,
            self.ctx.job_id,
            f"{JOB_PREFIX}{kind}.{name}",
            prompt,
        )
        attributes = {
            "gen_ai.operation.name": "invoke_workflow_step",
            "dossier.workflow": kind,
            "dossier.step": place[0],
            "dossier.run_id": str(self.ctx.job_id),
        }
        started_s = time.monotonic()
        outcome = "failed"
        try:
            with self._tracer.span(f"step {name}", attributes):
                value = await function(context, inputs)
            outcome = "completed"
        finally:
            elapsed_s = time.monotonic() - started_s
            STEP_SECONDS.labels(kind, name, outcome).observe(elapsed_s)
        return WorkflowStep(
            org_id=self.ctx.org_id,
            run_id=self.ctx.job_id,
            name=place[0],
            occurrence=place[1],
            fingerprint=fingerprint,
            output={"value": output.dump_python(value, mode="json")},
            usage={
                "prompt": load_prompt(prompt).label if prompt else None,
                "fetches": context.fetches,
                "source_answers": context.answer_ids,
            },
            attempt=self.ctx.job.attempts,
            duration_ms=round(elapsed_s * 1000),
        )

    async def parallel(self, *steps: Coroutine[Any, Any, O]) -> list[O]:
        """Run steps side by side, a few at a time; a failure ends the others."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(each) for each in steps]
        except ExceptionGroup as failed:
            raise _first_of(failed) from failed
        return [task.result() for task in tasks]

    async def approval(self, name: str, payload: BaseModel) -> RunDecision:
        """Return a person's decision; until there is one, the run waits for it."""
        self._occurrences[name] += 1
        place = name, self._occurrences[name]
        found = self._journal.get(place)
        if found is None:
            shown = payload.model_dump(mode="json")
            raise RunSuspended({"step": name, "occurrence": place[1], "payload": shown})
        self._announce(place, found.duration_ms, is_replayed=True)
        return RunDecision.model_validate(found.output["value"])

    async def wait_until(self, instant: datetime) -> None:
        """Return at once after an instant; until then the run waits in the queue."""
        if self._clock() < instant:
            raise RunSuspended(None, until=instant)

    def progress(self, message: str, **data: Any) -> None:
        """Tell those who follow the run how far it is."""
        self.ctx.emit(PROGRESS, {"message": message, **data})

    async def usage(self) -> RunUsage:
        """Return what the run has paid for so far."""
        async with tenant_transaction(self.ctx.sessions, self.ctx.org_id) as session:
            return await usage_of_run(session, self.ctx.org_id, self.ctx.job_id)

    async def _fingerprint(self, name: str, inputs: Any, prompt: str | None) -> str:
        model: list[str] = []
        labels: list[str] = []
        if prompt is not None:
            loaded = load_prompt(prompt)
            labels = [loaded.label, loaded.sha256]
            model = await self.services.model_names()
        return cache_key(
            org_id=self.ctx.org_id,
            kind=[self.kind.name, self.kind.version],
            step=name,
            prompt=labels,
            model=model,
            inputs=to_jsonable_python(inputs),
        )

    async def _check_budget(self) -> None:
        budget = self._budget
        async with tenant_transaction(self.ctx.sessions, self.ctx.org_id) as session:
            used = await usage_of_run(session, self.ctx.org_id, self.ctx.job_id)
            fetches = await gateway.count_fetches_for_org(
                session, self.ctx.org_id, self.ctx.job_id
            )
        begun = self.ctx.job.started_at or self._clock()
        spent: dict[str, Any] = {
            "requests": used.requests,
            "tokens": used.tokens,
            "usd": used.usd,
            "seconds": (self._clock() - begun).total_seconds(),
            "fetches": fetches,
        }
        for name, amount in spent.items():
            cap = getattr(budget, name)
            # A price that is not known cannot be held against a cap: stop.
            if cap is not None and (amount is None or amount >= cap):
                message = f"{name}: {amount} of {cap}"
                raise RunBudgetReachedError(message)

    async def _write(self, step: WorkflowStep) -> None:
        # One transaction at a time, so that side-by-side steps never deadlock.
        async with (
            self._journal_lock,
            tenant_transaction(self.ctx.sessions, self.ctx.org_id) as session,
        ):
            await self.ctx.hold(session)
            await gateway.add_step(session, step)

    async def _supersede(self, first: WorkflowStep) -> None:
        """Set aside a step whose inputs or rules changed, and what came after it."""
        async with tenant_transaction(self.ctx.sessions, self.ctx.org_id) as session:
            await self.ctx.hold(session)
            await gateway.supersede_steps_for_org(
                session, self.ctx.org_id, self.ctx.job_id, first.id
            )
        self._journal = {
            place: each for place, each in self._journal.items() if each.id < first.id
        }

    def _announce(self, place: Key, duration_ms: int, *, is_replayed: bool) -> None:
        if place in self._announced:
            return
        self._announced.add(place)
        data = {
            "step": place[0],
            "occurrence": place[1],
            "duration_ms": duration_ms,
            "replayed": is_replayed,
        }
        self.ctx.emit(STEP_COMPLETE, data)


def _first_of(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that decides: a wait or a budget after all other failures."""
    leaves = [
        _first_of(each) if isinstance(each, BaseExceptionGroup) else each
        for each in failed.exceptions
    ]
    ends = (RunSuspended, RunBudgetReachedError)
    return next((each for each in leaves if not isinstance(each, ends)), leaves[0])


def decision_step(
    run_id: Any, org_id: Any, waiting_for: dict[str, Any], decision: RunDecision
) -> WorkflowStep:
    """Return the journal's row of a person's decision."""
    return WorkflowStep(
        id=new_id(),
        created_at=now(),
        org_id=org_id,
        run_id=run_id,
        name=waiting_for["step"],
        occurrence=waiting_for["occurrence"],
        fingerprint="",
        output={"value": decision.model_dump(mode="json")},
        usage={"fetches": 0},
        attempt=0,
        duration_ms=0,
    )
