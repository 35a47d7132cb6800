"""Every query on the board, its decisions and its versions."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ScalarSelect,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import aliased, defer

from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.core.reads import ORG_ID, Row, TenantReader, TenantSelect
from dossier.documents.models import Document
from dossier.pif.models import PifConfirmation, PifDecision, PifVersion
from dossier.products.models import (
    FormulaLine,
    FormulaVersion,
    Product,
    ProductDocument,
)

_NONE: Final = literal_column("'[]'::jsonb", JSONB)


def _links() -> ScalarSelect[Any]:
    link = func.jsonb_build_object(
        literal_column("'document_id'"),
        ProductDocument.document_id,
        literal_column("'item'"),
        ProductDocument.item,
        literal_column("'requirement'"),
        ProductDocument.requirement,
        literal_column("'filename'"),
        Document.filename,
        literal_column("'sha256'"),
        Document.sha256,
        literal_column("'text_state'"),
        Document.text_state,
        literal_column("'record'"),
        # The cells are long, and only raw materials are looked for in them.
        case(
            (ProductDocument.item.in_((9, 10)), Document.record),
            else_=Document.record.op("-", return_type=JSONB())(
                literal_column("'cells'")
            ),
        ),
    )
    ordered = aggregate_order_by(link, ProductDocument.item, ProductDocument.id)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .join_from(
            ProductDocument,
            Document,
            (Document.org_id == ProductDocument.org_id)
            & (Document.id == ProductDocument.document_id),
        )
        .where(
            ProductDocument.org_id == ORG_ID,
            ProductDocument.product_id == Product.id,
            Document.archived_at.is_(None),
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


_FORMULA_FINDINGS = (
    select(FormulaVersion.findings)
    .where(FormulaVersion.org_id == ORG_ID, FormulaVersion.product_id == Product.id)
    .order_by(FormulaVersion.number.desc())
    .limit(literal_column("1"))
    .scalar_subquery()
)

_NEWEST_FORMULA = (
    select(FormulaVersion.id)
    .where(FormulaVersion.org_id == ORG_ID, FormulaVersion.product_id == Product.id)
    .order_by(FormulaVersion.number.desc())
    .limit(literal_column("1"))
    .correlate(Product)
    .scalar_subquery()
)


def _materials() -> ScalarSelect[Any]:
    line = func.jsonb_build_array(
        FormulaLine.trade_name, FormulaLine.inci, FormulaLine.cas
    )
    ordered = aggregate_order_by(line, FormulaLine.position)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(FormulaLine.org_id == ORG_ID, FormulaLine.version_id == _NEWEST_FORMULA)
        .scalar_subquery()
    )


def _other_products() -> ScalarSelect[Any]:
    """Select names and codes of other products: a document that names one is theirs."""
    other = aliased(Product)
    names = func.jsonb_build_array(other.code, other.name_zh, other.name_en)
    return (
        select(func.coalesce(func.jsonb_agg(names), _NONE))
        .where(other.org_id == ORG_ID, other.id != Product.id)
        .scalar_subquery()
    )


def _confirmations() -> ScalarSelect[Any]:
    confirmation = func.jsonb_build_object(
        literal_column("'item'"),
        PifConfirmation.item,
        literal_column("'requirement'"),
        PifConfirmation.requirement,
        literal_column("'document_id'"),
        PifConfirmation.document_id,
        literal_column("'sha256'"),
        PifConfirmation.sha256,
        literal_column("'reason'"),
        PifConfirmation.reason,
        literal_column("'actor_name'"),
        PifConfirmation.actor_name,
        literal_column("'confirmed_on'"),
        PifConfirmation.confirmed_on,
    )
    return (
        select(func.coalesce(func.jsonb_agg(confirmation), _NONE))
        .where(
            PifConfirmation.org_id == ORG_ID,
            PifConfirmation.product_id == Product.id,
            PifConfirmation.market == bindparam("market"),
        )
        .scalar_subquery()
    )


_BOARD = TenantSelect(
    select(
        Product.id,
        Product.code,
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
        _FORMULA_FINDINGS.label("formula_findings"),
        _materials().label("materials"),
        _other_products().label("other_products"),
        _confirmations().label("confirmations"),
    ).where(Product.org_id == ORG_ID, Product.id == bindparam("product_id"))
)


async def read_board_for_org(
    reader: TenantReader, org_id: UUID, product_id: UUID, market: str
) -> Row | None:
    """Return a product's facts, links, decisions and the newest formula's findings.

    `formula_findings` is `None` where there is no formula.
    """
    return await reader.row(_BOARD, org_id, product_id=product_id, market=market)


async def get_decision_for_org(
    session: Session, org_id: UUID, product_id: UUID, market: str, item: int
) -> PifDecision | None:
    """Return the decision on one item, or `None`."""
    query = select(PifDecision).where(
        PifDecision.org_id == org_id,
        PifDecision.product_id == product_id,
        PifDecision.market == market,
        PifDecision.item == item,
    )
    return (await session.scalars(query)).one_or_none()


async def add_decision(session: Session, decision: PifDecision) -> None:
    """Insert a decision; the caller holds the product and has deleted the last."""
    session.add(decision)
    await session.flush()


async def delete_decision_for_org(
    session: Session, org_id: UUID, decision_id: UUID
) -> None:
    """Delete a decision; the activity log keeps it."""
    statement = delete(PifDecision).where(
        PifDecision.org_id == org_id, PifDecision.id == decision_id
    )
    await session.execute(statement)


async def find_version_by_content_for_org(
    session: Session, org_id: UUID, product_id: UUID, market: str, sha256: str
) -> PifVersion | None:
    """Return the version with this content, if there is one."""
    query = select(PifVersion).where(
        PifVersion.org_id == org_id,
        PifVersion.product_id == product_id,
        PifVersion.market == market,
        PifVersion.sha256 == sha256,
    )
    return (await session.scalars(query)).one_or_none()


async def last_number_for_org(
    session: Session, org_id: UUID, product_id: UUID, market: str
) -> int:
    """Return the highest number given so far, 0 where there is none."""
    query = select(func.max(PifVersion.number)).where(
        PifVersion.org_id == org_id,
        PifVersion.product_id == product_id,
        PifVersion.market == market,
    )
    return await session.scalar(query) or 0


async def get_version_for_org(
    session: Session, org_id: UUID, product_id: UUID, market: str, number: int
) -> PifVersion | None:
    """Return one version by its number, or `None`."""
    query = select(PifVersion).where(
        PifVersion.org_id == org_id,
        PifVersion.product_id == product_id,
        PifVersion.market == market,
        PifVersion.number == number,
    )
    return (await session.scalars(query)).one_or_none()


async def get_version_by_id_for_org(
    session: Session, org_id: UUID, version_id: UUID
) -> PifVersion | None:
    """Return one version by its key, or `None`."""
    query = select(PifVersion).where(
        PifVersion.org_id == org_id, PifVersion.id == version_id
    )
    return (await session.scalars(query)).one_or_none()


async def list_versions_for_org(
    session: Session, org_id: UUID, product_id: UUID, market: str, page: PageParams
) -> Slice[PifVersion]:
    """Return versions without their snapshots, the newest first."""
    query = (
        select(PifVersion)
        .where(
            PifVersion.org_id == org_id,
            PifVersion.product_id == product_id,
            PifVersion.market == market,
        )
        .order_by(PifVersion.number.desc())
        .options(defer(PifVersion.snapshot, raiseload=True))
    )
    return await paginate(session, query, page)


async def add_version(session: Session, version: PifVersion) -> None:
    """Insert a version; the caller holds the product, so the number is free."""
    session.add(version)
    await session.flush()


async def list_confirmations_for_org(
    session: Session,
    org_id: UUID,
    product_id: UUID,
    market: str,
    item: int,
    requirement: str | None,
) -> Sequence[PifConfirmation]:
    """Return the confirmations of an item, or of one requirement of it."""
    query = select(PifConfirmation).where(
        PifConfirmation.org_id == org_id,
        PifConfirmation.product_id == product_id,
        PifConfirmation.market == market,
        PifConfirmation.item == item,
    )
    if requirement is not None:
        query = query.where(PifConfirmation.requirement == requirement)
    return (await session.scalars(query)).all()


async def add_confirmation(session: Session, confirmation: PifConfirmation) -> None:
    """Insert a confirmation; the caller holds the product and deleted the last."""
    session.add(confirmation)
    await session.flush()


async def delete_confirmation_for_org(
    session: Session, org_id: UUID, confirmation_id: UUID
) -> None:
    """Delete a confirmation; the activity log keeps it."""
    statement = delete(PifConfirmation).where(
        PifConfirmation.org_id == org_id, PifConfirmation.id == confirmation_id
    )
    await session.execute(statement)
