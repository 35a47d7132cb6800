"""Wiring of products."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.documents.dependencies import Documents
from dossier.products.service import ProductsService


async def get_products_service(
    session: RequestSession, actor: CurrentActor, documents: Documents
) -> ProductsService:
    """Build the service from the request's transaction and actor."""
    return ProductsService(session, actor, documents)


Products = Annotated[ProductsService, Depends(get_products_service)]
