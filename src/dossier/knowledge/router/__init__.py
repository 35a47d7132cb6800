"""Routes of knowledge."""

from dossier.knowledge.router.chunks import router as chunks_router
from dossier.knowledge.router.search import router as search

routers = (chunks_router, search)
