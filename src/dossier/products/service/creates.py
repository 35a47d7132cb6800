"""The hot create of products: one statement for the product and its event."""

from dossier.activity.service import ActivityRecorder
from dossier.core.creates import Creates
from dossier.core.tenancy import Actor
from dossier.products import gateway
from dossier.products.models import Product
from dossier.products.schemas import ProductCreate
from dossier.products.service.product import WRITERS, clash_of, product_of


class ProductCreates:
    """States products of one organisation."""

    def __init__(self, creates: Creates, actor: Actor) -> None:
        self._creates = creates
        self._actor = actor
        self._activity = ActivityRecorder(creates, actor)

    async def create_product(self, body: ProductCreate) -> Product:
        """Take a product along that the edge stores; its identity is unique."""
        self._actor.require(*WRITERS)
        product = product_of(self._actor.org_id, body)
        gateway.add_new_product(self._creates, product, clash_of(product))
        await self._activity.record(
            "create", "product", product.id, details={"category": product.category}
        )
        return product
