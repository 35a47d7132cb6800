"""Dependencies of reports."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.documents.dependencies import Store
from dossier.jobs.dependencies import Jobs
from dossier.pif.dependencies import Versions
from dossier.reports.service import ReportsService


async def get_reports_service(
    session: RequestSession,
    actor: CurrentActor,
    versions: Versions,
    jobs: Jobs,
    store: Store,
) -> ReportsService:
    """Build the service from the request's transaction and actor."""
    return ReportsService(session, actor, versions, jobs, store)


Reports = Annotated[ReportsService, Depends(get_reports_service)]
