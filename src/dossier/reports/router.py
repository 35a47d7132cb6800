"""Routes that request the printed file and download it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import StreamingResponse

from dossier.core.downloads import DOWNLOAD_RESPONSES, download
from dossier.core.pagination import Paging, Slice
from dossier.core.prefer import PreferRoute
from dossier.core.problems import PROBLEM_CONTENT
from dossier.core.schemas import Page
from dossier.jobs.constants import JobState
from dossier.jobs.dependencies import JOBS_PATH, LocationOfJob
from dossier.jobs.models import Job
from dossier.jobs.schemas import JobResponse
from dossier.reports.constants import ReportFile
from dossier.reports.dependencies import Reports
from dossier.reports.models import Report
from dossier.reports.schemas import ReportRequest, ReportResponse

router = APIRouter(tags=["reports"], route_class=PreferRoute)

_DOWNLOAD_RESPONSES: dict[int | str, dict[str, Any]] = DOWNLOAD_RESPONSES | {
    409: {
        "description": "The report's job has not made its files.",
        "content": PROBLEM_CONTENT,
    }
}


@router.post(
    "/products/{product_id}/pif/reports",
    response_model=JobResponse,
    status_code=status.HTTP_202_ACCEPTED,
    responses={200: {"description": "This version has been printed before."}},
    dependencies=[LocationOfJob],
)
async def request_report(
    product_id: UUID,
    reports: Reports,
    response: Response,
    body: ReportRequest | None = None,
) -> Job:
    """Freeze the present state as a version and have it printed.

    An unchanged state gives no new version, and a version is printed once.
    """
    request = body or ReportRequest()
    job = await reports.request_report(product_id, request.market)
    response.headers["Location"] = f"{JOBS_PATH}/{job.id}"
    if job.state is JobState.DONE:
        response.status_code = status.HTTP_200_OK
    return job


@router.get("/reports", response_model=Page[ReportResponse])
async def list_reports(
    reports: Reports, paging: Paging, product_id: UUID | None = None
) -> Slice[Report]:
    """List reports, newest first."""
    return await reports.list_reports(product_id, paging)


@router.get("/reports/{report_id}", response_model=ReportResponse)
async def get_report(report_id: UUID, reports: Reports) -> Report:
    """Show one report and its files."""
    return await reports.get_report(report_id)


@router.get(
    "/reports/{report_id}/pif.pdf",
    response_class=StreamingResponse,
    responses=_DOWNLOAD_RESPONSES,
)
async def download_pdf(report_id: UUID, reports: Reports, request: Request) -> Response:
    """Fetch the printed file."""
    return download(request, await reports.open_file(report_id, ReportFile.PDF))


@router.get(
    "/reports/{report_id}/findings.json",
    response_class=StreamingResponse,
    responses=_DOWNLOAD_RESPONSES,
)
async def download_findings(
    report_id: UUID, reports: Reports, request: Request
) -> Response:
    """Fetch the findings for machines."""
    return download(request, await reports.open_file(report_id, ReportFile.FINDINGS))


@router.get(
    "/reports/{report_id}/inspection.zip",
    response_class=StreamingResponse,
    responses=_DOWNLOAD_RESPONSES,
)
async def download_archive(
    report_id: UUID, reports: Reports, request: Request
) -> Response:
    """Fetch the file with its findings, originals and manifest."""
    return download(request, await reports.open_file(report_id, ReportFile.ARCHIVE))
