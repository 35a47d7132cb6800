"""The handler's view of one attempt of one job."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio

from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    after_commit,
    tenant_transaction,
)
from dossier.core.tenancy import Actor
from dossier.integrations.queue import client as queue
from dossier.jobs.buffer import AttemptEvents, EventBuffer
from dossier.jobs.constants import (
    FINISHED,
    RUN_RESTARTED,
    JobSignal,
    JobState,
    StopReason,
)
from dossier.jobs.event_log import JobEventLog, record_end
from dossier.jobs.events import make_batch, make_event
from dossier.jobs.exceptions import JobSupersededError
from dossier.jobs.gateway import log, rows
from dossier.jobs.models import Job
from dossier.jobs.rules import next_state
from dossier.jobs.types import JobEvent

PROGRESS_INTERVAL_S = 0.2
"""Progress reported more often is written only when all is done."""


class JobContext:
    """One attempt of a job: its ids, its progress, its events and its end.

    Args:
        sessions: Opens the handler's own short transactions.
        job: The row as it was when the attempt began.
        scope: Cancelled when the handler is to stop.
        buffer: Where the events of a kind that streams go.
        stored_through: The number of the last event of earlier attempts.
    """

    def __init__(
        self,
        sessions: SessionFactory,
        job: Job,
        scope: anyio.CancelScope,
        buffer: EventBuffer | None = None,
        stored_through: int = 0,
    ) -> None:
        self.sessions = sessions
        self.job = job
        self.org_id: UUID = job.org_id
        self.job_id: UUID = job.id
        self.actor = actor_of(job)
        self.has_receipt = False
        """Set once the transaction that ends the job has been committed."""
        self.stop_reason: StopReason | None = None
        self._scope = scope
        self._buffer = buffer
        self._stored_through = stored_through
        self._events: AttemptEvents | None = None
        if buffer is not None:
            self._events = buffer.open(
                job, stored_through, lambda: self.stop(StopReason.SUPERSEDED)
            )
        self._next_write_s = 0.0

    @property
    def is_cancelled(self) -> bool:
        """Return whether a person, or the absence of readers, cancelled the job.

        False while the worker merely stops: the job goes on in another process.
        """
        cancelled = {None, StopReason.CANCELLED}
        return self._scope.cancel_called and self.stop_reason in cancelled

    def stop(self, reason: StopReason) -> None:
        """Cancel the handler; the first reason counts."""
        if not self._scope.cancel_called:
            self.stop_reason = reason
            self._scope.cancel()

    async def progress(
        self,
        done: int,
        total: int | None = None,
        unit: str | None = None,
        message: str | None = None,
    ) -> None:
        """Write the progress; a new maximum resets the count of failures.

        Raises the cancellation when a stop was requested. It opens a transaction of
        its own, so it is not called inside one.
        """
        if time.monotonic() < self._next_write_s and done != total:
            return
        async with tenant_transaction(self.sessions, self.org_id) as session:
            state = await rows.mark_progress_for_org(
                session,
                self.org_id,
                self.job_id,
                self.job.attempts,
                progress_done=done,
                progress_total=total,
                progress_unit=unit,
                progress_message=message,
            )
        self._next_write_s = time.monotonic() + PROGRESS_INTERVAL_S
        if state is None:
            raise JobSupersededError(self.job_id)
        if state is JobState.CANCELLING:
            # The notification may have been lost with a connection.
            self.stop(StopReason.CANCELLED)
            await anyio.lowlevel.checkpoint()

    async def stored_events(self) -> list[JobEvent]:
        """Return the valid events of earlier attempts, oldest first."""
        if not self._stored_through:
            return []
        async with tenant_transaction(self.sessions, self.org_id) as session:
            return await JobEventLog(session, self.job).events(self._stored_through)

    def emit(self, kind: str, data: Mapping[str, Any]) -> int:
        """Append an event and return its number; readers get it once it is stored.

        The first delta is stored at once, others with the next flush.
        """
        return self._own_events().emit(kind, data)

    def restarted(self, kept_through: int) -> int:
        """Append `run.restarted`: earlier events after that number no longer count."""
        return self._own_events().emit(RUN_RESTARTED, {"kept_through": kept_through})

    async def finish(
        self,
        session: Session,
        *,
        result_path: str | None = None,
        result: dict[str, Any] | None = None,
        state: JobState = JobState.DONE,
        error: dict[str, Any] | None = None,
        last_event: tuple[str, Mapping[str, Any]] | None = None,
    ) -> bool:
        """End the job; called first in the handler's own last transaction.

        Stores the events that are left and the last one, then the state, and runs the
        kind's `on_end`. Returns False where an earlier commit of this attempt has done
        so and its reply was lost: then the handler writes nothing more. Raises
        `JobSupersededError`, which undoes the transaction, where another attempt has
        the job or it was deleted.
        """
        unstored: list[JobEvent] = []
        if self._buffer is not None and self._events is not None:
            unstored = await self._buffer.hold(self._events)
            if last_event is not None:
                unstored.append(make_event(self._events.last + 1, *last_event))
        job = await rows.end_job_for_org(
            session,
            self.org_id,
            self.job_id,
            self.job.attempts,
            state=state,
            result_path=result_path,
            result=result,
            error=error,
            finished_at=now(),
            last_seq=unstored[-1].sequence_number if last_event and unstored else 0,
        )
        if job is None:
            found = await rows.get_job_for_org(session, self.org_id, self.job_id)
            is_ours = found is not None and found.attempts == self.job.attempts
            if found is None or not is_ours or found.state not in FINISHED:
                raise JobSupersededError(self.job_id)
            self.has_receipt = True
            return False
        if unstored:
            batch = make_batch(self.org_id, self.job_id, job.attempts, unstored)
            await log.add_batch(session, batch)
        await record_end(session, job)
        after_commit(session, self._note_receipt)
        return True

    async def hold(self, session: Session) -> None:
        """Make what this transaction writes conditional on the attempt's lease.

        A lease that was lost raises `JobSupersededError`; a cancellation is raised at
        the next checkpoint. What was finished so far no longer counts as a failure.
        """
        state = await rows.hold_job_for_org(
            session, self.org_id, self.job_id, self.job.attempts
        )
        if state is None:
            raise JobSupersededError(self.job_id)
        if state is JobState.CANCELLING:
            self.stop(StopReason.CANCELLED)

    async def suspend(self, session: Session, delay: timedelta | None = None) -> None:
        """End the attempt without ending the job; the handler then returns.

        Without a delay a person resumes it (`JobsService.resume_job_of_kind`); with one
        the queue does. All events must have been stored (`close`).
        """
        job = await rows.lock_job_for_org(session, self.org_id, self.job_id)
        if job is None or job.attempts != self.job.attempts:
            raise JobSupersededError(self.job_id)
        if job.state is JobState.CANCELLING:
            self.stop(StopReason.CANCELLED)
            await anyio.lowlevel.checkpoint()
        job.failures = job.deaths = 0
        waiting = next_state(job.state, JobSignal.SUSPEND)
        job.state = waiting if delay is None else JobState.PENDING
        if delay is not None:
            [job.engine_id] = await queue.reserve_ids(session, 1)
            entry = queue.QueueEntry(
                engine_id=job.engine_id,
                kind=job.kind,
                org_id=job.org_id,
                job_id=job.id,
                priority=job.priority,
                delay=delay,
            )
            await queue.add_entries(session, [entry])
        await log.add_notification(session, [job.id])
        after_commit(session, self._note_receipt)

    async def close(self) -> None:
        """Store the events that are left of an attempt that did not end the job."""
        if self._buffer is not None and self._events is not None:
            await self._buffer.close(self._events)

    def _own_events(self) -> AttemptEvents:
        if self._events is None:
            message = f"{self.job.kind} is declared without `streams`"
            raise RuntimeError(message)
        return self._events

    def _note_receipt(self) -> None:
        self.has_receipt = True


def actor_of(job: Job) -> Actor:
    """Return on whose behalf a job runs."""
    return replace(
        Actor.system(job.org_id),
        user_id=job.actor_user_id,
        name=job.actor_name,
        role=job.actor_role,
        request_id=job.request_id,
        api_key_id=job.actor_api_key_id,
    )
