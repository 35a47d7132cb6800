"""Every query on the board, its decisions and its versions."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import InstrumentedAttribute, aliased, defer

from dossier.core.database import Session
from dossier.core.models import Base
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.core.reads import ORG_ID, Row, TenantReader, TenantSelect
from dossier.documents.models import Document
from dossier.pif.models import (
    PifConfirmation,
    PifDecision,
    PifFindingDay,
    PifVersion,
)
from dossier.products.models import (
    FormulaLine,
    FormulaVersion,
    Product,
    ProductDocument,
)

_NONE: Final = literal_column("'[]'::jsonb", JSONB)


PRODUCT_ID: Final = bindparam("product_id", type_=Uuid())
"""The product, in the conditions of the statement of its board."""


def _object(
    model: type[Base], names: Sequence[str], **others: Any
) -> ColumnElement[Any]:
    """Return a JSON object of columns by their names."""
    columns = {name: getattr(model, name) for name in names} | others
    members: list[Any] = []
    for name, column in columns.items():
        members += [literal_column(f"'{name}'"), column]
    return func.jsonb_build_object(*members)


def _links() -> ScalarSelect[Any]:
    """Return the links to documents that are not archived: those are no evidence."""
    link = _object(ProductDocument, ("document_id", "item", "requirement", "formula"))
    ordered = aggregate_order_by(link, ProductDocument.item, ProductDocument.id)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(
            ProductDocument.org_id == ORG_ID,
            ProductDocument.product_id == PRODUCT_ID,
            ProductDocument.document_id.not_in(_archived()),
        )
        .scalar_subquery()
    )


def _archived() -> Select[UUID]:
    return select(Document.id).where(
        Document.org_id == ORG_ID, Document.archived_at.is_not(None)
    )


def _decisions() -> ScalarSelect[Any]:
    decision = _object(
        PifDecision, ("kind", "item", "reason", "actor_name"), at=PifDecision.created_at
    )
    return (
        select(
            func.coalesce(
                func.jsonb_agg(aggregate_order_by(decision, PifDecision.item)), _NONE
            )
        )
        .where(
            PifDecision.org_id == ORG_ID,
            PifDecision.product_id == PRODUCT_ID,
            PifDecision.market == bindparam("market"),
        )
        .scalar_subquery()
    )


def _confirmations() -> ScalarSelect[Any]:
    confirmation = _object(
        PifConfirmation,
        (
            "item",
            "requirement",
            "document_id",
            "sha256",
            "reason",
            "formula",
            "actor_name",
        ),
        at=PifConfirmation.created_at,
    )
    ordered = aggregate_order_by(confirmation, PifConfirmation.id)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(
            PifConfirmation.org_id == ORG_ID,
            PifConfirmation.product_id == PRODUCT_ID,
            PifConfirmation.market == bindparam("market"),
            PifConfirmation.document_id.not_in(_archived()),
        )
        .scalar_subquery()
    )


def _documents() -> ScalarSelect[Any]:
    """Return the documents that are linked or confirmed, and that of the formula."""
    document = _object(Document, ("id", "filename", "sha256", "text_state", "record"))
    linked = select(ProductDocument.document_id).where(
        ProductDocument.org_id == ORG_ID, ProductDocument.product_id == PRODUCT_ID
    )
    confirmed = select(PifConfirmation.document_id).where(
        PifConfirmation.org_id == ORG_ID, PifConfirmation.product_id == PRODUCT_ID
    )
    ordered = aggregate_order_by(document, Document.id)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(
            Document.org_id == ORG_ID,
            or_(
                and_(Document.id.in_(linked), Document.archived_at.is_(None)),
                and_(Document.id.in_(confirmed), Document.archived_at.is_(None)),
                Document.id == _of_newest_formula(FormulaVersion.document_id),
            ),
        )
        .scalar_subquery()
    )


def _earlier_formulas() -> ScalarSelect[Any]:
    """Return the documents of which formulas were imported before the newest."""
    document = _object(Document, ("id", "filename", "sha256", "text_state", "record"))
    earlier = select(FormulaVersion.document_id).where(
        FormulaVersion.org_id == ORG_ID,
        FormulaVersion.product_id == PRODUCT_ID,
        FormulaVersion.document_id != _of_newest_formula(FormulaVersion.document_id),
    )
    ordered = aggregate_order_by(document, Document.id)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(Document.org_id == ORG_ID, Document.id.in_(earlier))
        .scalar_subquery()
    )


def _of_newest_formula(column: InstrumentedAttribute[Any]) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(FormulaVersion.org_id == ORG_ID, FormulaVersion.product_id == PRODUCT_ID)
        .order_by(FormulaVersion.number.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )


def _formula_lines() -> ScalarSelect[Any]:
    line = _object(
        FormulaLine,
        ("inci", "cas", "trade_name", "is_qs"),
        percent_lower=cast(FormulaLine.percent_lower, String),
        percent_upper=cast(FormulaLine.percent_upper, String),
    )
    ordered = aggregate_order_by(line, FormulaLine.position)
    return (
        select(func.coalesce(func.jsonb_agg(ordered), _NONE))
        .where(
            FormulaLine.org_id == ORG_ID,
            FormulaLine.version_id == _of_newest_formula(FormulaVersion.id),
        )
        .scalar_subquery()
    )


def _finding_days() -> ScalarSelect[Any]:
    days = func.jsonb_object_agg(PifFindingDay.finding_id, PifFindingDay.since)
    return (
        select(func.coalesce(days, literal_column("'{}'::jsonb", JSONB)))
        .where(
            PifFindingDay.org_id == ORG_ID,
            PifFindingDay.product_id == PRODUCT_ID,
            PifFindingDay.market == bindparam("market"),
        )
        .scalar_subquery()
    )


def _other_products() -> ScalarSelect[Any]:
    other = aliased(Product)
    names = func.jsonb_build_array(
        other.code, other.name_zh, other.name_en, other.aliases
    )
    return (
        select(func.coalesce(func.jsonb_agg(names), _NONE))
        .where(other.org_id == ORG_ID, other.id != PRODUCT_ID)
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
        Product.aliases,
        Product.exempt_materials,
        _links().label("links"),
        _documents().label("documents"),
        _decisions().label("decisions"),
        _confirmations().label("confirmations"),
        _of_newest_formula(FormulaVersion.findings).label("formula_findings"),
        _of_newest_formula(FormulaVersion.notes).label("formula_notes"),
        _of_newest_formula(FormulaVersion.number).label("formula_number"),
        _of_newest_formula(FormulaVersion.sheet).label("formula_sheet"),
        _of_newest_formula(FormulaVersion.filename).label("formula_filename"),
        _of_newest_formula(FormulaVersion.document_id).label("formula_document_id"),
        _of_newest_formula(FormulaVersion.created_at).label("formula_at"),
        _earlier_formulas().label("earlier_formulas"),
        _formula_lines().label("formula_lines"),
        _finding_days().label("finding_days"),
        _other_products().label("others"),
    ).where(Product.org_id == ORG_ID, Product.id == PRODUCT_ID)
)


async def read_board_for_org(
    reader: TenantReader, org_id: UUID, product_id: UUID, market: str
) -> Row | None:
    """Return a product with all that its board is computed from.

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
    session: Session, org_id: UUID, product_id: UUID, market: str
) -> Sequence[PifConfirmation]:
    """Return the confirmations of a product, the oldest first."""
    query = (
        select(PifConfirmation)
        .where(
            PifConfirmation.org_id == org_id,
            PifConfirmation.product_id == product_id,
            PifConfirmation.market == market,
        )
        .order_by(PifConfirmation.id)
    )
    return (await session.scalars(query)).all()


async def add_confirmation(session: Session, confirmation: PifConfirmation) -> None:
    """Insert a confirmation; the caller holds the product and has deleted the last."""
    session.add(confirmation)
    await session.flush()


async def delete_confirmations_for_org(
    session: Session, org_id: UUID, ids: Collection[UUID]
) -> None:
    """Delete confirmations; the activity log keeps them."""
    statement = delete(PifConfirmation).where(
        PifConfirmation.org_id == org_id, PifConfirmation.id.in_(sorted(ids))
    )
    await session.execute(statement)


async def keep_finding_days_for_org(
    session: Session,
    org_id: UUID,
    product_id: UUID,
    market: str,
    finding_ids: Collection[str],
    day: date,
) -> None:
    """Store the day on which findings are first seen, and forget those that closed."""
    await session.execute(
        delete(PifFindingDay).where(
            PifFindingDay.org_id == org_id,
            PifFindingDay.product_id == product_id,
            PifFindingDay.market == market,
            PifFindingDay.finding_id.not_in(sorted(finding_ids)),
        )
    )
    rows = [
        {
            "org_id": org_id,
            "product_id": product_id,
            "market": market,
            "finding_id": finding_id,
            "since": day,
        }
        for finding_id in sorted(finding_ids)
    ]
    if rows:
        await session.execute(upsert(PifFindingDay).on_conflict_do_nothing(), rows)
