"""Routes of knowledge."""

from dossier.knowledge.router.chunks import router as chunks_router

routers = (chunks_router,)
