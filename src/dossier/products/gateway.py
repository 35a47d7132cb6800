"""Every query on products, their linked documents and their formula versions."""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    cast,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.database import Session, conflict_on
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect
from dossier.products.constants import ProductState
from dossier.products.exceptions import (
    LinkExistsError,
    ProductExistsError,
    ProductInUseError,
)
from dossier.products.models import (
    FormulaLine,
    FormulaVersion,
    Product,
    ProductDocument,
)
from dossier.products.schemas import ProductResponse
from dossier.products.types import ProductFilter

_LINK_KEY = "uq_product_documents_product_id_document_id_item_requirement"
_IDENTITY_KEY = "uq_products_org_id_identity_key"
_KEPT_KEYS = (
    "fk_pif_versions_org_id_product_id_products",
    "fk_reports_org_id_product_id_products",
    "fk_chat_rooms_org_id_product_id_products",
)
"""Foreign keys of the floors above that do not cascade: what they keep stays."""
_PRODUCTS = select(
    *(getattr(Product, name) for name in ProductResponse.model_fields)
).where(Product.org_id == ORG_ID)
_ONE = TenantSelect(_PRODUCTS.where(Product.id == bindparam("product_id")))


_PATTERN: Final = bindparam("search", type_=Text())
_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "search": or_(
        *(
            column.ilike(_PATTERN, escape="/")
            for column in (
                Product.code,
                Product.name_zh,
                Product.name_en,
                cast(Product.aliases, Text),
            )
        )
    ),
    "category": Product.category == bindparam("category"),
    "market": Product.markets.contains(bindparam("market", type_=JSONB())),
}
_HAS_FORMULA = (
    select(FormulaVersion.id)
    .where(FormulaVersion.org_id == ORG_ID, FormulaVersion.product_id == Product.id)
    .exists()
)


async def list_products_for_org(
    reader: TenantReader, org_id: UUID, wanted: ProductFilter, page: PageParams
) -> Slice[Row]:
    """Return one page of products, the newest first."""
    values: dict[str, Any] = {}
    if wanted.search is not None:
        values["search"] = "%" + re.sub("([/%_])", r"/\1", wanted.search) + "%"
    if wanted.category is not None:
        values["category"] = wanted.category
    if wanted.market is not None:
        values["market"] = [wanted.market]
    listed = _list_statement(
        frozenset(values), wanted.state, is_archived=wanted.archived
    )
    return await reader.page(listed, org_id, page, **values)


@cache
def _list_statement(
    wanted: frozenset[str], state: ProductState | None, *, is_archived: bool
) -> TenantPage:
    at = Product.archived_at
    query = _PRODUCTS.where(at.is_not(None) if is_archived else at.is_(None))
    if state is not None:
        is_with = state is ProductState.WITH_FORMULA
        query = query.where(_HAS_FORMULA if is_with else ~_HAS_FORMULA)
    return TenantPage(
        query.where(*(_CONDITIONS[name] for name in sorted(wanted))).order_by(
            Product.created_at.desc(), Product.id.desc()
        )
    )


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
    """Return one product and lock it; rows that refer to it can still be read."""
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
    with conflict_on(_IDENTITY_KEY, clash):
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
    with conflict_on(_IDENTITY_KEY, clash):
        await session.execute(statement)


async def delete_product_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> None:
    """Delete a product with its links and decisions; what else names it refuses."""
    with ExitStack() as refusals:
        for key in _KEPT_KEYS:
            refusals.enter_context(conflict_on(key, ProductInUseError(product_id)))
        await session.execute(
            delete(Product).where(Product.id == product_id, Product.org_id == org_id)
        )


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
    """Return those of the documents that are linked to a product."""
    query = select(ProductDocument.document_id).where(
        ProductDocument.org_id == org_id, ProductDocument.document_id.in_(document_ids)
    )
    return set((await session.scalars(query)).all())


async def list_items_of_document_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Sequence[tuple[Product, ProductDocument]]:
    """Return a document's links with their products, the oldest product first."""
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
    with conflict_on(_LINK_KEY, LinkExistsError()):
        await session.flush()


async def set_formula_of_links_for_org(
    session: Session, org_id: UUID, product_id: UUID, content: dict[str, str] | None
) -> None:
    """Store the formula with links that were made when none was there."""
    statement = (
        update(ProductDocument)
        .where(
            ProductDocument.org_id == org_id,
            ProductDocument.product_id == product_id,
            ProductDocument.formula.is_(None),
        )
        .values(formula=content)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def delete_link_for_org(session: Session, org_id: UUID, link_id: UUID) -> None:
    """Delete a link; the document stays."""
    statement = delete(ProductDocument).where(
        ProductDocument.org_id == org_id, ProductDocument.id == link_id
    )
    await session.execute(statement)


async def add_formula(
    session: Session, version: FormulaVersion, lines: Sequence[dict[str, Any]]
) -> None:
    """Insert a version with all of its lines in one statement."""
    session.add(version)
    await session.flush()
    if lines:
        owner = {"org_id": version.org_id, "version_id": version.id}
        await session.execute(insert(FormulaLine), [owner | line for line in lines])


async def get_formula_for_org(
    session: Session, org_id: UUID, product_id: UUID, number: int
) -> FormulaVersion | None:
    """Return one version of a product's formula, or `None`."""
    query = select(FormulaVersion).where(
        FormulaVersion.org_id == org_id,
        FormulaVersion.product_id == product_id,
        FormulaVersion.number == number,
    )
    return (await session.scalars(query)).one_or_none()


async def get_latest_formula_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> FormulaVersion | None:
    """Return the newest version of a product's formula, or `None`."""
    query = (
        select(FormulaVersion)
        .where(FormulaVersion.org_id == org_id, FormulaVersion.product_id == product_id)
        .order_by(FormulaVersion.number.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def list_formulas_for_org(
    session: Session, org_id: UUID, product_id: UUID, page: PageParams
) -> Slice[FormulaVersion]:
    """Return one page of a product's versions, the newest first."""
    query = (
        select(FormulaVersion)
        .where(FormulaVersion.org_id == org_id, FormulaVersion.product_id == product_id)
        .order_by(FormulaVersion.number.desc())
    )
    return await paginate(session, query, page)


async def list_formula_lines_for_org(
    session: Session, org_id: UUID, version_id: UUID
) -> Sequence[FormulaLine]:
    """Return the lines of a version in the order of its sheet."""
    query = (
        select(FormulaLine)
        .where(FormulaLine.org_id == org_id, FormulaLine.version_id == version_id)
        .order_by(FormulaLine.position)
    )
    return (await session.scalars(query)).all()
