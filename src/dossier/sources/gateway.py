"""Queries on rates of hosts, and on what the central retrieval service holds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.sources.models import CentralBase, CentralCopy, SourceAnswer
from dossier.sources.types import LinkedDocument

# The row's lock lets callers in one after the other; each takes the next free instant.
_TURN = text(
    """
insert into source_rates as rate (host, next_at)
values (:host, clock_timestamp() + :every)
on conflict (host) do update
set next_at = greatest(rate.next_at, clock_timestamp()) + :every
returning extract(epoch from rate.next_at - :every - clock_timestamp())::float8
"""
).bindparams(bindparam("every", type_=Interval()))


async def take_turn_for_system(session: Session, host: str, every: timedelta) -> float:
    """Reserve the next free instant of a host; return the seconds until then."""
    wait_s: float = (
        await session.execute(_TURN, {"host": host, "every": every})
    ).scalar_one()
    return wait_s


async def add_answer(session: Session, values: Mapping[str, Any]) -> UUID:
    """Store an answer of a source; the same one again only renews its date."""
    statement = insert(SourceAnswer).values(id=new_id(), created_at=now(), **values)
    stored = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=[
                "org_id",
                "source",
                "fingerprint",
                "sha256",
                "parser_version",
            ],
            set_={"fetched_at": statement.excluded.fetched_at},
        ).returning(SourceAnswer.id)
    )
    return UUID(str(stored))


async def find_answer_for_org(
    session: Session,
    org_id: UUID,
    *,
    source: str,
    fingerprint: str,
    parser_version: str,
    since: datetime,
) -> SourceAnswer | None:
    """Return the latest answer to a question that is not older than an instant."""
    found: SourceAnswer | None = await session.scalar(
        select(SourceAnswer)
        .where(
            SourceAnswer.org_id == org_id,
            SourceAnswer.source == source,
            SourceAnswer.fingerprint == fingerprint,
            SourceAnswer.parser_version == parser_version,
            SourceAnswer.fetched_at >= since,
        )
        .order_by(SourceAnswer.fetched_at.desc())
        .limit(1)
    )
    return found


async def get_base_for_org(
    session: Session, org_id: UUID, product_id: UUID
) -> CentralBase | None:
    """Return a product's base, or `None` before it was created."""
    query = select(CentralBase).where(
        CentralBase.org_id == org_id, CentralBase.product_id == product_id
    )
    return (await session.scalars(query)).one_or_none()


async def list_remote_ids_for_org(
    session: Session, org_id: UUID, limit: int
) -> list[str]:
    """Return the service's ids of the organisation's bases, the newest first."""
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
    """Store a base; of two for one product the first one counts. True if stored."""
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


async def list_copies_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> dict[UUID, int]:
    """Return the products whose bases hold a document, with its revision there."""
    query = select(CentralCopy.product_id, CentralCopy.revision).where(
        CentralCopy.org_id == org_id, CentralCopy.document_id == document_id
    )
    return {row.product_id: row.revision for row in await session.execute(query)}


async def add_copy(
    session: Session, org_id: UUID, document_id: UUID, product_id: UUID, revision: int
) -> None:
    """Record that a product's base holds a document at a revision."""
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
    """Record that a product's base no longer holds a document."""
    await session.execute(
        delete(CentralCopy).where(
            CentralCopy.org_id == org_id,
            CentralCopy.document_id == document_id,
            CentralCopy.product_id == product_id,
        )
    )


async def list_copies_for_system(session: Session) -> set[LinkedDocument]:
    """Return every copy of every organisation."""
    query = select(
        CentralCopy.org_id,
        CentralCopy.document_id,
        CentralCopy.product_id,
        CentralCopy.revision,
    )
    return {LinkedDocument(*row) for row in await session.execute(query)}
