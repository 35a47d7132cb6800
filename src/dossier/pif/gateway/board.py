"""What a board is computed from, in one statement."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ScalarSelect, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from dossier.core.reads import ORG_ID, Row, TenantReader, TenantSelect
from dossier.pif.models import PifDecision
from dossier.products.models import FormulaVersion, Product, ProductDocument

_NONE: Final = literal_column("'[]'::jsonb", JSONB)


def _links() -> ScalarSelect[Any]:
    link = func.jsonb_build_object(
        literal_column("'document_id'"),
        ProductDocument.document_id,
        literal_column("'item'"),
        ProductDocument.item,
        literal_column("'requirement'"),
        ProductDocument.requirement,
    )
    ordered = aggregate_order_by(link, ProductDocument.item, ProductDocument.id)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(
            ProductDocument.org_id == ORG_ID, ProductDocument.product_id == Product.id
        )
        .scalar_subquery()
    )


def _decisions() -> ScalarSelect[Any]:
    decision = func.jsonb_build_object(
        literal_column("'kind'"),
        PifDecision.kind,
        literal_column("'item'"),
        PifDecision.item,
        literal_column("'reason'"),
        PifDecision.reason,
        literal_column("'actor_name'"),
        PifDecision.actor_name,
        literal_column("'at'"),
        PifDecision.created_at,
    )
    return (
        select(
            func.coalesce(
                func.jsonb_agg(aggregate_order_by(decision, PifDecision.item)), _NONE
            )
        )
        .where(
            PifDecision.org_id == ORG_ID,
            PifDecision.product_id == Product.id,
            PifDecision.market == bindparam("market"),
        )
        .scalar_subquery()
    )


def _formula_findings() -> ScalarSelect[Any]:
    return (
        select(FormulaVersion.findings)
        .where(FormulaVersion.org_id == ORG_ID, FormulaVersion.product_id == Product.id)
        .order_by(FormulaVersion.number.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )


_BOARD = TenantSelect(
    select(
        Product.id,
        Product.name_zh,
        Product.name_en,
        Product.category,
        Product.dosage_form,
        Product.body_site,
        Product.population,
        Product.intended_use,
        Product.usage,
        Product.sites,
        Product.holder,
        _links().label("links"),
        _decisions().label("decisions"),
        _formula_findings().label("formula_findings"),
    ).where(Product.org_id == ORG_ID, Product.id == bindparam("product_id"))
)


async def read_board_for_org(
    reader: TenantReader, org_id: UUID, product_id: UUID, market: str
) -> Row | None:
    """Return a product's facts, links, decisions and the newest formula's findings.

    `formula_findings` is `None` where there is no formula.
    """
    return await reader.row(_BOARD, org_id, product_id=product_id, market=market)
