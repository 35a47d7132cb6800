"""Wiring of jobs; higher domains use the alias `Jobs`."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Response

from dossier.core.web import CurrentActor, RequestSession
from dossier.jobs.constants import RETRY_AFTER_S, JobState
from dossier.jobs.models import Job
from dossier.jobs.schemas import JobFilters
from dossier.jobs.service import JobsService

JOBS_PATH = "/api/v1/jobs"


async def get_jobs_service(session: RequestSession, actor: CurrentActor) -> JobsService:
    """Build the service from the request's transaction and actor."""
    return JobsService(session, actor)


Jobs = Annotated[JobsService, Depends(get_jobs_service)]


async def announce_job(jobs: Jobs, response: Response) -> None:
    """Name the job that this request enqueues in the answer's header."""

    def announce(job: Job) -> None:
        response.headers["Location"] = f"{JOBS_PATH}/{job.id}"
        response.headers["Retry-After"] = str(RETRY_AFTER_S)

    jobs.announce_to(announce)


LocationOfJob = Depends(announce_job)
"""Sets `Location` and `Retry-After` on a 202; goes into a route's `dependencies`."""


async def get_filters(
    state: JobState | None = None,
    kind: str | None = None,
    created_after: Annotated[datetime | None, Query()] = None,
    created_before: Annotated[datetime | None, Query()] = None,
) -> JobFilters:
    """Read the filters of a list."""
    return JobFilters(state, kind, created_after, created_before)


Filters = Annotated[JobFilters, Depends(get_filters)]
