"""Use cases of jobs: enqueue, read, cancel, retry."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session, conflict_on
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.integrations.queue import client as queue
from dossier.jobs.constants import (
    ACCESS_CHANNEL,
    FINISHED,
    JOB_ROLES,
    RUN_RESTARTED,
    JobSignal,
    JobState,
)
from dossier.jobs.event_log import JobEventLog, record_end
from dossier.jobs.exceptions import JobAlreadyQueuedError, JobNotFoundError
from dossier.jobs.gateway import log, rows
from dossier.jobs.kinds import is_listed, kind_of, kind_of_job, names_in
from dossier.jobs.models import DEDUPE_INDEX, Job
from dossier.jobs.rules import next_state
from dossier.jobs.types import JobFilters, JobKind

Scalar = UUID | str | int | bool | None
"""An argument of a job: an id or a plain value, never an object."""

MAX_REDRIVEN = 10_000


class JobsService:
    """An organisation's jobs, in the caller's transaction."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._activity = ActivityService(session, actor)
        self._on_enqueue: Callable[[Job], None] | None = None

    def on_enqueue(self, action: Callable[[Job], None]) -> None:
        """Run an action for each job that is enqueued from now on."""
        self._on_enqueue = action

    async def enqueue(
        self,
        name: str,
        *,
        job_id: UUID | None = None,
        subject_id: UUID | None = None,
        on_disconnect: Literal["continue", "cancel"] = "continue",
        first_event: tuple[str, Mapping[str, Any]] | None = None,
        dedupe_key: str | None = None,
        priority: int = 0,
        **args: Scalar,
    ) -> Job:
        """Queue one job; it exists when the caller's transaction commits.

        While a job with the same `dedupe_key` is pending, waiting or processing, that
        one is returned instead. `first_event` is event number 1 of a kind that streams.
        """
        kind_of(name)  # raises where no domain declares it
        row = {
            "id": job_id or new_id(),
            "created_at": now(),
            "org_id": self._actor.org_id,
            "kind": name,
            "subject_id": subject_id,
            "state": JobState.PENDING,
            "priority": priority,
            "dedupe_key": dedupe_key,
            "args": {
                key: str(value) if isinstance(value, UUID) else value
                for key, value in args.items()
            },
            "progress_peak": 0,
            "attempts": 0,
            "failures": 0,
            "deaths": 0,
            "last_seq": 0,
            "on_disconnect": on_disconnect,
            "actor_user_id": self._actor.user_id,
            "actor_api_key_id": self._actor.api_key_id,
            "actor_name": self._actor.name,
            "actor_role": self._actor.role,
            "request_id": self._actor.request_id,
        }
        job = await self._add(row) or await self._holder(row)
        if first_event is not None and job.id == row["id"]:
            await JobEventLog(self._session, job).append(*first_event)
        if self._on_enqueue is not None:
            self._on_enqueue(job)
        return job

    async def get_job(self, job_id: UUID) -> Job:
        """Return one listed job of the organisation."""
        job = await rows.get_job_for_org(self._session, self._actor.org_id, job_id)
        if job is None or not is_listed(job.kind):
            raise JobNotFoundError(job_id)
        return job

    async def get_job_of_kind(self, job_id: UUID, name: str) -> Job:
        """Return one job of a kind, for its domain's own routes."""
        job = await rows.get_job_for_org(self._session, self._actor.org_id, job_id)
        if job is None or job.kind != name:
            raise JobNotFoundError(job_id)
        return job

    async def cancel_job(self, job_id: UUID) -> Job:
        """Cancel at once what waits; ask a worker to stop what runs."""
        self._actor.require(*JOB_ROLES)
        job = await self._lock(job_id)
        if not is_listed(job.kind):
            raise JobNotFoundError(job_id)
        return await self._cancel(job)

    async def cancel_job_of_kind(self, job_id: UUID, name: str) -> Job:
        """Cancel a job of a kind for its domain, which has authorised it.

        Asking twice, or for a job that is over, changes nothing.
        """
        job = await self._lock(job_id)
        if job.kind != name:
            raise JobNotFoundError(job_id)
        return job if job.state in FINISHED else await self._cancel(job)

    async def delete_job(self, job_id: UUID) -> None:
        """Delete a job with its events; a handler that runs is cancelled."""
        await self._stop_deleted(
            await rows.delete_jobs_for_org(
                self._session, self._actor.org_id, job_id=job_id
            )
        )

    async def delete_jobs_of_subject(self, subject_id: UUID) -> None:
        """Delete the jobs of a subject, as `delete_job` does."""
        await self._stop_deleted(
            await rows.delete_jobs_for_org(
                self._session, self._actor.org_id, subject_id=subject_id
            )
        )

    async def announce_access_change(self, subject_id: UUID) -> None:
        """Make the streams of a subject's jobs check their readers' rights again."""
        job_ids = await rows.list_unfinished_ids_for_org(
            self._session, self._actor.org_id, subject_id
        )
        await log.add_notification(self._session, job_ids, ACCESS_CHANNEL)

    async def retry_job(self, job_id: UUID) -> Job:
        """Queue a failed job once more."""
        self._actor.require(*JOB_ROLES)
        job = await self._lock(job_id)
        if not is_listed(job.kind):
            raise JobNotFoundError(job_id)
        return await self._queue_again(job, JobSignal.REDRIVE)

    async def restart_job_of_kind(
        self, job_id: UUID, name: str, *, kept_through: int = 0
    ) -> Job:
        """Queue a job that has ended once more, for its domain.

        Its events go on with `run.restarted`: those after `kept_through` are void.
        """
        job = await self._lock(job_id)
        if job.kind != name:
            raise JobNotFoundError(job_id)
        last_seq = job.last_seq
        await self._queue_again(job, JobSignal.RESTART)
        job.last_seq = last_seq
        await JobEventLog(self._session, job).append(
            RUN_RESTARTED, {"kept_through": kept_through}
        )
        job.last_seq = 0
        return job

    async def resume_job_of_kind(self, job_id: UUID, name: str) -> Job:
        """Queue a job that waited for a person, for its domain."""
        job = await self._lock(job_id)
        if job.kind != name:
            raise JobNotFoundError(job_id)
        return await self._queue_again(job, JobSignal.RESUME)

    async def _queue_again(self, job: Job, signal: JobSignal) -> Job:
        backlog = await self._backlog(kind_of_job(job))
        job.state = next_state(job.state, signal)
        job.failures = job.deaths = job.last_seq = 0
        job.error = job.finished_at = job.cancel_requested_at = None
        job.log_pruned_at = job.last_read_at = None
        # A new engine row: the engine may not have deleted the old one yet.
        [job.engine_id] = await queue.reserve_ids(self._session, 1)
        with conflict_on(DEDUPE_INDEX, JobAlreadyQueuedError(job.dedupe_key)):
            await self._session.flush()
        await queue.add_entries(self._session, [queue_entry(job, backlog)])
        await self._record(job)
        if self._on_enqueue is not None:
            self._on_enqueue(job)
        return job

    async def _cancel(self, job: Job) -> Job:
        before, job.state = job.state, next_state(job.state, JobSignal.CANCEL)
        if job.state is before:
            return job
        job.cancel_requested_at = now()
        if job.state is JobState.CANCELLED:
            await record_end(self._session, job)
        else:
            await queue.request_stop(self._session, [job.engine_id])
        await self._record(job)
        return job

    async def _stop_deleted(self, jobs: Sequence[Job]) -> None:
        running = [job.engine_id for job in jobs if job.state not in FINISHED]
        if running:
            await queue.request_stop(self._session, running)
        await log.add_notification(self._session, [job.id for job in jobs])

    async def _add(self, row: dict[str, Any]) -> Job | None:
        """Insert and queue a job; `None` where another one holds its key."""
        backlog = await self._backlog(kind_of(row["kind"]))
        [row["engine_id"]] = await queue.reserve_ids(self._session, 1)
        job = await rows.add_job(self._session, row)
        if job is not None:
            await queue.add_entries(self._session, [queue_entry(job, backlog)])
        return job

    async def _backlog(self, kind: JobKind) -> int:
        """Return the rank of the organisation's next job in its group.

        The n-th unfinished job of one organisation queues behind the first of another.
        """
        return await rows.count_unfinished_for_org(
            self._session,
            self._actor.org_id,
            names_in(kind.group),
            at_most=queue.RANKS,
        )

    async def _holder(self, row: dict[str, Any]) -> Job:
        """Return the job that holds the key; add ours where that one has just ended."""
        for _ in range(3):
            job = await rows.get_live_job_by_key_for_org(
                self._session, self._actor.org_id, row["dedupe_key"]
            ) or await self._add(row)
            if job is not None:
                return job
        raise JobAlreadyQueuedError(row["dedupe_key"])

    async def _lock(self, job_id: UUID) -> Job:
        job = await rows.lock_job_for_org(self._session, self._actor.org_id, job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        return job

    async def _record(self, job: Job) -> None:
        what = "job" if is_listed(job.kind) else "run"
        await self._activity.record(
            "update", what, job.id, details={"kind": job.kind, "state": job.state}
        )


async def list_jobs(
    reader: TenantReader, filters: JobFilters, page: PageParams
) -> Slice[Row]:
    """Return one page of the organisation's listed jobs, newest first."""
    return await rows.list_jobs_for_org(reader, reader.org_id, filters, page)


async def read_job(reader: TenantReader, job_id: UUID) -> Row:
    """Return one listed job of the organisation."""
    row = await rows.read_job_for_org(reader, reader.org_id, job_id)
    if row is None:
        raise JobNotFoundError(job_id)
    return row


def queue_entry(job: Job, rank: int) -> queue.QueueEntry:
    """Return the engine's entry of a job; `rank`: earlier jobs of its organisation."""
    return queue.QueueEntry(
        engine_id=job.engine_id,
        kind=job.kind,
        org_id=job.org_id,
        job_id=job.id,
        priority=job.priority,
        rank=rank,
    )


class OperatorJobs:
    """Listed jobs of all organisations, for operators; needs a system transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_jobs(self, filters: JobFilters, limit: int) -> list[Job]:
        """Return jobs, the newest first."""
        return await rows.list_jobs_for_system(self._session, filters, limit=limit)

    async def find_jobs(self, job_id: UUID | None) -> list[Job]:
        """Return one job, or all failed ones where no id is given."""
        if job_id is None:
            failed = JobFilters(state=JobState.FAILED)
            return await self.list_jobs(failed, MAX_REDRIVEN)
        job = await rows.get_job_for_system(self._session, job_id)
        if job is None or not is_listed(job.kind):
            raise JobNotFoundError(job_id)
        return [job]

    async def queue_depth(self) -> list[queue.Depth]:
        """Return how many jobs wait and run, by kind, and since when."""
        return await queue.queue_depth(self._session)
