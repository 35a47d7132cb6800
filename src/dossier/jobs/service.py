"""Use cases of jobs: enqueue, look, cancel, retry."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session, conflict_on
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Reads, members_of
from dossier.core.tenancy import Actor
from dossier.integrations.queue import carry, upkeep
from dossier.jobs import gateway
from dossier.jobs.constants import CHANGERS, JobEvent, JobState
from dossier.jobs.exceptions import JobAlreadyQueuedError, JobNotFoundError
from dossier.jobs.models import DEDUPE_INDEX, Job
from dossier.jobs.rules import next_state
from dossier.jobs.schemas import JobFilters

Scalar = UUID | str | int | bool | None
"""What a job may carry: ids and plain values, never objects."""

MAX_REDRIVEN = 10_000


class JobsService:
    """An organisation's jobs, in the caller's transaction."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._activity = ActivityService(session, actor)
        self._announce: Callable[[Job], None] | None = None

    def announce_to(self, announce: Callable[[Job], None]) -> None:
        """Tell somebody of each job that is enqueued from now on."""
        self._announce = announce

    async def enqueue(
        self,
        name: str,
        *,
        dedupe_key: str | None = None,
        priority: int = 0,
        delay_s: float = 0,
        **ids: Scalar,
    ) -> Job:
        """Queue one job; it exists when the caller's transaction commits.

        While a job with the same `dedupe_key` is pending, waiting or processing, that
        one is returned instead.
        """
        row = self._row(name, priority, ids, dedupe_key)
        added = await self._add([row], delay_s)
        job = added[0] if added else await self._holder(row, delay_s)
        self._tell(job)
        return job

    async def enqueue_many(
        self, name: str, items: Sequence[Mapping[str, Scalar]], *, priority: int = 0
    ) -> list[Job]:
        """Queue a fan-out in one statement, so that it yields to other work."""
        if not items:
            return []
        return await self._add([self._row(name, priority, ids) for ids in items], 0)

    async def get_job(self, job_id: UUID) -> Job:
        """Return one job of the organisation."""
        job = await gateway.get_job_for_org(self._session, self._actor.org_id, job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        return job

    async def list_jobs(self, filters: JobFilters, page: PageParams) -> Slice[Job]:
        """Return one page of the organisation's jobs, newest first."""
        return await gateway.list_jobs_for_org(
            self._session, self._actor.org_id, filters, page
        )

    async def cancel_job(self, job_id: UUID) -> Job:
        """Cancel at once what waits; ask a worker to stop what runs."""
        self._actor.require(*CHANGERS)
        job = await self._lock(job_id)
        before, job.state = job.state, next_state(job.state, JobEvent.CANCEL)
        if job.state is before:
            return job
        job.cancel_requested_at = now()
        if job.state is JobState.CANCELLED:
            job.finished_at = now()
            await carry.announce_end(self._session, job.id)
        else:
            await carry.request_stop(self._session, job.engine_id)
        await self._record(job)
        return job

    async def retry_job(self, job_id: UUID) -> Job:
        """Queue a failed job once more."""
        self._actor.require(*CHANGERS)
        job = await self._lock(job_id)
        job.state = next_state(job.state, JobEvent.REDRIVE)
        job.failures = 0
        job.error = job.finished_at = job.cancel_requested_at = job.run_id = None
        # A new engine row: the old one may not have been forgotten yet.
        [job.engine_id] = await carry.reserve_ids(self._session, 1)
        with conflict_on(DEDUPE_INDEX, JobAlreadyQueuedError(job.dedupe_key)):
            await self._session.flush()
        await self._carry([job])
        await self._record(job)
        self._tell(job)
        return job

    def _tell(self, job: Job) -> None:
        if self._announce is not None:
            self._announce(job)

    def _row(
        self,
        name: str,
        priority: int,
        ids: Mapping[str, Scalar],
        dedupe_key: str | None = None,
    ) -> dict[str, Any]:
        return {
            "id": new_id(),
            "created_at": now(),
            "org_id": self._actor.org_id,
            "kind": name,
            "state": JobState.PENDING,
            "priority": priority,
            "dedupe_key": dedupe_key,
            "args": {key: _plain(value) for key, value in ids.items()},
            "progress_peak": 0,
            "attempts": 0,
            "failures": 0,
            "actor_user_id": self._actor.user_id,
            "actor_api_key_id": self._actor.api_key_id,
            "actor_name": self._actor.name,
            "actor_role": self._actor.role,
            "request_id": self._actor.request_id,
        }

    async def _add(self, rows: list[dict[str, Any]], delay_s: float) -> list[Job]:
        engine_ids = await carry.reserve_ids(self._session, len(rows))
        backlog = await self._backlog()
        for row, engine_id in zip(rows, engine_ids, strict=True):
            row["engine_id"] = engine_id
        jobs = await gateway.add_jobs(self._session, rows)
        await self._carry(jobs, backlog, delay_s)
        return jobs

    async def _carry(
        self, jobs: Sequence[Job], backlog: int = 0, delay_s: float = 0
    ) -> None:
        if not jobs:
            return
        loads = [
            carry.Load(
                engine_id=job.engine_id,
                kind=job.kind,
                org_id=job.org_id,
                job_id=job.id,
                priority=job.priority,
                rank=backlog + place,
                delay_s=delay_s,
            )
            for place, job in enumerate(jobs)
        ]
        await carry.carry(self._session, loads)

    async def _backlog(self) -> int:
        """Return how far back the organisation's next job queues.

        The n-th unfinished job of one organisation stands behind the first of another.
        """
        return await gateway.count_unfinished_for_org(
            self._session, self._actor.org_id, at_most=carry.RANKS
        )

    async def _holder(self, row: dict[str, Any], delay_s: float) -> Job:
        """Return the job that holds the key, or our own if it has just ended."""
        for _ in range(3):
            held = await gateway.get_live_job_by_key_for_org(
                self._session, self._actor.org_id, row["dedupe_key"]
            )
            found = [held] if held else await self._add([row], delay_s)
            if found:
                return found[0]
        raise JobAlreadyQueuedError(row["dedupe_key"])

    async def _lock(self, job_id: UUID) -> Job:
        job = await gateway.lock_job_for_org(self._session, self._actor.org_id, job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        return job

    async def _record(self, job: Job) -> None:
        await self._activity.record(
            "update", "job", job.id, details={"kind": job.kind, "state": job.state}
        )


class JobReads:
    """The hot reads of an organisation's jobs, as JSON members."""

    def __init__(self, reads: Reads, actor: Actor) -> None:
        self._reads = reads
        self._actor = actor

    async def get_job(self, job_id: UUID) -> dict[str, Any]:
        """Return one job of the organisation."""
        row = await gateway.get_job_row_for_org(self._reads, self._actor.org_id, job_id)
        if row is None:
            raise JobNotFoundError(job_id)
        return members_of(row, "progress", "error")


class OperatorJobs:
    """Jobs of all organisations, for operators; needs a system transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_jobs(self, filters: JobFilters, limit: int) -> list[Job]:
        """Return jobs, the newest first."""
        return await gateway.list_jobs_for_system(self._session, filters, limit=limit)

    async def find_jobs(self, job_id: UUID | None) -> list[Job]:
        """Return one job, or all failed ones where no id is given."""
        if job_id is None:
            failed = JobFilters(state=JobState.FAILED)
            return await self.list_jobs(failed, MAX_REDRIVEN)
        job = await gateway.get_job_for_system(self._session, job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        return [job]

    async def queue_depth(self) -> list[upkeep.Depth]:
        """Return how much waits and runs, by kind, and since when."""
        return await upkeep.queue_depth(self._session)


def _plain(value: Scalar) -> str | int | bool | None:
    return str(value) if isinstance(value, UUID) else value
