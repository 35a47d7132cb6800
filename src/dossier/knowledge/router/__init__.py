"""Routes of knowledge."""

from dossier.knowledge.router.chunks import router as chunks
from dossier.knowledge.router.search import router as search

routers = (chunks, search)
