"""Every query on products."""

from time import monotonic_ns
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select, update

from dossier.core.creates import Creates
from dossier.core.database import Session, conflict_on
from dossier.core.pagination import PageParams
from dossier.core.reads import Reads, bound
from dossier.products.exceptions import ProductExistsError
from dossier.products.models import Product

# What clients see, in the order that they see it. Spelled out rather than composed:
# the statements are constant texts, so the driver prepares each of them once.
# Keys and JSON leave the database as text, because they go to the client as they are.
_LIST = bound("""
select counted.total, page.*
from (
  select count(*) as total
  from (select 1 from products where org_id = bound.org_id limit $4) t
) counted
left join lateral (
  select id::text, code, name_zh, name_en, category, dosage_form, use, body_site,
         population, intended_use, usage::text, sites::text, holder::text,
         markets::text, created_at, updated_at
  from products where org_id = bound.org_id
  order by created_at desc, products.id desc limit $2 offset $3
) page on true
""")
_GET = bound("""
select id::text, code, name_zh, name_en, category, dosage_form, use, body_site,
       population, intended_use, usage::text, sites::text, holder::text, markets::text,
       created_at, updated_at
from products where org_id = bound.org_id and id = $2
""")
_IDENTITY = "uq_products_org_id_identity_key"
_LARGE: dict[UUID, int] = {}
"""Until when an organisation is known to be above the bound, by the process's clock.

To find that out takes 2 ms, six times the rest of the list.
"""

_LARGE_FOR_NS = 60 * 10**9


async def list_products_for_system(session: Session) -> list[tuple[UUID, UUID]]:
    """Return organisation and id of every product, the oldest first."""
    query = select(Product.org_id, Product.id).order_by(Product.id)
    return [(row.org_id, row.id) for row in await session.execute(query)]


async def list_product_rows_for_org(
    reads: Reads, org_id: UUID, page: PageParams
) -> tuple[list[asyncpg.Record], int | None]:
    """Return one page of products, newest first, as the driver gives them; the total.

    The total is `None` above the bound unless an exact figure is wanted.
    """
    counted_up_to = _counted_up_to(org_id, page)
    rows = await reads.rows(_LIST, org_id, page.limit, page.offset, counted_up_to)
    total = None if counted_up_to == 0 else page.total_of(rows[0]["total"])
    if total is None and counted_up_to != 0:
        _LARGE[org_id] = monotonic_ns() + _LARGE_FOR_NS
    return [row for row in rows if row["id"] is not None], total


def _counted_up_to(org_id: UUID, page: PageParams) -> int | None:
    is_known = _LARGE.get(org_id, 0) > monotonic_ns()
    return 0 if is_known and not page.include_total else page.counted_up_to


async def get_product_row_for_org(
    reads: Reads, org_id: UUID, product_id: UUID
) -> asyncpg.Record | None:
    """Return one product as the driver gives it, or `None`."""
    rows = await reads.rows(_GET, org_id, product_id)
    return rows[0] if rows else None


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


def add_new_product(
    creates: Creates, product: Product, clash: ProductExistsError
) -> None:
    """Take a product along; its identity is unique in the organisation."""
    creates.add(product, {_IDENTITY: clash})


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
