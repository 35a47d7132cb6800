"""Wiring of the product information file."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.documents.dependencies import Documents
from dossier.pif.service import PifService
from dossier.products.dependencies import Products


class NoFormulas:
    """Knows of no formula, as long as none can be imported."""

    async def latest(self, product_id: UUID, /) -> None:
        """Return that there is none."""
        del product_id

    async def lines_of(self, version: Any, /) -> Sequence[Any]:
        """Return no lines."""
        del version
        return []


async def get_pif_service(
    session: RequestSession,
    actor: CurrentActor,
    products: Products,
    documents: Documents,
) -> PifService:
    """Build the service from the request's transaction and actor."""
    return PifService(session, actor, products, NoFormulas(), documents)


Pif = Annotated[PifService, Depends(get_pif_service)]
