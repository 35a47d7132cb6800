"""Wiring of the product information file."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.documents.dependencies import Documents
from dossier.pif.service.confirmations import ConfirmationsService
from dossier.pif.service.decisions import DecisionsService
from dossier.pif.service.matching import MatchingService
from dossier.pif.service.versions import VersionsService
from dossier.products.dependencies import Formulas, Products


async def get_decisions_service(
    session: RequestSession, actor: CurrentActor, products: Products
) -> DecisionsService:
    """Build the service from the request's transaction and actor."""
    return DecisionsService(session, actor, products)


Decisions = Annotated[DecisionsService, Depends(get_decisions_service)]


async def get_matching_service(
    products: Products, documents: Documents
) -> MatchingService:
    """Build the service on those of the request."""
    return MatchingService(products, documents)


Matching = Annotated[MatchingService, Depends(get_matching_service)]


async def get_versions_service(
    session: RequestSession,
    actor: CurrentActor,
    products: Products,
    formulas: Formulas,
    documents: Documents,
) -> VersionsService:
    """Build the service from the request's transaction and actor."""
    return VersionsService(session, actor, products, formulas, documents)


Versions = Annotated[VersionsService, Depends(get_versions_service)]


async def get_confirmations_service(
    session: RequestSession,
    actor: CurrentActor,
    products: Products,
    documents: Documents,
) -> ConfirmationsService:
    """Build the service from the request's transaction and actor."""
    return ConfirmationsService(session, actor, products, documents)


Confirmations = Annotated[ConfirmationsService, Depends(get_confirmations_service)]
