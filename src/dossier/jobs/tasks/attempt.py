"""One run of one job: begin it, run its task, settle what became of it.

Each step is one short transaction that compares before it sets, so that a run whose
job was taken over by another can change nothing any more.
"""

import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.errors import AppError, UnavailableError, UpstreamError
from dossier.core.logging import log_context
from dossier.core.problems import as_app_error, problem_of
from dossier.core.tenancy import Actor
from dossier.integrations.queue import carry
from dossier.integrations.queue.delivery import Delivery, Outcome
from dossier.integrations.queue.lost import is_lost, outlast
from dossier.jobs import gateway, rules
from dossier.jobs.constants import FINISHED, JobEvent, JobState
from dossier.jobs.exceptions import (
    JobSupersededError,
    TaskUnknownError,
    WorkerLostError,
)
from dossier.jobs.models import Job
from dossier.jobs.ports import Task
from dossier.jobs.tasks.binding import call_task
from dossier.jobs.tasks.context import RunContext

logger = logging.getLogger(__name__)

MAX_FAILURES = 3
RETRYABLE = (UpstreamError, UnavailableError)
"""Faults of others; trying again may help. Our own would only repeat themselves."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: with an error, cancelled, or neither."""

    error: Exception | None
    is_cancelled: bool
    has_receipt: bool


class Attempts:
    """Runs what the engine delivers; one per worker."""

    def __init__(
        self,
        sessions: SessionFactory,
        tasks: Mapping[str, Task],
        *,
        max_failures: int = MAX_FAILURES,
    ) -> None:
        self._sessions = sessions
        self._tasks = tasks
        self._max_failures = max_failures

    async def __call__(self, delivery: Delivery) -> Outcome:
        """Run one delivery; the answer tells the engine what to do with its row."""
        with log_context(job_id=delivery.job_id, org_id=delivery.org_id):
            started_s = time.monotonic()
            job = await outlast(lambda: self._begin(delivery))
            if job is None:
                return Outcome.finished()
            ended = await self._run(job, delivery)
            settled = Outcome.finished()
            if not ended.has_receipt:
                settled = await outlast(lambda: self._settle(delivery, ended))
            _log(job, settled, ended, time.monotonic() - started_s)
            return settled

    async def _begin(self, delivery: Delivery) -> Job | None:
        """Take the job into hand, or return `None` where it is over."""
        async with tenant_transaction(self._sessions, delivery.org_id) as session:
            job = await self._lock(session, delivery)
            if job is None or job.engine_id != delivery.engine_id:
                return None
            if job.run_id == delivery.run_id:
                return job  # begun already; the answer of the commit was lost
            verdict = rules.on_delivery(job.state, job.failures, self._patience(job))
            if verdict is None:
                return None
            error = WorkerLostError() if verdict.event is JobEvent.FAIL else None
            await self._apply(session, job, verdict, error)
            if job.state is not JobState.PROCESSING:
                return None
            job.run_id = delivery.run_id
            job.attempts += 1
            job.started_at = job.started_at or now()
            return job

    async def _run(self, job: Job, delivery: Delivery) -> Ended:
        """Run the task; a wish to stop ends it from outside."""
        actor = replace(
            Actor.system(job.org_id),
            user_id=job.actor_user_id,
            name=job.actor_name,
            role=job.actor_role,
            request_id=job.request_id,
            api_key_id=job.actor_api_key_id,
        )
        context = RunContext(self._sessions, actor, delivery)
        error: Exception | None = None
        with delivery.scope:
            try:
                await call_task(self._task(job), context, job.args)
            except Exception as exc:  # noqa: BLE001 - the loop outlives every task
                error = _principal(exc)
        return Ended(error, delivery.scope.cancelled_caught, context.has_receipt)

    async def _settle(self, delivery: Delivery, ended: Ended) -> Outcome:
        """Write what became of the run, unless the job is no longer ours.

        A receipt may stand although the answer of its commit was lost.
        """
        async with tenant_transaction(self._sessions, delivery.org_id) as session:
            job = await self._lock(session, delivery)
            if job is None or job.state in FINISHED:
                return Outcome.finished()
            if job.run_id != delivery.run_id:
                return _after_lost_answer(job, delivery)
            verdict = self._verdict(job, ended)
            await self._apply(session, job, verdict, ended.error)
            if job.state is JobState.PENDING:
                job.run_id = None
                return Outcome.again(verdict.delay_s)
            return Outcome.finished()

    def _verdict(self, job: Job, ended: Ended) -> rules.Verdict:
        if ended.error is None and not ended.is_cancelled:
            return rules.Verdict(JobEvent.FINISH, 0)
        error = ended.error
        return rules.judge(
            rules.Failure(
                failures=job.failures,
                max_failures=self._patience(job),
                is_cancelled=ended.is_cancelled,
                is_database_lost=error is not None and is_lost(error),
                is_retryable=isinstance(error, RETRYABLE),
                retry_after_s=getattr(error, "retry_after_s", None),
                chance=random.random(),  # noqa: S311 - spreads retries
            )
        )

    async def _apply(
        self,
        session: Session,
        job: Job,
        verdict: rules.Verdict,
        error: Exception | None,
    ) -> None:
        job.state = rules.next_state(job.state, verdict.event)
        job.failures = verdict.failures
        job.error = None if error is None else _problem(job, error)
        if job.state not in FINISHED:
            return
        job.finished_at = now()
        await carry.announce_end(session, job.id)
        if job.state is JobState.FAILED:
            await self._record_failure(session, job)
            await self._spread_failure(session, job)

    async def _record_failure(self, session: Session, job: Job) -> None:
        activity = ActivityService(session, Actor.system(job.org_id))
        details = {"kind": job.kind, "state": job.state, "attempts": job.attempts}
        await activity.record(
            "update", "job", job.id, details=details, status="failure"
        )

    async def _spread_failure(self, session: Session, job: Job) -> None:
        task = self._tasks.get(job.kind)
        if task is not None and task.on_failure is not None:
            await task.on_failure(session, job.org_id, job.args, job.error or {})

    async def _lock(self, session: Session, delivery: Delivery) -> Job | None:
        return await gateway.lock_job_for_org(session, delivery.org_id, delivery.job_id)

    def _task(self, job: Job) -> Task:
        if job.kind not in self._tasks:
            raise TaskUnknownError(job.kind)
        return self._tasks[job.kind]

    def _patience(self, job: Job) -> int:
        task = self._tasks.get(job.kind)
        return (task and task.max_failures) or self._max_failures


def _principal(error: Exception) -> Exception:
    """Return what decides over a group of errors: the worst, else the first."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [_principal(inner) for inner in error.exceptions]
    ours = [leaf for leaf in leaves if not isinstance(leaf, RETRYABLE)]
    return (ours or leaves)[0]


def _problem(job: Job, error: Exception) -> dict[str, Any]:
    return problem_of(
        as_app_error(error),
        instance=f"/api/v1/jobs/{job.id}",
        request_id=job.request_id,
    )


def _after_lost_answer(job: Job, delivery: Delivery) -> Outcome:
    """Read off the row what an earlier settling did, or who took the job over."""
    if job.engine_id != delivery.engine_id:
        return Outcome.finished()  # driven anew since, by another engine row
    if job.state is JobState.PENDING:
        return Outcome.again(rules.LOST_DATABASE_DELAY_S)
    return Outcome.superseded()


def _log(job: Job, outcome: Outcome, ended: Ended, elapsed_s: float) -> None:
    extra = {
        "kind": job.kind,
        "attempt": job.attempts,
        "outcome": _word(outcome, ended),
        "ms": round(elapsed_s * 1000, 1),
    }
    error = ended.error
    if error is None:
        logger.info("jobs.attempt.finished", extra=extra)
    elif isinstance(error, (*RETRYABLE, JobSupersededError)):
        logger.warning("jobs.attempt.failed", extra=extra | {"reason": str(error)})
    elif isinstance(error, AppError):  # its name says all that a traceback could
        reason = f"{error.title}: {error.detail}"
        logger.error("jobs.attempt.failed", extra=extra | {"reason": reason})
    else:
        logger.error("jobs.attempt.failed", extra=extra, exc_info=error)


def _word(outcome: Outcome, ended: Ended) -> str:
    if outcome.again_in_s is not None:
        return "again"
    if ended.is_cancelled:
        return "cancelled"
    return "done" if ended.error is None else "failed"
