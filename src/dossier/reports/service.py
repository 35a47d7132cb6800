"""Use cases of reports: request one, list and show them, open their files."""

from datetime import date
from functools import partial
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.downloads import Content
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor
from dossier.integrations.storage.client import ObjectStore
from dossier.jobs.constants import JobState
from dossier.jobs.kinds import declare
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind
from dossier.pif.constants import Market
from dossier.pif.models import PifVersion
from dossier.pif.service.versions import VersionsService
from dossier.reports import gateway
from dossier.reports.constants import (
    MEDIA_TYPES,
    RENDER_TASK,
    REQUESTERS,
    VIEWED,
    ReportFile,
)
from dossier.reports.exceptions import ReportNotFoundError, ReportNotReadyError
from dossier.reports.models import Report

declare(JobKind(RENDER_TASK))

_UNSUCCESSFUL = (JobState.FAILED, JobState.CANCELLED)


class ReportsService:
    """The reports of one organisation."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        versions: VersionsService,
        jobs: JobsService,
        store: ObjectStore,
    ) -> None:
        self._session = session
        self._actor = actor
        self._versions = versions
        self._jobs = jobs
        self._store = store
        self._activity = ActivityService(session, actor)

    async def request_report(
        self, product_id: UUID, market: Market, as_of: date | None = None
    ) -> Job:
        """Freeze the present state and print it; a version is printed once.

        Returns the job: a new one, or the one that prints or has printed the version.
        """
        self._actor.require(*REQUESTERS)
        frozen = await self._versions.snapshot_version(product_id, market, as_of)
        return await self.request_print(frozen.version)

    async def request_print(self, version: PifVersion) -> Job:
        """Enqueue the printing of a version, once."""
        self._actor.require(*REQUESTERS)
        await gateway.add_report(
            self._session,
            {
                "id": new_id(),
                "created_at": now(),
                "org_id": self._actor.org_id,
                "product_id": version.product_id,
                "version_id": version.id,
                "version_number": version.number,
                "market": version.market,
            },
        )
        # Locked until the transaction ends.
        report = await gateway.lock_version_report_for_org(
            self._session, self._actor.org_id, version.id
        )
        if report is None:
            raise ReportNotFoundError(version.id)
        if report.job_id is not None:
            job = await self._jobs.get_job(report.job_id)
            if report.files is not None or job.state not in _UNSUCCESSFUL:
                return job
        return await self._enqueue(report)

    async def reprint(self, report_id: UUID) -> Job:
        """Enqueue another printing of a report whose files are missing in the store."""
        self._actor.require(*REQUESTERS)
        report = await self.get_report(report_id)
        report.files = report.page_count = report.rendered_at = None
        return await self._enqueue(report)

    async def get_report(self, report_id: UUID) -> Report:
        """Return one report, or raise."""
        report = await gateway.get_report_for_org(
            self._session, self._actor.org_id, report_id
        )
        if report is None:
            raise ReportNotFoundError(report_id)
        return report

    async def list_reports(
        self, product_id: UUID | None, page: PageParams
    ) -> Slice[Report]:
        """Return one page of reports, newest first."""
        return await gateway.list_reports_for_org(
            self._session, self._actor.org_id, product_id, page
        )

    async def open_file(self, report_id: UUID, name: ReportFile) -> Content:
        """Return one file for sending, and record that it was read."""
        report = await self.get_report(report_id)
        if report.files is None:
            detail = "GET its job to see how far it is, or why it failed."
            raise ReportNotReadyError(detail)
        await self._activity.record(
            "view" if name in VIEWED else "export",
            "report",
            report.id,
            details={"file": name, "version_number": report.version_number},
        )
        file = report.files[name]
        return Content(
            read=partial(self._store.read, file["key"]),
            size_bytes=file["size_bytes"],
            sha256=file["sha256"],
            filename=file["filename"],
            media_type=MEDIA_TYPES[name],
        )

    async def _enqueue(self, report: Report) -> Job:
        job = await self._jobs.enqueue(RENDER_TASK, report_id=report.id)
        report.job_id = job.id
        await self._activity.record(
            "create",
            "report",
            report.id,
            details={
                "product_id": str(report.product_id),
                "market": report.market,
                "version_number": report.version_number,
                "job_id": str(job.id),
            },
        )
        return job


def path_of(report_id: UUID) -> str:
    """Return where clients find a report."""
    return f"/api/v1/reports/{report_id}"
