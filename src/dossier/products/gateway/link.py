"""Every query on the links from papers to items."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select

from dossier.core.database import Session, conflict_on
from dossier.products.exceptions import LinkExistsError
from dossier.products.models import Product, ProductDocument

_UNIQUE = "uq_product_documents_product_id_document_id_item_requirement"


async def list_links_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> Sequence[ProductDocument]:
    """Return a product's links, by item, oldest first."""
    query = (
        select(ProductDocument)
        .where(
            ProductDocument.org_id == org_id, ProductDocument.product_id == product_id
        )
        .order_by(ProductDocument.item, ProductDocument.id)
    )
    return (await session.scalars(query)).all()


async def get_link_for_org(
    session: Session, org_id: UUID, product_id: UUID, link_id: UUID
) -> ProductDocument | None:
    """Return one link of a product, or `None`."""
    query = select(ProductDocument).where(
        ProductDocument.org_id == org_id,
        ProductDocument.product_id == product_id,
        ProductDocument.id == link_id,
    )
    return (await session.scalars(query)).one_or_none()


async def list_linked_document_ids_for_org(
    session: Session, org_id: UUID, document_ids: Sequence[UUID]
) -> set[UUID]:
    """Return those of the documents that some product rests on."""
    query = select(ProductDocument.document_id).where(
        ProductDocument.org_id == org_id, ProductDocument.document_id.in_(document_ids)
    )
    return set((await session.scalars(query)).all())


async def list_items_of_document_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Sequence[tuple[Product, ProductDocument]]:
    """Return a paper's links with their products, the oldest product first."""
    query = (
        select(Product, ProductDocument)
        .join(
            ProductDocument,
            (ProductDocument.org_id == Product.org_id)
            & (ProductDocument.product_id == Product.id),
        )
        .where(Product.org_id == org_id, ProductDocument.document_id == document_id)
        .order_by(Product.id, ProductDocument.item, ProductDocument.id)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def add_link(session: Session, link: ProductDocument) -> None:
    """Insert a link; the same one twice is refused."""
    session.add(link)
    with conflict_on(_UNIQUE, LinkExistsError()):
        await session.flush()


async def delete_link_for_org(session: Session, org_id: UUID, link_id: UUID) -> None:
    """Delete a link; the document stays."""
    statement = delete(ProductDocument).where(
        ProductDocument.org_id == org_id, ProductDocument.id == link_id
    )
    await session.execute(statement)
