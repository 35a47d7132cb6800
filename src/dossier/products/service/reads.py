"""The hot reads of products: no objects are built between driver and client."""

from typing import Any
from uuid import UUID

from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Reads
from dossier.core.tenancy import Actor
from dossier.products import gateway
from dossier.products.exceptions import ProductNotFoundError
from dossier.products.schemas import product_json


class ProductReads:
    """The products of one organisation, as JSON members."""

    def __init__(self, reads: Reads, actor: Actor) -> None:
        self._reads = reads
        self._actor = actor

    async def get_product(self, product_id: UUID) -> dict[str, Any]:
        """Return one product, or raise."""
        row = await gateway.get_product_row_for_org(
            self._reads, self._actor.org_id, product_id
        )
        if row is None:
            raise ProductNotFoundError(product_id)
        return product_json(row)

    async def list_products(self, page: PageParams) -> Slice[dict[str, Any]]:
        """Return one page, newest first."""
        rows, total = await gateway.list_product_rows_for_org(
            self._reads, self._actor.org_id, page
        )
        items = [product_json(row) for row in rows]
        return Slice(items, total, page.limit, page.offset)
