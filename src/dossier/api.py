"""What the domains offer to web and worker: routers, and the kinds of job."""

from fastapi import APIRouter

from dossier.accounts.router import router as accounts
from dossier.activity.router import router as activity
from dossier.ai.router import router as ai
from dossier.chat.router import router as chat
from dossier.chat.service import answers
from dossier.core.catalogue import router as problems
from dossier.core.docs_pages import router as docs_pages
from dossier.core.health import router as health
from dossier.core.settings import Settings
from dossier.documents import service as documents_service
from dossier.documents.router import router as documents
from dossier.jobs.router import router as jobs
from dossier.knowledge.router import routers as knowledge
from dossier.knowledge.service import indexing
from dossier.pif.router import router as pif
from dossier.products.router import routers as products
from dossier.reports import service as reports_service
from dossier.reports.router import router as reports
from dossier.sources.ports import CentralService
from dossier.sources.service import central

# What declares kinds of jobs, so that every process knows all of them.
DECLARING = (documents_service, indexing, reports_service, central, answers)

ROOT_ROUTERS: tuple[APIRouter, ...] = (health, problems, docs_pages)

API_PREFIX = "/api/v1"

# FastAPI tries each route in turn, 5 to 10 µs each: what is asked most comes first.
API_ROUTERS: tuple[APIRouter, ...] = (
    *products,
    pif,
    activity,
    jobs,
    documents,
    chat,
    *knowledge,
    accounts,
    ai,
    reports,
)


def central_service(settings: Settings) -> CentralService | None:
    """Return the central retrieval service, where one is set."""
    knowledge = settings.knowledge
    if knowledge.central_url is None:
        return None
    from dossier.integrations.rag.client import (  # noqa: PLC0415 - the HTTP client
        open_central,
    )

    key = knowledge.central_api_key
    return open_central(knowledge.central_url, key.get_secret_value() if key else None)
