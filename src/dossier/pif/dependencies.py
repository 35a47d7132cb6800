"""Wiring of the product information file."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.documents.dependencies import Documents
from dossier.pif.service.confirmations import ConfirmationsService
from dossier.pif.service.pif import PifService
from dossier.products.dependencies import Formulas, Products


async def get_pif_service(
    session: RequestSession,
    actor: CurrentActor,
    products: Products,
    formulas: Formulas,
    documents: Documents,
) -> PifService:
    """Build the service from the request's transaction and actor."""
    return PifService(session, actor, products, formulas, documents)


Pif = Annotated[PifService, Depends(get_pif_service)]


async def get_confirmations_service(
    session: RequestSession,
    actor: CurrentActor,
    products: Products,
    documents: Documents,
) -> ConfirmationsService:
    """Build the service from the request's transaction and actor."""
    return ConfirmationsService(session, actor, products, documents)


Confirmations = Annotated[ConfirmationsService, Depends(get_confirmations_service)]
