"""Counts what the database should have counted."""

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dossier.core.database import SessionFactory, tenant_transaction


async def rows(
    sessions: SessionFactory, org_id: UUID, sql: str, **values: Any
) -> list[Any]:
    async with tenant_transaction(sessions, org_id) as session:
        return list((await session.execute(text(sql), values)).all())


async def kept_counts(sessions: SessionFactory, org_id: UUID) -> dict[int, int]:
    found = await rows(
        sessions,
        org_id,
        "select term_id, chunk_count from knowledge_terms where org_id = :o",
        o=org_id,
    )
    return {row.term_id: row.chunk_count for row in found}


async def real_counts(sessions: SessionFactory, org_id: UUID) -> dict[int, int]:
    found = await rows(
        sessions,
        org_id,
        "select terms from knowledge_chunks where org_id = :o",
        o=org_id,
    )
    return dict(Counter(term for row in found for term in row.terms))


async def stats(sessions: SessionFactory, org_id: UUID) -> Any:
    [row] = await rows(
        sessions, org_id, "select * from knowledge_stats where org_id = :o", o=org_id
    )
    return row
