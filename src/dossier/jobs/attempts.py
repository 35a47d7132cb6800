"""One attempt of one job: begin it, run its handler, record how it ended.

Each step is one short transaction that compares before it sets: an attempt writes only
while the row has its number, so that one whose job was taken over changes nothing.
"""

import inspect
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

import anyio
from pydantic import TypeAdapter, ValidationError

from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.errors import (
    AppError,
    RateLimitedError,
    UnavailableError,
    UpstreamError,
)
from dossier.core.logging import log_context
from dossier.core.problems import as_app_error, problem_of
from dossier.core.reconnect import is_lost, retry_until_connected
from dossier.integrations.queue.delivery import Delivery, DeliveryOutcome
from dossier.jobs import rules
from dossier.jobs.buffer import EventBuffer
from dossier.jobs.constants import FINISHED, JobSignal, JobState, StopReason
from dossier.jobs.context import JobContext
from dossier.jobs.event_log import record_end
from dossier.jobs.exceptions import (
    JobSupersededError,
    JobTookTooLongError,
    TaskUnknownError,
    WorkerLostError,
)
from dossier.jobs.gateway import log, rows
from dossier.jobs.kinds import kind_of_job
from dossier.jobs.models import Job

logger = logging.getLogger(__name__)

T = TypeVar("T")

JobHandler = Callable[..., Awaitable[None]]
"""Takes a `JobContext`, then the job's arguments by name.

Its clients of other systems are bound to it beforehand (`functools.partial`).
"""

RETRYABLE = (UpstreamError, UnavailableError, RateLimitedError)
"""Faults of other systems, which may pass; our own would only occur again."""


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """When a worker ends a job that has not ended by itself."""

    max_failures: int = 3
    max_deaths: int = 3
    max_duration_s: float = 300
    """Of a job that streams."""
    disconnect_grace_s: float = 5
    """The greatest age of `last_read_at` where `on_disconnect` is `cancel`."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a handler ended: with an error, stopped, or neither."""

    error: Exception | None
    stopped: StopReason | None


class Attempts:
    """Runs what the engine delivers; one per worker."""

    def __init__(
        self,
        sessions: SessionFactory,
        handlers: Mapping[str, JobHandler],
        buffer: EventBuffer | None = None,
        limits: AttemptLimits | None = None,
    ) -> None:
        self._sessions = sessions
        self._handlers = handlers
        # Without a worker's buffer, events are stored with the end of the job.
        self._buffer = buffer or EventBuffer(sessions, flush_s=0)
        self._limits = limits or AttemptLimits()
        self._running: dict[JobContext, bool] = {}
        self._is_stopping = False
        self._last_failed_look_s = -math.inf

    async def __call__(self, delivery: Delivery) -> DeliveryOutcome:
        """Run one delivery; return what the engine does with its row."""
        with log_context(job_id=delivery.job_id, org_id=delivery.org_id):
            started_s = time.monotonic()
            tried: list[int] = []
            begun = await self._retry(lambda: self._begin(delivery, tried))
            if begun is None:
                return DeliveryOutcome.finished()
            job, stored_through = begun
            streams = kind_of_job(job).streams
            context = JobContext(
                self._sessions,
                job,
                delivery.scope,
                self._buffer if streams else None,
                stored_through,
            )
            ended = await self._run(context, delivery, streams=streams)
            recorded = DeliveryOutcome.finished()
            if not context.has_receipt:
                await self._retry(context.close)
                recorded = await self._retry(lambda: self._record(delivery, job, ended))
            _log(job, recorded, ended, time.monotonic() - started_s)
            return recorded

    def stop_streaming(self) -> None:
        """End the attempts of jobs that stream: another worker goes on with them."""
        self._is_stopping = True
        for context, streams in tuple(self._running.items()):
            if streams:
                context.stop(StopReason.STOPPING)

    def stop_all(self) -> None:
        """End every attempt; the jobs are queued again."""
        for context in tuple(self._running):
            context.stop(StopReason.STOPPING)

    async def stop_lost_jobs(self) -> None:
        """Stop running jobs that were cancelled, taken over or abandoned by readers.

        Called once a second: a notification may be lost with its connection.
        """
        running = tuple(self._running)
        if not running:
            return
        grace_s = self._limits.disconnect_grace_s
        grace = timedelta(seconds=grace_s)
        # While the database is away no web process can set `last_read_at`.
        is_recent = time.monotonic() - self._last_failed_look_s >= grace_s
        abandoned: list[UUID] = []
        try:
            async with system_transaction(self._sessions) as session:
                found = await rows.list_running_for_system(
                    session, {context.job_id for context in running}, grace
                )
                if is_recent:
                    abandoned = [job.id for job in found if job.is_abandoned]
                if abandoned:
                    abandoned = await rows.cancel_abandoned_for_system(
                        session, abandoned, grace
                    )
        except Exception:
            self._last_failed_look_s = time.monotonic()
            raise
        known = {job.id: job for job in found}
        for context in running:  # an earlier attempt of the same job among them
            job = known.get(context.job_id)
            if job is None or job.attempts != context.job.attempts:
                context.stop(StopReason.SUPERSEDED)
            elif job.state is JobState.CANCELLING or job.id in abandoned:
                context.stop(StopReason.CANCELLED)

    async def _retry(self, action: Callable[[], Awaitable[T]]) -> T:
        """Repeat an action until the database answers, or the worker is stopping."""
        return await retry_until_connected(action, lambda: self._is_stopping)

    async def _begin(
        self, delivery: Delivery, tried: list[int]
    ) -> tuple[Job, int] | None:
        """Begin an attempt; return the job and its last event's number.

        `None` where the job is over. `tried` has the numbers of attempts whose commit
        was not acknowledged: finding one of them there is no lost worker.
        """
        async with tenant_transaction(self._sessions, delivery.org_id) as session:
            job = await rows.lock_job_for_org(
                session, delivery.org_id, delivery.job_id, fences_events=True
            )
            if job is None or job.engine_id != delivery.engine_id:
                return None
            is_repeat = job.state is JobState.PROCESSING and job.attempts in tried
            delivered = rules.on_delivery(
                JobState.PENDING if is_repeat else job.state,
                job.deaths,
                self._limits.max_deaths,
            )
            if delivered is None:
                return None
            signal, job.deaths = delivered
            if signal is not JobSignal.START:
                await self._apply(session, job, signal, WorkerLostError())
                return None
            job.state = rules.next_state(job.state, JobSignal.START)
            job.attempts += 1
            job.started_at = job.started_at or now()
            tried.append(job.attempts)
            stored_through = 0
            if kind_of_job(job).streams:
                stored_through = await log.get_last_number_for_org(
                    session, job.org_id, job.id
                )
            return job, stored_through

    async def _run(
        self, context: JobContext, delivery: Delivery, *, streams: bool
    ) -> Ended:
        """Run the handler until it ends, is stopped or takes too long."""
        kind_limit_s = kind_of_job(context.job).max_duration_s
        limit_s = (kind_limit_s or self._limits.max_duration_s) if streams else None
        error: Exception | None = None
        self._running[context] = streams
        if self._is_stopping and streams:
            context.stop(StopReason.STOPPING)
        try:
            with delivery.scope, anyio.move_on_after(limit_s) as timer:
                try:
                    await _call(self._handlers, context)
                except Exception as exc:  # noqa: BLE001 - the loop outlives every handler
                    error = _principal(exc)
        finally:
            del self._running[context]
        if timer.cancelled_caught:
            error = JobTookTooLongError()
        stopped = None
        if delivery.scope.cancelled_caught:
            stopped = context.stop_reason or StopReason.CANCELLED
        elif error is not None or context.stop_reason is StopReason.SUPERSEDED:
            stopped = context.stop_reason
        return Ended(error, stopped)

    async def _record(
        self, delivery: Delivery, begun: Job, ended: Ended
    ) -> DeliveryOutcome:
        """Record how the attempt ended, unless another one has the job.

        The end may be written although the reply to its commit was lost.
        """
        async with tenant_transaction(self._sessions, delivery.org_id) as session:
            job = await rows.lock_job_for_org(session, delivery.org_id, delivery.job_id)
            if job is None or job.state in FINISHED:
                return DeliveryOutcome.finished()
            # Queued anew since, by another engine row.
            if job.engine_id != delivery.engine_id:
                return DeliveryOutcome.finished()
            if job.attempts != begun.attempts:
                return DeliveryOutcome.superseded()
            if job.state is JobState.PENDING:  # written already
                return DeliveryOutcome.again(rules.UNCOUNTED_DELAY_S)
            verdict = self._verdict(job, ended)
            job.failures = verdict.failures
            state = await self._apply(session, job, verdict.signal, ended.error)
            if state is JobState.PENDING:
                return DeliveryOutcome.again(verdict.delay_s)
            return DeliveryOutcome.finished()

    def _verdict(self, job: Job, ended: Ended) -> rules.AttemptVerdict:
        error, stopped = ended.error, ended.stopped
        if error is None and stopped is None:
            return rules.AttemptVerdict(JobSignal.FINISH, job.failures)
        kind = kind_of_job(job)
        usual = 1 if kind.streams else self._limits.max_failures
        is_uncounted = (
            stopped is StopReason.SUPERSEDED
            or isinstance(error, JobSupersededError)
            or (error is not None and is_lost(error))
        )
        return rules.judge(
            job.failures,
            kind.max_failures or usual,
            is_cancelled=stopped is StopReason.CANCELLED,
            is_stopping=stopped is StopReason.STOPPING,
            is_uncounted=is_uncounted,
            is_retryable=isinstance(error, RETRYABLE),
            retry_after_s=getattr(error, "retry_after_s", None),
            chance=random.random(),  # noqa: S311 - spreads retries
        )

    async def _apply(
        self,
        session: Session,
        job: Job,
        signal: JobSignal,
        error: Exception | None,
    ) -> JobState:
        job.state = rules.next_state(job.state, signal)
        job.error = None
        if error is not None and job.state is not JobState.CANCELLED:
            job.error = problem_of(
                as_app_error(error),
                instance=f"/api/v1/jobs/{job.id}",
                request_id=job.request_id,
            )
        if job.state in FINISHED:
            await record_end(session, job)
        return job.state


def _call(handlers: Mapping[str, JobHandler], context: JobContext) -> Awaitable[None]:
    """Call a job's handler with the stored arguments in the types that it declares."""
    kind, args = context.job.kind, context.job.args
    if kind not in handlers:
        raise TaskUnknownError(kind)
    handler = handlers[kind]
    declared = _declared(handler)
    try:
        bound = {
            name: declared[name].validate_python(value) for name, value in args.items()
        }
        inspect.signature(handler).bind(context, **bound)
    except (KeyError, TypeError, ValidationError) as exc:
        message = f"The task does not take these arguments: {exc}"
        raise TaskUnknownError(message) from exc
    return handler(context, **bound)


@lru_cache(maxsize=256)
def _declared(handler: JobHandler) -> dict[str, TypeAdapter[Any]]:
    """Return the types of a handler's arguments; context and bound ones left out."""
    _context, *arguments = inspect.signature(handler, eval_str=True).parameters.values()
    bound = handler.keywords if isinstance(handler, partial) else {}
    return {
        each.name: TypeAdapter(each.annotation)
        for each in arguments
        if each.name not in bound
    }


def _principal(error: Exception) -> Exception:
    """Return the error of a group that decides: one not retryable, else the first.

    A lost connection goes before all: it may be the cause of the others.
    """
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [_principal(inner) for inner in error.exceptions]
    lost = [leaf for leaf in leaves if is_lost(leaf)]
    ours = [leaf for leaf in leaves if not isinstance(leaf, RETRYABLE)]
    return (lost or ours or leaves)[0]


def _log(job: Job, outcome: DeliveryOutcome, ended: Ended, elapsed_s: float) -> None:
    error = ended.error
    if outcome.again_in_s is not None:
        word = "again"
    elif ended.stopped is not None:
        word = str(ended.stopped)
    else:
        word = "done" if error is None else "failed"
    extra = {
        "kind": job.kind,
        "attempt": job.attempts,
        "outcome": word,
        "ms": round(elapsed_s * 1000, 1),
    }
    if error is None:
        logger.info("jobs.attempt.finished", extra=extra)
    elif isinstance(error, (*RETRYABLE, JobSupersededError)):
        logger.warning("jobs.attempt.failed", extra=extra | {"reason": str(error)})
    elif isinstance(error, AppError):  # expected error: no traceback
        reason = f"{error.title}: {error.detail}"
        logger.error("jobs.attempt.failed", extra=extra | {"reason": reason})
    else:
        logger.error("jobs.attempt.failed", extra=extra, exc_info=error)
