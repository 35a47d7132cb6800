"""Every query on formula versions and their lines."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.products.models import FormulaLine, FormulaVersion


async def add_formula(
    session: Session, version: FormulaVersion, lines: Sequence[dict[str, Any]]
) -> None:
    """Insert a version with all of its lines in one statement."""
    session.add(version)
    await session.flush()
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
