"""The routers of all domains, and the modules that declare kinds of job."""

from fastapi import APIRouter

from dossier.accounts.router import router as accounts
from dossier.activity.router import router as activity
from dossier.ai.router import router as ai
from dossier.chat.router import router as chat
from dossier.chat.service import answers
from dossier.core.catalogue import router as problems
from dossier.core.docs_pages import router as docs_pages
from dossier.core.health import router as health
from dossier.documents import service as documents_service
from dossier.documents.router import router as documents
from dossier.jobs.router import router as jobs
from dossier.knowledge.router import router as knowledge
from dossier.knowledge.service import indexing
from dossier.pif.router import router as pif
from dossier.products.router import routers as products
from dossier.regulations.router import router as regulations
from dossier.reports import service as reports_service
from dossier.reports.router import router as reports
from dossier.sources import service as sources_service
from dossier.workflows.kinds import all as workflow_kinds
from dossier.workflows.router import router as workflows

# What declares kinds of jobs, so that every process knows all of them.
DECLARING = (
    answers,
    documents_service,
    indexing,
    reports_service,
    sources_service,
    workflow_kinds,
)

ROOT_ROUTERS: tuple[APIRouter, ...] = (health, problems, docs_pages)

API_PREFIX = "/api/v1"

# FastAPI tries each route in turn, 5 to 10 µs each: the most frequent come first.
API_ROUTERS: tuple[APIRouter, ...] = (
    *products,
    pif,
    activity,
    jobs,
    documents,
    chat,
    workflows,
    knowledge,
    accounts,
    ai,
    regulations,
    reports,
)
