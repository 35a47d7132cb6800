"""What the domains offer to web and worker: routers, and executors of runs."""

from fastapi import APIRouter

from dossier.accounts.router import router as accounts
from dossier.activity.router import router as activity
from dossier.ai.router import router as ai
from dossier.chat.router import routers as chat
from dossier.core.catalogue import router as problems
from dossier.core.docs_pages import router as docs_pages
from dossier.core.health import router as health
from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.documents.router import router as documents
from dossier.jobs.router import router as jobs
from dossier.pif.router import routers as pif
from dossier.products.router import routers as products
from dossier.reports.router import router as reports
from dossier.runs.service import Executor

ROOT_ROUTERS: tuple[APIRouter, ...] = (health, problems, docs_pages)

API_PREFIX = "/api/v1"

API_ROUTERS: tuple[APIRouter, ...] = (
    accounts,
    activity,
    ai,
    *chat,
    documents,
    jobs,
    *pif,
    *products,
    reports,
)


def make_executors(_settings: Settings, _database: Database) -> dict[str, Executor]:
    """Return what executes each kind of run, in the web process and the worker."""
    return {}
