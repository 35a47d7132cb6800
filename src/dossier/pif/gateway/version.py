"""Every query on versions of the file."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.pif.models import PifVersion


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
