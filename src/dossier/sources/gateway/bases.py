"""Queries on the products' knowledge bases in the central service."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.sources.models import CentralBase


async def get_base_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> CentralBase | None:
    """Return a product's base, or `None` before it was made."""
    query = select(CentralBase).where(
        CentralBase.org_id == org_id, CentralBase.product_id == product_id
    )
    return (await session.scalars(query)).one_or_none()


async def list_remote_ids_for_org(
    session: Session, org_id: UUID, limit: int
) -> list[str]:
    """Return what the service calls the organisation's bases, the newest first."""
    query = (
        select(CentralBase.remote_id)
        .where(CentralBase.org_id == org_id)
        .order_by(CentralBase.created_at.desc(), CentralBase.id.desc())
        .limit(limit)
    )
    return list(await session.scalars(query))


async def add_base(
    session: Session, org_id: UUID, product_id: UUID, remote_id: str
) -> bool:
    """Store a base; of two that were made for one product the first one counts."""
    statement = (
        insert(CentralBase)
        .values(
            id=new_id(),
            created_at=now(),
            org_id=org_id,
            product_id=product_id,
            remote_id=remote_id,
        )
        .on_conflict_do_nothing(index_elements=["org_id", "product_id"])
        .returning(CentralBase.id)
    )
    return (await session.scalar(statement)) is not None


async def list_based_products_for_system(session: Session) -> set[UUID]:
    """Return the products, of all organisations, that have a base."""
    return set(await session.scalars(select(CentralBase.product_id)))
