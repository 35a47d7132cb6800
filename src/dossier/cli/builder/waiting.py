"""Waits for jobs: listens for their ends, and looks when it has heard of one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from dossier.cli.builder.errors import JobFailedError
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.listening import Listener
from dossier.core.tenancy import Actor
from dossier.jobs.constants import EVENTS_CHANNEL, FINISHED, JobState
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService

# An announcement that was lost with a connection is made good by looking anyway.
LOOK_EVERY_S = 2.0


class JobWatch:
    """Sees the ends of one organisation's jobs."""

    def __init__(
        self, sessions: SessionFactory, actor: Actor, heard: asyncio.Event
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._heard = heard

    async def until_done(
        self, job_ids: Collection[UUID], on_end: Callable[[Job], None]
    ) -> None:
        """Return when every job has come to its end, good or bad."""
        waiting = set(job_ids)
        while waiting:
            self._heard.clear()
            for job in await self._ended(waiting):
                waiting.discard(job.id)
                on_end(job)
            if waiting:
                await self._hear()

    async def _hear(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), LOOK_EVERY_S)

    async def _ended(self, job_ids: Collection[UUID]) -> list[Job]:
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            service = JobsService(session, self._actor)
            jobs = [await service.get_job(job_id) for job_id in job_ids]
        return [job for job in jobs if job.state in FINISHED]


@asynccontextmanager
async def watching(
    url: str, sessions: SessionFactory, actor: Actor
) -> AsyncIterator[JobWatch]:
    """Listen for ends of jobs."""
    heard = asyncio.Event()
    listener = Listener(url, on_return=heard.set)
    try:
        await listener.add(EVENTS_CHANNEL, lambda _job_ids: heard.set())
        yield JobWatch(sessions, actor, heard)
    finally:
        await listener.close()


def require_done(job: Job) -> None:
    """Raise unless a job ended well.

    Raises:
        JobFailedError: it failed or was cancelled; its problem says why.
    """
    if job.state is not JobState.DONE:
        raise JobFailedError(job.kind, job.error or {})
