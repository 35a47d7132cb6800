"""Use cases of workflows: start, read, cancel, retry, decide, export."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.service.usage import usage_of_run
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.jobs.constants import FINISHED, JobState
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.products.service.products import ProductsService
from dossier.workflows import gateway
from dossier.workflows.constants import JOB_PREFIX, RUN_ROLES, RunStatus
from dossier.workflows.exceptions import (
    WorkflowNotFinishedError,
    WorkflowNotFoundError,
    WorkflowNotWaitingError,
    WorkflowStepUnknownError,
)
from dossier.workflows.journal import decision_step
from dossier.workflows.kinds import workflow_kind
from dossier.workflows.models import WorkflowRun, WorkflowStep
from dossier.workflows.schemas import WorkflowInputs
from dossier.workflows.types import RunDecision


def status_of(state: JobState) -> RunStatus:
    """Return a job's state in the words of workflows."""
    return RunStatus.COMPLETED if state is JobState.DONE else RunStatus(state.value)


def state_of(status: RunStatus) -> JobState:
    """Return the state of a run's job."""
    return JobState.DONE if status is RunStatus.COMPLETED else JobState(status.value)


class WorkflowsService:
    """The runs of one organisation, in the caller's transaction."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        jobs: JobsService,
        products: ProductsService,
        *,
        has_model: bool,
    ) -> None:
        self._session = session
        self._actor = actor
        self._jobs = jobs
        self._products = products
        self._has_model = has_model
        self._activity = ActivityService(session, actor)

    async def start(self, kind_name: str, inputs: WorkflowInputs) -> Job:
        """Enqueue a run, and return its job."""
        self._actor.require(*RUN_ROLES)
        kind = workflow_kind(kind_name)
        if not self._has_model and kind.needs_model(inputs):
            raise ModelNotConfiguredError
        product_id = getattr(inputs, "product_id", None)
        if product_id is not None:
            await self._products.get_product(product_id)  # raises for a foreign one
        job = await self._jobs.enqueue(JOB_PREFIX + kind.name)
        members = inputs.model_dump(mode="json")
        budget, no_cache = members.pop("budget"), members.pop("no_cache")
        run = WorkflowRun(
            id=job.id,
            created_at=job.created_at,
            org_id=self._actor.org_id,
            kind=kind.name,
            inputs=members,
            budget=budget,
            uses_cache=not no_cache,
        )
        await gateway.add_run(self._session, run)
        await self._activity.record(
            "create", "workflow", job.id, details={"kind": kind.name}
        )
        return job

    async def get_job(self, run_id: UUID) -> Job:
        """Return the job of a run."""
        run = await self._lock(run_id)
        return await self._jobs.get_job_of_kind(run_id, JOB_PREFIX + run.kind)

    async def cancel(self, run_id: UUID) -> None:
        """Cancel a run; one that has ended stays as it is."""
        self._actor.require(*RUN_ROLES)
        run = await self._lock(run_id)
        await self._jobs.cancel_job_of_kind(run_id, JOB_PREFIX + run.kind)

    async def retry(self, run_id: UUID, from_step: str | None) -> Job:
        """Run a run that has ended once more, from a step on or what is left of it."""
        self._actor.require(*RUN_ROLES)
        run = await self._lock(run_id)
        steps = await gateway.list_steps_for_org(
            self._session, self._actor.org_id, run_id
        )
        first = None
        if from_step is not None:
            first = next((each for each in steps if each.name == from_step), None)
            if first is None:
                known = ", ".join(dict.fromkeys(each.name for each in steps))
                detail = f"No finished step {from_step!r}; finished: {known or 'none'}."
                raise WorkflowStepUnknownError(detail)
        job = await self._jobs.restart_job_of_kind(run_id, JOB_PREFIX + run.kind)
        if first is not None:
            await gateway.supersede_steps_for_org(
                self._session, self._actor.org_id, run_id, first.id
            )
        run.result = run.stop_reason = run.cache = run.waiting_for = None
        run.uses_cache = False  # who retries does not want the same answer again
        return job

    async def decide(self, run_id: UUID, *, is_approved: bool, comment: str) -> Job:
        """Record a person's decision on the step that waits, and go on."""
        self._actor.require(*RUN_ROLES)
        self._actor.require_person()
        run = await self._lock(run_id)
        if run.waiting_for is None:
            detail = "No step of it waits for a decision."
            raise WorkflowNotWaitingError(detail)
        job = await self._jobs.resume_job_of_kind(run_id, JOB_PREFIX + run.kind)
        decision = RunDecision(
            is_approved=is_approved, comment=comment, by=self._actor.name
        )
        step = decision_step(run_id, self._actor.org_id, run.waiting_for, decision)
        await gateway.add_step(self._session, step)
        details = {"step": step.name, "is_approved": is_approved}
        await self._activity.record("update", "workflow", run_id, details=details)
        run.waiting_for = None
        return job

    async def list_steps(self, run_id: UUID) -> list[WorkflowStep]:
        """Return the finished steps of a run."""
        await self._lock(run_id)
        return list(
            await gateway.list_steps_for_org(self._session, self._actor.org_id, run_id)
        )

    async def view(self, run_id: UUID) -> dict[str, Any]:
        """Return what clients see of one run, in the caller's transaction."""
        reader = TenantReader(self._session, self._actor)
        return await read_run(reader, self._session, run_id)

    async def export_markdown(self, run_id: UUID) -> tuple[str, str, dict[str, Any]]:
        """Return kind, result as Markdown and result of a finished run, or raise."""
        run = await self._lock(run_id)
        if run.result is None:
            detail = "Only the result of a completed run is exported."
            raise WorkflowNotFinishedError(detail)
        kind = workflow_kind(run.kind)
        result = kind.result.model_validate(run.result)
        return run.kind, kind.markdown(result), run.result

    async def _lock(self, run_id: UUID) -> WorkflowRun:
        run = await gateway.lock_run_for_org(self._session, self._actor.org_id, run_id)
        if run is None:
            raise WorkflowNotFoundError(run_id)
        return run


async def list_runs(
    reader: TenantReader, wanted: Mapping[str, Any], page: PageParams
) -> Slice[Row]:
    """Return one page of the organisation's runs, newest first."""
    found = await gateway.list_runs_for_org(reader, reader.org_id, wanted, page)
    items = [_summary(row) for row in found.items]
    return Slice(items, found.total, found.limit, found.offset)


async def read_run(
    reader: TenantReader, session: Session, run_id: UUID
) -> dict[str, Any]:
    """Return what clients see of one run, with its cost."""
    row = await gateway.read_run_for_org(reader, reader.org_id, run_id)
    if row is None:
        raise WorkflowNotFoundError(run_id)
    used = await usage_of_run(session, reader.org_id, run_id)
    waiting = row["waiting_for"]
    cache = row["cache"] or {}
    return _summary(row) | {
        "inputs": row["inputs"],
        "result": row["result"],
        "cost": {
            "requests": used.requests,
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "usd": used.usd,
        },
        "engine": row["engine"],
        "cache": {
            "hit": bool(cache),
            "age_s": cache.get("age_s"),
            "saved_tokens": cache.get("saved_tokens"),
            "saved_cost": cache.get("saved_cost"),
        },
        "waiting_for": waiting and {k: waiting[k] for k in ("step", "payload")},
        "attempts": row["attempts"],
        "job_kind": JOB_PREFIX + row["kind"],
    }


def _summary(row: Row) -> Row:
    state = JobState(row["state"])
    return {
        "workflow_id": row["id"],
        "type": row["kind"],
        "status": status_of(state),
        "stop_reason": row["stop_reason"],
        "created_at": row["created_at"],
        "execution_time": _execution_s(row, state),
        "error": row["error"],
    }


def _execution_s(row: Row, state: JobState) -> float | None:
    started: datetime | None = row["started_at"]
    if started is None:
        return None
    ended: datetime = row["finished_at"] if state in FINISHED else now()
    return round((ended - started).total_seconds(), 3)
