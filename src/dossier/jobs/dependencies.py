"""Dependencies of jobs; higher domains use the aliases."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from dossier.core.schemas import Instant
from dossier.core.web import CurrentActor, RequestSession
from dossier.jobs.constants import JOB_RETRY_AFTER_S, JobState
from dossier.jobs.follower import JobFollower
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobFilters

JOBS_PATH = "/api/v1/jobs"


async def get_jobs_service(session: RequestSession, actor: CurrentActor) -> JobsService:
    """Build the service from the request's transaction and actor."""
    return JobsService(session, actor)


Jobs = Annotated[JobsService, Depends(get_jobs_service)]


async def name_job_in_response(jobs: Jobs, response: Response) -> None:
    """Set the headers that name the job which this request enqueues."""

    def announce(job: Job) -> None:
        response.headers["Location"] = f"{JOBS_PATH}/{job.id}"
        response.headers["Retry-After"] = str(JOB_RETRY_AFTER_S)

    jobs.on_enqueue(announce)


LocationOfJob = Depends(name_job_in_response)
"""Sets `Location` and `Retry-After` on a 202; goes into a route's `dependencies`."""


async def get_filters(
    state: JobState | None = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z_]+\.[a-z_]+$")] = None,
    created_after: Instant | None = None,
    created_before: Instant | None = None,
) -> JobFilters:
    """Read the filters of a list."""
    return JobFilters(state, kind, created_after, created_before)


Filters = Annotated[JobFilters, Depends(get_filters)]


async def get_follower(request: Request) -> JobFollower:
    """Return the follower of this process."""
    follower: JobFollower = request.app.state.job_follower
    return follower


Follower = Annotated[JobFollower, Depends(get_follower)]
