"""Every query on reports."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.reports.models import Report


async def get_report_for_org(
    session: Session, org_id: UUID, report_id: UUID
) -> Report | None:
    """Return one report, or `None` if it is not this organisation's."""
    query = select(Report).where(Report.org_id == org_id, Report.id == report_id)
    return (await session.scalars(query)).one_or_none()


async def lock_version_report_for_org(
    session: Session, org_id: UUID, version_id: UUID
) -> Report | None:
    """Return the report of a version, locked until the transaction ends."""
    query = (
        select(Report)
        .where(Report.org_id == org_id, Report.version_id == version_id)
        .with_for_update()
    )
    return (await session.scalars(query)).one_or_none()


async def list_reports_for_org(
    session: Session, org_id: UUID, product_id: UUID | None, page: PageParams
) -> Slice[Report]:
    """Return one page of reports, newest first."""
    query = select(Report).where(Report.org_id == org_id)
    if product_id is not None:
        query = query.where(Report.product_id == product_id)
    ordered = query.order_by(Report.created_at.desc(), Report.id.desc())
    return await paginate(session, ordered, page)


async def add_report(session: Session, values: dict[str, Any]) -> bool:
    """Insert the report of a version; `False` when it has one already.

    `on conflict` waits for the other transaction, so that two requests at once make
    one report.
    """
    statement = (
        insert(Report)
        .values(values)
        .on_conflict_do_nothing(index_elements=["org_id", "version_id"])
        .returning(Report.id)
    )
    return (await session.scalar(statement)) is not None


async def record_rendering_for_org(
    session: Session,
    org_id: UUID,
    report_id: UUID,
    *,
    files: dict[str, Any],
    page_count: int,
) -> None:
    """Store what was rendered, unless another attempt has stored it."""
    await session.execute(
        update(Report)
        .where(Report.org_id == org_id, Report.id == report_id)
        .where(Report.rendered_at.is_(None))
        .values(files=files, page_count=page_count, rendered_at=now())
    )
