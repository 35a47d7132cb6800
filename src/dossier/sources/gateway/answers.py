"""Queries on what outside sources answered."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from dossier.core.database import Session
from dossier.sources.models import SourceAnswer


async def get_newest_answer_for_org(
    session: Session, org_id: UUID, source: str, fingerprint: str
) -> SourceAnswer | None:
    """Return the newest answer to a request."""
    query = (
        select(SourceAnswer)
        .where(SourceAnswer.org_id == org_id, SourceAnswer.source == source)
        .where(SourceAnswer.fingerprint == fingerprint)
        .order_by(SourceAnswer.fetched_at.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def add_answer(session: Session, values: dict[str, Any]) -> SourceAnswer:
    """Store an answer; the same one again only says when it was given last."""
    statement = insert(SourceAnswer).values(values)
    again = statement.on_conflict_do_update(
        constraint="uq_source_answers_answer",
        set_={"fetched_at": statement.excluded.fetched_at},
    ).returning(SourceAnswer)
    rows = await session.scalars(again.execution_options(populate_existing=True))
    return rows.one()
