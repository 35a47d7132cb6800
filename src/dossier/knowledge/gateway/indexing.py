"""The statements of indexing one document: one that reads, and few that write.

What a document is indexed by is joined here, as in the search: most documents hold one
passage, and each statement more would cost them as much as the passage does.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import delete

from dossier.core.clock import now
from dossier.core.database import Session, raw_rows
from dossier.knowledge.models import Chunk

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
    f"update knowledge_chunks as kept set {_SET} from {_ROWS_OF}"  # noqa: S608 - names of columns
    " where kept.org_id = $1 and kept.document_id = $2 and kept.id = new.id"
)
_SETTLE: Final = """
insert into knowledge_documents
  (org_id, document_id, revision, analyser_version, chunk_count, indexed_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (org_id, document_id) do update
   set (revision, analyser_version, chunk_count, indexed_at)
     = (excluded.revision, excluded.analyser_version, excluded.chunk_count,
        excluded.indexed_at)
"""
# Products oldest first, as their ids go by time; names that are not there are left out.
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
# First the document, then the sums, as in its deletion: two never wait for each other.
_HOLD: Final = """
with held as materialized (
  select revision from documents where org_id = $1 and id = $2 for update)
select held.revision, sums.average_terms
  from held left join lateral (
       select average_terms from knowledge_stats
        where org_id = $1 and held.revision is not null for update) sums on true
"""
_SUMS: Final = """
select chunk_count, total_terms, average_terms from knowledge_stats where org_id = $1
"""
_KEPT: Final = """
select id, content_sha256, analyser_version, position, length_terms,
       places::text as places
  from knowledge_chunks where org_id = $1 and document_id = $2 order by position
"""


async def get_source_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> asyncpg.Record | None:
    """Return what a document is indexed by; parts only of a text that counts."""
    rows = await raw_rows(session, _SOURCE, org_id, document_id)
    return rows[0] if rows else None


async def get_sums_for_org(session: Session, org_id: UUID) -> asyncpg.Record | None:
    """Return how many passages and terms there are, and the pinned average."""
    rows = await raw_rows(session, _SUMS, org_id)
    return rows[0] if rows else None


async def hold_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> asyncpg.Record | None:
    """Hold a document and the organisation's sums; what they are now."""
    rows = await raw_rows(session, _HOLD, org_id, document_id)
    return rows[0] if rows else None


async def list_kept_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Sequence[asyncpg.Record]:
    """Return what tells a document's passages apart, in their order."""
    return await raw_rows(session, _KEPT, org_id, document_id)


async def add_chunks(
    session: Session, org_id: UUID, document_id: UUID, rows: Mapping[UUID, Any]
) -> None:
    """Insert passages; each row has the columns' values by name."""
    for arrays in _batches(rows):
        await raw_rows(session, _INSERT, org_id, document_id, *arrays, now())


async def update_chunks_for_org(
    session: Session, org_id: UUID, document_id: UUID, rows: Mapping[UUID, Any]
) -> None:
    """Write passages anew under their ids, so that what hangs on them stays."""
    for arrays in _batches(rows):
        await raw_rows(session, _UPDATE, org_id, document_id, *arrays)


async def delete_chunks_for_org(
    session: Session, org_id: UUID, ids: Sequence[UUID]
) -> None:
    """Delete passages."""
    await session.execute(
        delete(Chunk).where(Chunk.org_id == org_id, Chunk.id.in_(ids))
    )


async def settle_indexed_for_org(
    session: Session, org_id: UUID, document_id: UUID, **values: int
) -> None:
    """Record what of a document has been indexed: the columns' values by name."""
    told = (values[name] for name in ("revision", "analyser_version", "chunk_count"))
    await raw_rows(session, _SETTLE, org_id, document_id, *told, now())


def _batches(rows: Mapping[UUID, Any]) -> Iterator[list[Any]]:
    ids = list(rows)
    for start in range(0, len(ids), _ROWS):
        batch = ids[start : start + _ROWS]
        yield [batch, *([rows[each][name] for each in batch] for name in _COLUMNS)]
