"""Queries of indexing: one document's passages, an organisation's sums and weights.

One statement reads all that a document is indexed by, and few write: most documents
have one passage, and each further statement would cost as much as the passage does.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import defer

from dossier.core.clock import now
from dossier.core.database import Session, raw_rows
from dossier.documents.models import Document
from dossier.knowledge.models import Chunk, IndexedDocument, KnowledgeStats

_ROWS: Final = 1_000
"""Rows of one statement: each array is sent as a whole."""

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
# Arrays of these have no wire format of their own and are sent as arrays of text.
_AS_TEXT: Final = frozenset({"jsonb", "int[]", "sparsevec"})
_NAMES: Final = ", ".join(_COLUMNS)
_ARRAYS: Final = ", ".join(
    f"${place}::{'text' if kind in _AS_TEXT else kind}[]"
    for place, kind in enumerate(_COLUMNS.values(), 4)
)
_VALUES: Final = ", ".join(f"new.{name}::{kind}" for name, kind in _COLUMNS.items())
_ROWS_OF: Final = f"unnest($3::uuid[], {_ARRAYS}) as new(id, {_NAMES})"
_INSERT: Final = (
    f"insert into knowledge_chunks (org_id, document_id, created_at, id, {_NAMES})"  # noqa: S608 - names of columns
    f" select $1::uuid, $2::uuid, ${len(_COLUMNS) + 4}::timestamptz, new.id, {_VALUES}"
    f" from {_ROWS_OF}"
)
_SET: Final = ", ".join(
    f"{name} = new.{name}::{kind}" for name, kind in _COLUMNS.items()
)
_UPDATE: Final = (
    f"update knowledge_chunks as stored set {_SET} from {_ROWS_OF}"  # noqa: S608 - names of columns
    " where stored.org_id = $1 and stored.document_id = $2 and stored.id = new.id"
)
# Products oldest first, as their ids are ordered by time; missing names are left out.
_SOURCE: Final = """
select d.revision, d.text_state, d.filename,
       (select s.average_terms from knowledge_stats s where s.org_id = $1)
         as average_terms,
       (select coalesce(json_agg(json_build_array(
                 array_remove(array[p.code, p.name_zh, p.name_en], null), l.item)
                 order by p.id, l.item, l.id), '[]')::text
          from product_documents l join products p
            on p.org_id = l.org_id and p.id = l.product_id
         where l.org_id = $1 and l.document_id = $2) as served,
       parts.positions, parts.labels, parts.texts
  from documents d cross join lateral (
       select array_agg(t.position order by t.position) as positions,
              array_agg(t.label order by t.position) as labels,
              array_agg(t.text order by t.position) as texts
         from document_texts t
        where t.org_id = $1 and t.document_id = $2 and d.archived_at is null
          and d.text_state in ('read', 'read_partly')) parts
 where d.org_id = $1 and d.id = $2
"""
# First the document, then the sums, as in its deletion: no deadlock of the two.
_LOCK: Final = """
with held as materialized (
  select revision from documents where org_id = $1 and id = $2 for update)
select held.revision, sums.average_terms
  from held left join lateral (
       select average_terms from knowledge_stats
        where org_id = $1 and held.revision is not null for update) sums on true
"""
_STORED: Final = """
select id, content_sha256, analyser_version, position, length_terms,
       places::text as places
  from knowledge_chunks where org_id = $1 and document_id = $2 order by position
"""
_REWEIGH: Final = text(
    "update knowledge_chunks as stored set sparse = new.sparse::sparsevec"
    " from unnest(cast(:ids as uuid[]), cast(:hashes as text[]),"
    " cast(:sparse as text[])) as new(id, content_sha256, sparse)"
    " where stored.org_id = :org_id and stored.id = new.id"
    " and stored.content_sha256 = new.content_sha256"
)


async def get_source_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> asyncpg.Record | None:
    """Return all that a document is indexed by; parts only if its text is indexed."""
    rows = await raw_rows(session, _SOURCE, org_id, document_id)
    return rows[0] if rows else None


async def get_sums_for_org(
    session: Session, org_id: UUID
) -> Row[int, int, float | None] | None:
    """Return the numbers of passages and terms, and the pinned average length."""
    query = select(
        KnowledgeStats.chunk_count,
        KnowledgeStats.total_terms,
        KnowledgeStats.average_terms,
    ).where(KnowledgeStats.org_id == org_id)
    return (await session.execute(query)).one_or_none()


async def lock_document_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> asyncpg.Record | None:
    """Lock a document and the organisation's sums; return its revision, the average."""
    rows = await raw_rows(session, _LOCK, org_id, document_id)
    return rows[0] if rows else None


async def list_stored_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Sequence[asyncpg.Record]:
    """Return what identifies a document's stored passages, in their order."""
    return await raw_rows(session, _STORED, org_id, document_id)


async def add_chunks(
    session: Session, org_id: UUID, document_id: UUID, rows: Mapping[UUID, Any]
) -> None:
    """Insert passages; each row has the columns' values by name."""
    for arrays in _batches(rows):
        await raw_rows(session, _INSERT, org_id, document_id, *arrays, now())


async def update_chunks_for_org(
    session: Session, org_id: UUID, document_id: UUID, rows: Mapping[UUID, Any]
) -> None:
    """Update passages under their ids, so that their vectors stay."""
    for arrays in _batches(rows):
        await raw_rows(session, _UPDATE, org_id, document_id, *arrays)


async def delete_chunks_for_org(
    session: Session, org_id: UUID, ids: Sequence[UUID]
) -> None:
    """Delete passages."""
    await session.execute(
        delete(Chunk).where(Chunk.org_id == org_id, Chunk.id.in_(ids))
    )


async def set_indexed_for_org(
    session: Session, org_id: UUID, document_id: UUID, **values: int
) -> None:
    """Record what has been indexed of a document: the columns' values by name."""
    recorded = {**values, "indexed_at": now()}
    statement = upsert(IndexedDocument).values(
        org_id=org_id, document_id=document_id, **recorded
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id", "document_id"], set_=recorded
        )
    )


def _batches(rows: Mapping[UUID, Any]) -> Iterator[list[Any]]:
    ids = list(rows)
    for start in range(0, len(ids), _ROWS):
        batch = ids[start : start + _ROWS]
        yield [batch, *([rows[each][name] for each in batch] for name in _COLUMNS)]


async def lock_stats_for_org(session: Session, org_id: UUID) -> KnowledgeStats:
    """Return the sums of an organisation, locked: one transaction writes at a time."""
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
    """Update columns of an organisation's sums; search results may change with them."""
    await session.execute(
        update(KnowledgeStats)
        .where(KnowledgeStats.org_id == org_id)
        .values(corpus_version=KnowledgeStats.corpus_version + 1, **values)
    )


async def list_chunks_for_org(
    session: Session, org_id: UUID, document_id: UUID, *, after: int, limit: int
) -> Sequence[Chunk]:
    """Return passages behind a position, without their weights."""
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
    """Update weights of passages that have not changed since they were read."""
    values = {"org_id": org_id, "ids": ids, "hashes": hashes, "sparse": sparse}
    await session.execute(_REWEIGH, values)


def _stale(version: int) -> Any:
    """Select documents whose text is read and whose index is missing or out of date."""
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
    """Return documents to be indexed, the newest first."""
    query = _stale(version).where(Document.org_id == org_id)
    query = query.order_by(Document.created_at.desc()).limit(limit)
    return [row.id for row in await session.execute(query)]


async def list_stale_organisations_for_system(
    session: Session, version: int
) -> Sequence[UUID]:
    """Return organisations with documents to be indexed."""
    query = _stale(version).with_only_columns(Document.org_id).distinct()
    return (await session.scalars(query)).all()
