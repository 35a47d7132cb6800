"""Routes of knowledge."""

from dossier.knowledge.router.search import router as search

routers = (search,)
