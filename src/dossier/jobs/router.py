"""Routes that show, cancel and retry jobs."""

from uuid import UUID

from fastapi import APIRouter, status

from dossier.core.pagination import Paging, Slice
from dossier.core.prefer import PreferRoute
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import Reader
from dossier.jobs import service
from dossier.jobs.dependencies import Filters, Jobs, LocationOfJob
from dossier.jobs.models import Job
from dossier.jobs.schemas import JobResponse

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=PreferRoute)


@router.get("", response_model=Page[JobResponse])
async def list_jobs(reader: Reader, filters: Filters, paging: Paging) -> Slice[Row]:
    """List the organisation's jobs, newest first."""
    return await service.list_jobs(reader, filters, paging)


@router.get("/{job_id}", response_model=JobResponse)
async def get_job(job_id: UUID, reader: Reader) -> Row:
    """Show one job; a failed one is a 200 with its problem in `error`."""
    return await service.read_job(reader, job_id)


@router.post("/{job_id}/cancel", response_model=JobResponse)
async def cancel_job(job_id: UUID, jobs: Jobs) -> Job:
    """Stop a job; one that runs is `cancelling` until its worker confirms."""
    return await jobs.cancel_job(job_id)


@router.post(
    "/{job_id}/retry",
    response_model=JobResponse,
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[LocationOfJob],
)
async def retry_job(job_id: UUID, jobs: Jobs) -> Job:
    """Queue a failed job once more."""
    return await jobs.retry_job(job_id)
