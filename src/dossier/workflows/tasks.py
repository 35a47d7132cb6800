"""The handler of every kind of workflow: one attempt of one run."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from dossier.ai.service.cache import AnswerCache, cache_key
from dossier.ai.service.usage import usage_of_run
from dossier.core.clock import now
from dossier.core.database import tenant_transaction
from dossier.core.reconnect import retry_until_connected
from dossier.core.tenancy import Actor
from dossier.integrations.tracing.models import NoTracer, Tracer
from dossier.jobs.context import JobContext
from dossier.jobs.types import JobEvent
from dossier.workflows import gateway
from dossier.workflows.constants import (
    CACHE_HIT,
    COMPLETE,
    JOB_PREFIX,
    PROGRESS,
    START,
    STEP_COMPLETE,
)
from dossier.workflows.exceptions import RunSuspended, WorkflowNotFoundError
from dossier.workflows.journal import WorkflowRunner
from dossier.workflows.kinds import workflow_kind
from dossier.workflows.metrics import RUN_SECONDS
from dossier.workflows.models import WorkflowRun
from dossier.workflows.schemas import RunBudget
from dossier.workflows.types import WorkflowKind, WorkflowServices

logger = logging.getLogger(__name__)


class WorkflowHandler:
    """Runs workflows with the models and sources of its process."""

    def __init__(
        self,
        services: WorkflowServices,
        *,
        clock: Callable[[], datetime] = now,
        tracer: Tracer | None = None,
    ) -> None:
        self._services = services
        self._clock = clock
        self._tracer = tracer or NoTracer()

    async def __call__(self, ctx: JobContext) -> None:
        """Run what the journal does not have yet, and record the outcome."""
        kind = workflow_kind(ctx.job.kind.removeprefix(JOB_PREFIX))
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            run = await gateway.lock_run_for_org(session, ctx.org_id, ctx.job_id)
            steps = await gateway.list_steps_for_org(session, ctx.org_id, ctx.job_id)
        if run is None:
            raise WorkflowNotFoundError(ctx.job_id)
        events = await ctx.stored_events()
        if any(event.type == START for event in events):
            if (
                events[-1].type != PROGRESS
            ):  # the attempt before did not wait: it was lost
                ctx.restarted(events[-1].sequence_number)
        else:
            ctx.emit(START, {"workflow_id": str(run.id), "type": kind.name})
        inputs = kind.inputs.model_validate(run.inputs)
        key = await self._cache_key(kind, run)
        if (
            run.uses_cache
            and not steps
            and await self._answer_from_cache(ctx, run, key)
        ):
            return
        runner = WorkflowRunner(
            ctx,
            kind,
            self._services,
            RunBudget.model_validate(run.budget),
            steps,
            announced=_announced(events),
            clock=self._clock,
            tracer=self._tracer,
        )
        attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.agent.name": kind.name,
            "dossier.run_id": str(run.id),
            "dossier.org_id": str(ctx.org_id),
            "dossier.request_id": ctx.job.request_id,
        }
        try:
            with self._tracer.span(f"workflow {kind.name}", attributes):
                result = await kind.run(runner, inputs)
        except RunSuspended as wait:
            waiting = wait
            await retry_until_connected(lambda: self._suspend(ctx, waiting))
            return
        await retry_until_connected(lambda: self._finish(ctx, runner, result, key))

    async def _finish(
        self, ctx: JobContext, runner: WorkflowRunner, result: BaseModel, key: str
    ) -> None:
        """Store the result with the end of the job."""
        plain = result.model_dump(mode="json")
        reason = runner.stop_reason
        data = {
            "workflow_id": str(ctx.job_id),
            "status": "completed",
            "stop_reason": reason,
        }
        engine = "model" if self._services.model is not None else "rules"
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            if not await ctx.finish(session, last_event=(COMPLETE, data)):
                return
            run = await _locked(ctx, session)
            run.result, run.stop_reason, run.engine = plain, reason, engine
            run.waiting_for = None
            if reason == "completed":
                used = await usage_of_run(session, ctx.org_id, ctx.job_id)
                payload = {
                    "result": plain,
                    "engine": engine,
                    "at": self._clock().isoformat(),
                    "tokens": used.tokens,
                    "usd": None if used.usd is None else str(used.usd),
                }
                cache = AnswerCache(session, ctx.actor, days=self._services.cache_days)
                await cache.replace(key, ctx.job.kind, ctx.job_id, payload, _scope(run))
        self._observe(ctx, runner.kind.name, reason)

    async def _answer_from_cache(
        self, ctx: JobContext, run: WorkflowRun, key: str
    ) -> bool:
        """Finish with the result of an earlier run of the same, if there is one."""
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            cache = AnswerCache(session, ctx.actor, days=self._services.cache_days)
            hit = await cache.find(key)
        if hit is None:
            return False
        stored = hit.payload
        made_at = datetime.fromisoformat(stored["at"])
        saved = {
            "hit": True,
            "age_s": max(0, int((self._clock() - made_at).total_seconds())),
            "saved_tokens": stored["tokens"],
            "saved_cost": stored["usd"],
        }
        ctx.emit(CACHE_HIT, saved)
        data = {
            "workflow_id": str(ctx.job_id),
            "status": "completed",
            "stop_reason": "completed",
        }
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            if await ctx.finish(session, last_event=(COMPLETE, data)):
                locked = await _locked(ctx, session)
                locked.result, locked.stop_reason = stored["result"], "completed"
                locked.engine, locked.cache = stored["engine"], saved
        self._observe(ctx, run.kind, "cached")
        return True

    async def _suspend(self, ctx: JobContext, wait: RunSuspended) -> None:
        """End the attempt: the run waits for a person, or in the queue."""
        data: dict[str, Any] = {"message": "waiting"}
        if wait.waiting_for is not None:
            data["waiting_for"] = wait.waiting_for["step"]
        if wait.until is not None:
            data["until"] = wait.until.isoformat()
        ctx.emit(PROGRESS, data)
        await ctx.close()
        delay = None if wait.until is None else wait.until - self._clock()
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            await ctx.suspend(session, delay)
            run = await _locked(ctx, session)
            run.waiting_for = wait.waiting_for

    async def _cache_key(self, kind: WorkflowKind, run: WorkflowRun) -> str:
        actor = Actor.system(run.org_id)
        return cache_key(
            org_id=run.org_id,
            feature=JOB_PREFIX + kind.name,
            version=kind.version,
            model=await self._services.model_names(),
            corpus_version=await self._services.searcher_of(actor).corpus_version(),
            inputs=run.inputs,
            parameters=run.budget,
        )

    def _observe(self, ctx: JobContext, kind: str, outcome: str) -> None:
        started = ctx.job.started_at
        if started is not None:
            seconds = max(0.0, (self._clock() - started).total_seconds())
            RUN_SECONDS.labels(kind, outcome).observe(seconds)


async def _locked(ctx: JobContext, session: Any) -> WorkflowRun:
    run = await gateway.lock_run_for_org(session, ctx.org_id, ctx.job_id)
    if run is None:
        raise WorkflowNotFoundError(ctx.job_id)
    return run


def _scope(run: WorkflowRun) -> dict[str, Any]:
    product_id = run.inputs.get("product_id")
    return {} if product_id is None else {"product_id": product_id}


def _announced(events: list[JobEvent]) -> set[tuple[str, int]]:
    return {
        (event.data["step"], event.data["occurrence"])
        for event in events
        if event.type == STEP_COMPLETE
    }
