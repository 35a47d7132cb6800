"""Every query on products."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from dossier.core.database import Session, conflict_on
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect
from dossier.products.exceptions import ProductExistsError
from dossier.products.models import Product
from dossier.products.schemas import ProductResponse

_IDENTITY = "uq_products_org_id_identity_key"
_PRODUCTS = select(
    *(getattr(Product, name) for name in ProductResponse.model_fields)
).where(Product.org_id == ORG_ID)
_LIST = TenantPage(_PRODUCTS.order_by(Product.created_at.desc(), Product.id.desc()))
_ONE = TenantSelect(_PRODUCTS.where(Product.id == bindparam("product_id")))


async def list_products_for_org(
    reader: TenantReader, org_id: UUID, page: PageParams
) -> Slice[Row]:
    """Return one page of products, the newest first."""
    return await reader.page(_LIST, org_id, page)


async def read_product_for_org(
    reader: TenantReader, org_id: UUID, product_id: UUID
) -> Row | None:
    """Return what clients see of one product."""
    return await reader.row(_ONE, org_id, product_id=product_id)


async def list_products_for_system(session: Session) -> list[tuple[UUID, UUID]]:
    """Return organisation and id of every product, the oldest first."""
    query = select(Product.org_id, Product.id).order_by(Product.id)
    return [(row.org_id, row.id) for row in await session.execute(query)]


async def get_product_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> Product | None:
    """Return one product, or `None` if it is not this organisation's."""
    query = select(Product).where(Product.id == product_id, Product.org_id == org_id)
    return (await session.scalars(query)).one_or_none()


async def find_product_by_identity_for_org(
    session: Session, org_id: UUID, identity_key: str
) -> Product | None:
    """Return the product with this identity, if there is one."""
    query = select(Product).where(
        Product.org_id == org_id, Product.identity_key == identity_key
    )
    return (await session.scalars(query)).one_or_none()


async def lock_product_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> Product | None:
    """Return one product and keep others from changing what hangs on it."""
    query = (
        select(Product)
        .where(Product.id == product_id, Product.org_id == org_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)  # what was read before may be old
    )
    return (await session.scalars(query)).one_or_none()


async def add_product(
    session: Session, product: Product, clash: ProductExistsError
) -> None:
    """Insert a product; its identity is unique in the organisation."""
    session.add(product)
    with conflict_on(_IDENTITY, clash):
        await session.flush()


async def update_product_for_org(
    session: Session,
    org_id: UUID,
    product_id: UUID,
    values: dict[str, Any],
    clash: ProductExistsError,
) -> None:
    """Change columns of one product; its identity stays unique."""
    statement = (
        update(Product)
        .where(Product.id == product_id, Product.org_id == org_id)
        .values(values)
    )
    with conflict_on(_IDENTITY, clash):
        await session.execute(statement)
