"""Queries of a search: the basis of its plan, the search itself, passages by ids.

Documents and their links are joined here: a search is one statement. Under row-level
security no index serves an operator that is not leakproof; so exact scans go by the
organisation, and candidates come from one function that reads the organisation itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Boolean, Uuid, any_, bindparam, literal_column, select

from dossier.core.database import Session, raw_rows
from dossier.core.reads import ORG_ID, Row, TenantReader, TenantSelect
from dossier.documents.constants import TextState
from dossier.documents.models import Document
from dossier.knowledge.constants import INDEXED_DIMENSIONS
from dossier.knowledge.models import Chunk
from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.plan import CANDIDATE_LIMIT, LEG_LIMIT
from dossier.knowledge.types import DocumentScope

_NEWEST: Final = 200
"""How many of the newest documents are checked for not being ready."""
_MAX_NOT_READY: Final = 20

# One round trip; each subquery is a lookup by primary key.
_BASIS: Final = """
select stats.chunk_count, stats.corpus_version, stats.dense_model,
       stats.dense_dimensions, stats.dense_state,
       stats.dense_languages,
       terms.ids as term_ids, terms.counts as term_counts,
       (select greatest(reltuples, 0)::bigint from pg_class
         where oid = 'knowledge_chunks'::regclass) as table_chunk_count,
       exists (select from documents d where d.org_id = $1
                  and d.archived_at is not null) as has_archived,
       {scoped_count} as scoped_count,
       (select coalesce(jsonb_agg(late), '[]') from ({not_ready}) late) as not_ready
  from (select) as always
  left join knowledge_stats stats on stats.org_id = $1
 cross join lateral (
       select array_agg(term_id) as ids, array_agg(chunk_count) as counts
         from knowledge_terms
        where org_id = $1 and analyser_version = $2
          and term_id = any($3::int[])) terms
"""
_SCOPED_COUNT: Final = """(
select count(*) from knowledge_chunks c
 where c.org_id = $1 and c.document_id = any(array(
       select d.id from documents d where d.org_id = $1{scope})))
"""
# Rows are fetched by arrays of ids: a planner that assumes new tables to be empty
# would read an organisation's rows once for each id.
_NOT_READY_DOCUMENTS: Final = """
with newest as materialized (
  select d.* from documents d where d.org_id = $1 and d.archived_at is null
         {scope} order by d.created_at desc, d.id desc limit {newest}),
indexed as materialized (
  select k.document_id, k.revision from knowledge_documents k
   where k.org_id = $1
     and k.document_id = any(array(select n.id from newest n)))
select n.id, n.filename, n.text_state, found.is_indexed
  from newest n cross join lateral (
       select (n.id, n.revision) in (
              select i.document_id, i.revision from indexed i) as is_indexed) found
 where n.text_state in ('unreadable', 'read_partly') or not found.is_indexed
 order by found.is_indexed and n.text_state = 'read_partly',
          n.created_at desc, n.id desc limit {limit}
"""

_IS_DRAFT: Final = """coalesce(jsonb_path_exists({record}, '$.facts.signature[*]
 ? (@.state == "read" && (@.value == "draft" || @.value == "unsigned"))'), false)"""
_SEARCH: Final = """
with {legs},
fused as (
  select id, sum(lexical) as lexical, sum(dense) as dense, sum(share) as score
    from ({shares}) each_leg group by id),
best as materialized (
  select * from fused order by score desc, id limit {limit}),
found as materialized (
  select c.id, c.document_id, c.page, c.label, c.kind, c.text, c.context, c.places,
         c.language from knowledge_chunks c
   where c.org_id = $1 and c.id = any(array(select b.id from best b))),
named as materialized (
  select d.id, d.filename, d.text_state, d.record from documents d
   where d.org_id = $1 and d.id = any(array(select f.document_id from found f)))
select c.id as chunk_id, c.document_id, d.filename, c.page, c.label, c.kind, c.text,
       c.context, c.places, c.language,
       d.text_state = 'read_partly' as is_partly_read, {is_draft} as is_draft,
       best.score, best.lexical, best.dense
  from best join found c on c.id = best.id join named d on d.id = c.document_id
 order by best.score desc, best.id
"""
# `offset 0` is an optimisation fence: the planner may not turn a leg into an index scan
# that stops early, and computes each distance once.
_LEXICAL: Final = """
lexical as materialized (
  select id, -distance as score
    from (select c.id, c.sparse <#> {question}::text::sparsevec as distance
            from {source} where c.org_id = $1{narrowed} offset 0) each_chunk
   where distance < 0 order by distance, id limit {leg_limit})
"""
_ALL_CHUNKS: Final = "knowledge_chunks c"
_CANDIDATES: Final = """
(select id from knowledge_candidates({terms}::int[]) as id limit {limit}) candidates
 join knowledge_chunks c on c.id = candidates.id"""
_DENSE_EXACT: Final = """
dense as materialized (
  select id, -distance as score
    from (select e.chunk_id as id,
                 e.vector::halfvec({size}) <#> {vector}::text::halfvec({size})
                 as distance
            from knowledge_embeddings e{joined}
           where e.org_id = $1 and e.model = {model} and e.dimensions = {size}
                 {narrowed} offset 0) each_chunk
   order by distance, id limit {leg_limit})
"""
_DENSE_STAGED: Final = """
dense as materialized (
  select e.chunk_id as id,
         -(e.vector::halfvec({size}) <#> {vector}::text::halfvec({size})) as score
    from knowledge_embeddings e{joined}
   where e.org_id = $1 and e.model = {model} and e.dimensions = {size}{narrowed}
   order by e.vector::halfvec({size}) <#> {vector}::text::halfvec({size})
   limit {leg_limit})
"""
_OF_CHUNK: Final = """
 join knowledge_chunks c on c.org_id = e.org_id and c.id = e.chunk_id"""
# The scores of each leg are scaled to 0 to 1 between its worst and its best.
_SHARE: Final = """
select id, {lexical} as lexical, {dense} as dense, {weight} * coalesce(
       (score - min(score) over ()) / nullif(max(score) over () - min(score) over (), 0)
       , 1) as share from {leg}"""
_LEXICAL_SHARE: Final = """
select id, score as lexical, null::float8 as dense,
       score / max(score) over () as share from lexical"""

_WITHIN: Final = """
 and c.document_id = any(array(select d.id from documents d
      where d.org_id = $1 and d.archived_at is null{scope}))"""
_NOT_ARCHIVED: Final = """
 and c.document_id <> all(array(select d.id from documents d
      where d.org_id = $1 and d.archived_at is not null))"""
_LINKED: Final = """
 and exists (select from product_documents l
      where l.org_id = $1 and l.document_id = d.id{conditions})"""

_SETTINGS: Final = {
    "plan_cache_mode": "force_custom_plan",
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.ef_search": str(LEG_LIMIT),
}
"""A generic plan takes fifty times as long for most organisations."""
_SET: Final = """
select set_config(name, value, true)
  from unnest($1::text[], $2::text[]) as setting (name, value)
"""
_PASSAGES = TenantSelect(
    select(
        Chunk.id.label("chunk_id"),
        Chunk.document_id,
        Document.filename,
        Chunk.page,
        Chunk.label,
        Chunk.kind,
        Chunk.text,
        Chunk.context,
        Chunk.places,
        Chunk.language,
        (Document.text_state == TextState.READ_PARTLY).label("is_partly_read"),
        literal_column(_IS_DRAFT.format(record="documents.record"), Boolean()).label(
            "is_draft"
        ),
    )
    .join(
        Document,
        (Document.org_id == Chunk.org_id) & (Document.id == Chunk.document_id),
    )
    .where(
        Chunk.org_id == ORG_ID,
        Document.org_id == ORG_ID,
        Document.archived_at.is_(None),
        Chunk.id == any_(bindparam("chunk_ids", type_=ARRAY(Uuid()))),
    )
)


@dataclass(frozen=True, slots=True)
class LexicalLeg:
    """The question's weights, and the terms that select candidates; `None`: all."""

    weights: str
    candidate_terms: Sequence[int] | None


@dataclass(frozen=True, slots=True)
class DenseLeg:
    """The question's vector, and whether its index may be used."""

    model: str
    vector: str
    dimensions: int
    weight: float
    is_staged: bool


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which passages are searched."""

    scope: DocumentScope
    language: str | None
    has_archived: bool


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """One search: its legs, restrictions and number of hits."""

    lexical: LexicalLeg
    dense: DenseLeg | None
    narrowing: Narrowing
    limit: int


class _Arguments:
    """The parameters of a statement; the first is the organisation."""

    def __init__(self, *first: object) -> None:
        self.values: list[object] = list(first)

    def add(self, value: object) -> str:
        """Add a value and return its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"


async def get_basis_for_org(
    session: Session, org_id: UUID, term_ids: Sequence[int], scope: DocumentScope
) -> asyncpg.Record:
    """Return what a search is planned by: counts, vectors, documents not ready."""
    arguments = _Arguments(org_id, ANALYSER_VERSION, list(term_ids))
    narrowed = _scope_sql(scope, arguments)
    not_ready = _NOT_READY_DOCUMENTS.format(
        scope=narrowed, newest=_NEWEST, limit=_MAX_NOT_READY
    )
    count = _SCOPED_COUNT.format(scope=narrowed) if narrowed else "null::bigint"
    sql = _BASIS.format(scoped_count=count, not_ready=not_ready)
    [row] = await raw_rows(session, sql, *arguments.values)
    return row


async def list_hits_for_org(
    session: Session, org_id: UUID, search: SearchPlan
) -> Sequence[asyncpg.Record]:
    """Return the best passages, the best first; equal ones by their ids."""
    arguments = _Arguments(org_id)
    narrowed = _narrowed_sql(search.narrowing, arguments)
    legs = [_lexical_sql(search.lexical, narrowed, arguments)]
    if search.dense is not None:
        legs.append(_dense_sql(search.dense, narrowed, arguments))
    sql = _SEARCH.format(
        legs=",".join(legs),
        shares=_shares_sql(search.dense, arguments),
        is_draft=_IS_DRAFT.format(record="d.record"),
        limit=arguments.add(search.limit),
    )
    # The planner has no statistics of an organisation's share of the vector index; only
    # with sorts disabled does it choose the index, which alone returns this order.
    uses_index = search.dense is not None and _is_staged(search.dense)
    settings = {**_SETTINGS, "enable_sort": "off" if uses_index else "on"}
    await raw_rows(session, _SET, list(settings), list(settings.values()))
    return await raw_rows(session, sql, *arguments.values)


async def list_passages_for_org(
    reader: TenantReader, org_id: UUID, chunk_ids: Sequence[UUID]
) -> list[Row]:
    """Return those of the passages that still exist, in no order."""
    return await reader.rows(_PASSAGES, org_id, chunk_ids=list(chunk_ids))


def _is_staged(dense: DenseLeg) -> bool:
    return dense.is_staged and dense.dimensions in INDEXED_DIMENSIONS


def _lexical_sql(leg: LexicalLeg, narrowed: str, arguments: _Arguments) -> str:
    source = _ALL_CHUNKS
    if leg.candidate_terms is not None:
        terms = arguments.add(list(leg.candidate_terms))
        source = _CANDIDATES.format(terms=terms, limit=CANDIDATE_LIMIT)
    return _LEXICAL.format(
        question=arguments.add(leg.weights),
        source=source,
        narrowed=narrowed,
        leg_limit=LEG_LIMIT,
    )


def _dense_sql(leg: DenseLeg, narrowed: str, arguments: _Arguments) -> str:
    shape = _DENSE_STAGED if _is_staged(leg) else _DENSE_EXACT
    return shape.format(
        size=int(leg.dimensions),
        vector=arguments.add(leg.vector),
        model=arguments.add(leg.model),
        joined=_OF_CHUNK if narrowed else "",
        narrowed=narrowed,
        leg_limit=LEG_LIMIT,
    )


def _shares_sql(dense: DenseLeg | None, arguments: _Arguments) -> str:
    if dense is None:
        return _LEXICAL_SHARE
    weight = f"{arguments.add(dense.weight)}::float8"
    words = _SHARE.format(
        lexical="score", dense="null::float8", weight=f"(1 - {weight})", leg="lexical"
    )
    vectors = _SHARE.format(
        lexical="null::float8", dense="score", weight=weight, leg="dense"
    )
    return f"{words} union all {vectors}"


def _narrowed_sql(narrowing: Narrowing, arguments: _Arguments) -> str:
    """Return conditions on `c`, empty where every passage is searched."""
    scope = _scope_sql(narrowing.scope, arguments)
    sql = ""
    if scope:
        sql = _WITHIN.format(scope=scope)
    elif narrowing.has_archived:
        sql = _NOT_ARCHIVED
    if narrowing.language is not None:
        sql += f" and c.language = {arguments.add(narrowing.language)}"
    return sql


def _scope_sql(scope: DocumentScope, arguments: _Arguments) -> str:
    """Return conditions on `d`, a document; empty where every one is searched."""
    sql, document_type = "", scope.document_type
    if document_type is not None and "/" in document_type:
        sql += f" and d.media_type = {arguments.add(document_type)}"
        document_type = None
    if scope.document_ids is not None:
        sql += f" and d.id = any({arguments.add(list(scope.document_ids))}::uuid[])"
    linked = {
        "product_id": scope.product_id,
        "item": scope.item,
        "requirement": document_type,
    }
    conditions = "".join(
        f" and l.{name} = {arguments.add(value)}"
        for name, value in linked.items()
        if value is not None
    )
    if conditions:
        sql += _LINKED.format(conditions=conditions)
    return sql
