"""Wiring of reports."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.documents.dependencies import Store
from dossier.jobs.dependencies import Jobs
from dossier.pif.dependencies import Pif
from dossier.reports.service import ReportsService


async def get_reports_service(
    session: RequestSession, actor: CurrentActor, pif: Pif, jobs: Jobs, store: Store
) -> ReportsService:
    """Build the service from the request's transaction and actor."""
    return ReportsService(session, actor, pif, jobs, store)


Reports = Annotated[ReportsService, Depends(get_reports_service)]
