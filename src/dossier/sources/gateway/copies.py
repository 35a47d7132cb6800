"""Queries on which documents lie in the central service."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from dossier.core.database import Session
from dossier.sources.constants import LinkedPaper
from dossier.sources.models import CentralCopy


async def list_copies_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> dict[UUID, int]:
    """Return the products in whose bases a document lies, with its revision there."""
    query = select(CentralCopy.product_id, CentralCopy.revision).where(
        CentralCopy.org_id == org_id, CentralCopy.document_id == document_id
    )
    return {row.product_id: row.revision for row in await session.execute(query)}


async def add_copy(
    session: Session, org_id: UUID, document_id: UUID, product_id: UUID, revision: int
) -> None:
    """Write that a document lies in a product's base as it was at a revision."""
    statement = insert(CentralCopy).values(
        org_id=org_id,
        document_id=document_id,
        product_id=product_id,
        revision=revision,
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id", "document_id", "product_id"],
            set_={"revision": statement.excluded.revision},
        )
    )


async def remove_copy_for_org(
    session: Session, org_id: UUID, document_id: UUID, product_id: UUID
) -> None:
    """Write that a document lies in a product's base no longer."""
    await session.execute(
        delete(CentralCopy).where(
            CentralCopy.org_id == org_id,
            CentralCopy.document_id == document_id,
            CentralCopy.product_id == product_id,
        )
    )


async def list_copies_for_system(session: Session) -> set[LinkedPaper]:
    """Return every copy of every organisation."""
    query = select(
        CentralCopy.org_id,
        CentralCopy.document_id,
        CentralCopy.product_id,
        CentralCopy.revision,
    )
    return {LinkedPaper(*row) for row in await session.execute(query)}
