"""Queries across organisations: orphaned rows, and documents of the central service."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from dossier.core.database import Session
from dossier.sources.types import LinkedDocument

_WITHOUT: Final = """
select own.org_id, count(*) as n from {table} own
 where not exists (select from {parent} other
                    where other.org_id = own.org_id and other.id = own.{key})
 group by own.org_id
"""
_FREQUENCIES: Final = """
select coalesce(kept.org_id, real.org_id) as org_id, count(*) as n
  from knowledge_terms kept
  full join (select org_id, analyser_version, term_id, count(*) as chunk_count
               from knowledge_chunks, unnest(terms) as term_id group by 1, 2, 3) real
    on real.org_id = kept.org_id and real.analyser_version = kept.analyser_version
   and real.term_id = kept.term_id
 where kept.chunk_count is distinct from real.chunk_count
 group by 1
"""
_SUMS: Final = """
select kept.org_id, 1 as n
  from knowledge_stats kept
  left join (select org_id, count(*) as chunks, sum(length_terms) as terms
               from knowledge_chunks group by 1) real using (org_id)
 where kept.chunk_count <> coalesce(real.chunks, 0)
    or kept.total_terms <> coalesce(real.terms, 0)
"""
_ARCHIVED: Final = """
select c.org_id, count(*) as n from knowledge_chunks c
  join documents d on d.org_id = c.org_id and d.id = c.document_id
 where d.archived_at is not null group by c.org_id
"""

_QUERIES: Final[Mapping[str, str]] = {
    "passage-without-document": _WITHOUT.format(
        table="knowledge_chunks", parent="documents", key="document_id"
    ),
    "entry-without-document": _WITHOUT.format(
        table="knowledge_documents", parent="documents", key="document_id"
    ),
    "text-without-document": _WITHOUT.format(
        table="document_texts", parent="documents", key="document_id"
    ),
    "vector-without-passage": _WITHOUT.format(
        table="knowledge_embeddings", parent="knowledge_chunks", key="chunk_id"
    ),
    "passage-of-archived-document": _ARCHIVED,
    "frequency-differs": _FREQUENCIES,
    "sum-differs": _SUMS,
}
_LINKED = text(
    """
select distinct d.org_id, d.id, l.product_id, d.revision
from documents d
join product_documents l on l.org_id = d.org_id and l.document_id = d.id
where d.text_state in ('read', 'read_partly') and d.archived_at is null
"""
)


async def list_orphans_for_system(session: Session) -> list[tuple[str, Any, int]]:
    """Return kind, organisation and count of orphans and of wrong counts."""
    return [
        (kind, row.org_id, row.n)
        for kind, query in _QUERIES.items()
        for row in await session.execute(text(query))
    ]


async def list_linked_documents_for_system(
    session: Session,
) -> Sequence[LinkedDocument]:
    """Return every document with a text, once per product that it is linked to."""
    return [LinkedDocument(*row) for row in await session.execute(_LINKED)]
