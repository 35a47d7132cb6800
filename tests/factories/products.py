"""Products for tests."""

from typing import Any
from uuid import UUID

from tests.factories.documents import make_document

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.products.models import Product, ProductDocument
from dossier.products.schemas import ProductCreate
from dossier.products.service.products import ProductsService

MINIMAL: dict[str, Any] = {
    "name_en": "Rose Moisture Cream",
    "category": "face_cream",
    "use": "leave_on",
    "holder": {"name": "Rose Maison Co."},
}

WHOLE: dict[str, Any] = MINIMAL | {
    "code": "RC-01",
    "name_zh": "玫瑰保濕面霜",
    "dosage_form": "cream",
    "body_site": "face",
    "population": "adults",
    "intended_use": "moisturises the skin",
    "usage": {"method": "spread", "amount": "0.8 g", "frequency": "twice a day"},
    "sites": [
        {
            "step": "filling",
            "name": "Dawn Works",
            "address": "1 Harbour Road, Taoyuan",
            "country": "TW",
        }
    ],
    "holder": {
        "name": "Rose Maison Co.",
        "address": "5 Rose Street, Taipei",
        "phone": "+886 2 5550 0100",
    },
    "markets": ["tw"],
}


async def make_product(
    sessions: SessionFactory, org_id: UUID, **overrides: Any
) -> Product:
    """Insert a product with the least that a product needs."""
    body = ProductCreate.model_validate(MINIMAL | overrides)
    async with tenant_transaction(sessions, org_id) as session:
        actor = Actor.system(org_id)
        service = ProductsService(session, actor, DocumentsService(session, actor))
        return await service.create_product(body)


async def make_link(
    sessions: SessionFactory, org_id: UUID, **overrides: Any
) -> ProductDocument:
    """Link a new document to an item of a new product."""
    product = await make_product(sessions, org_id, code="linked")
    document = await make_document(sessions, org_id, b"linked")
    values: dict[str, Any] = {"item": 4} | overrides
    async with tenant_transaction(sessions, org_id) as session:
        actor = Actor.system(org_id)
        service = ProductsService(session, actor, DocumentsService(session, actor))
        return await service.link_document(product.id, document.id, **values)
