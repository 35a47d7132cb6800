"""Routes of the product information file."""

from dossier.pif.router.pif import router as pif_router
from dossier.pif.router.version import router as version_router

routers = (pif_router, version_router)
