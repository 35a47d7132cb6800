"""Sums of an organisation; passages listed, weighed anew, and looked for behind."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import defer

from dossier.core.database import Session
from dossier.documents.models import Document
from dossier.knowledge.models import Chunk, IndexedDocument, KnowledgeStats

_REWEIGH: Final = text(
    "update knowledge_chunks as kept set sparse = new.sparse::sparsevec"
    " from unnest(cast(:ids as uuid[]), cast(:hashes as text[]),"
    " cast(:sparse as text[])) as new(id, content_sha256, sparse)"
    " where kept.org_id = :org_id and kept.id = new.id"
    " and kept.content_sha256 = new.content_sha256"
)


async def lock_stats_for_org(session: Session, org_id: UUID) -> KnowledgeStats:
    """Return the sums of an organisation; held, so that one writes at a time."""
    await session.execute(
        upsert(KnowledgeStats)
        .values(
            org_id=org_id,
            chunk_count=0,
            total_terms=0,
            corpus_version=0,
            dense_state="none",
            dense_languages=[],
        )
        .on_conflict_do_nothing()
    )
    query = (
        select(KnowledgeStats)
        .where(KnowledgeStats.org_id == org_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).one()


async def get_stats_for_org(session: Session, org_id: UUID) -> KnowledgeStats | None:
    """Return the sums of an organisation, `None` before its first passage."""
    query = select(KnowledgeStats).where(KnowledgeStats.org_id == org_id)
    query = query.execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def set_stats_for_org(session: Session, org_id: UUID, **values: Any) -> None:
    """Write members of an organisation's sums; what is found may change with them."""
    await session.execute(
        update(KnowledgeStats)
        .where(KnowledgeStats.org_id == org_id)
        .values(corpus_version=KnowledgeStats.corpus_version + 1, **values)
    )


async def list_chunks_for_org(
    session: Session, org_id: UUID, document_id: UUID, *, after: int, limit: int
) -> Sequence[Chunk]:
    """Return passages behind a position, without what they weigh."""
    query = (
        select(Chunk)
        .where(
            Chunk.org_id == org_id,
            Chunk.document_id == document_id,
            Chunk.position > after,
        )
        .order_by(Chunk.position)
        .limit(limit)
        .options(defer(Chunk.terms, raiseload=True))
        .options(defer(Chunk.sparse, raiseload=True))
    )
    return (await session.scalars(query)).all()


async def list_to_reweigh_for_org(
    session: Session, org_id: UUID, version: int, *, after: UUID, limit: int
) -> Sequence[Any]:
    """Return the next passages of an analyser's version: id, hash, context, text."""
    query = (
        select(Chunk.id, Chunk.content_sha256, Chunk.context, Chunk.text)
        .where(
            Chunk.org_id == org_id,
            Chunk.analyser_version == version,
            Chunk.id > after,
        )
        .order_by(Chunk.id)
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def reweigh_chunks_for_org(
    session: Session,
    org_id: UUID,
    ids: Sequence[UUID],
    hashes: Sequence[str],
    sparse: Sequence[str],
) -> None:
    """Write weights of passages that have not changed since they were read."""
    values = {"org_id": org_id, "ids": ids, "hashes": hashes, "sparse": sparse}
    await session.execute(_REWEIGH, values)


def _stale(version: int) -> Any:
    """Return documents whose text is read and that are not indexed as they are."""
    return (
        select(Document.org_id, Document.id)
        .outerjoin(
            IndexedDocument,
            (IndexedDocument.org_id == Document.org_id)
            & (IndexedDocument.document_id == Document.id),
        )
        .where(
            Document.text_state.in_(("read", "read_partly")),
            Document.archived_at.is_(None),
            func.coalesce(IndexedDocument.revision, 0).is_distinct_from(
                Document.revision
            )
            | (IndexedDocument.analyser_version != version),
        )
    )


async def list_stale_documents_for_org(
    session: Session, org_id: UUID, version: int, limit: int
) -> Sequence[UUID]:
    """Return documents that are to be indexed, the newest first."""
    query = _stale(version).where(Document.org_id == org_id)
    query = query.order_by(Document.created_at.desc()).limit(limit)
    return [row.id for row in await session.execute(query)]


async def list_stale_organisations_for_system(
    session: Session, version: int
) -> Sequence[UUID]:
    """Return organisations that have documents to be indexed."""
    query = _stale(version).with_only_columns(Document.org_id).distinct()
    return (await session.scalars(query)).all()
