"""Writes passages, and lists those of a document."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import defer

from dossier.core.clock import now
from dossier.core.database import Session
from dossier.documents.models import Document
from dossier.knowledge.models import Chunk, IndexedDocument, KnowledgeStats

_ROWS: Final = 1_000
"""Rows a statement: each array of a statement is sent whole."""

_COLUMNS: Final = {
    "position": "int",
    "page": "int",
    "label": "text",
    "kind": "text",
    "text": "text",
    "context": "text",
    "places": "jsonb",
    "language": "text",
    "content_sha256": "text",
    "analyser_version": "int",
    "length_terms": "int",
    "terms": "int[]",
    "sparse": "sparsevec",
}
# A text array goes over the wire for what an array of has no form of its own.
_AS_TEXT: Final = frozenset({"jsonb", "int[]", "sparsevec"})
_NAMES: Final = ", ".join(_COLUMNS)
_ARRAYS: Final = ", ".join(
    f"cast(:{name} as {'text' if kind in _AS_TEXT else kind}[])"
    for name, kind in _COLUMNS.items()
)
_VALUES: Final = ", ".join(f"new.{name}::{kind}" for name, kind in _COLUMNS.items())
_ROWS_OF: Final = f"unnest(cast(:ids as uuid[]), {_ARRAYS}) as new(id, {_NAMES})"
_INSERT: Final = text(
    f"insert into knowledge_chunks (org_id, document_id, created_at, id, {_NAMES})"  # noqa: S608 - names of columns
    f" select :org_id, :document_id, :created_at, new.id, {_VALUES} from {_ROWS_OF}"
)
_SET: Final = ", ".join(
    f"{name} = new.{name}::{kind}" for name, kind in _COLUMNS.items()
)
_UPDATE: Final = text(
    f"update knowledge_chunks as kept set {_SET} from {_ROWS_OF}"  # noqa: S608 - names of columns
    " where kept.org_id = :org_id and kept.id = new.id"
)
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


async def list_kept_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Sequence[Any]:
    """Return what tells a document's passages apart, in their order."""
    query = (
        select(
            Chunk.id,
            Chunk.content_sha256,
            Chunk.analyser_version,
            Chunk.position,
            Chunk.places,
        )
        .where(Chunk.org_id == org_id, Chunk.document_id == document_id)
        .order_by(Chunk.position)
    )
    return (await session.execute(query)).all()


async def add_chunks(
    session: Session, org_id: UUID, document_id: UUID, rows: Mapping[UUID, Any]
) -> None:
    """Insert passages; each row has the columns' values by name."""
    fixed = {"org_id": org_id, "document_id": document_id, "created_at": now()}
    for arrays in _batches(rows):
        await session.execute(_INSERT, fixed | arrays)


async def update_chunks_for_org(
    session: Session, org_id: UUID, rows: Mapping[UUID, Any]
) -> None:
    """Write passages anew under their ids, so that what hangs on them stays."""
    for arrays in _batches(rows):
        await session.execute(_UPDATE, {"org_id": org_id} | arrays)


async def delete_chunks_for_org(
    session: Session, org_id: UUID, ids: Sequence[UUID]
) -> None:
    """Delete passages."""
    await session.execute(
        delete(Chunk).where(Chunk.org_id == org_id, Chunk.id.in_(ids))
    )


def _batches(rows: Mapping[UUID, Any]) -> list[dict[str, Any]]:
    ids = list(rows)
    batches = [ids[start : start + _ROWS] for start in range(0, len(ids), _ROWS)]
    return [
        {"ids": batch} | {name: [rows[i][name] for i in batch] for name in _COLUMNS}
        for batch in batches
    ]


async def settle_indexed_for_org(
    session: Session, org_id: UUID, document_id: UUID, **values: Any
) -> None:
    """Record what of a document has been indexed."""
    values["indexed_at"] = now()
    await session.execute(
        upsert(IndexedDocument)
        .values(org_id=org_id, document_id=document_id, **values)
        .on_conflict_do_update(index_elements=["org_id", "document_id"], set_=values)
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
            Document.text_state == "read",
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
