"""Routes of knowledge."""

from dossier.knowledge.router.chunks import router as chunks_router
from dossier.knowledge.router.search import router as search_router

routers = (chunks_router, search_router)
