"""The two statements of a search: what is known of the terms, and the search.

Documents and their links are joined here: a search is one statement. Under row-level
security no index serves an operator that might leak, so that exact scans go by the
organisation, and candidates come from one function that reads the organisation itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from dossier.core.database import Session, raw_rows
from dossier.knowledge.constants import INDEXED_DIMENSIONS
from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.fusion import LEG_LIMIT
from dossier.knowledge.rules.plan import CANDIDATE_LIMIT
from dossier.knowledge.schemas.search import DocumentScope

_NEWEST: Final = 200
"""Documents that are looked at for not being ready; those that came last."""
_NOT_READY: Final = 20

# Read as a whole it is one round trip; each part is a look by primary key.
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
       (select coalesce(jsonb_agg(late), '[]') from ({late}) late) as not_ready
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
# Rows are fetched by arrays of ids: a planner that takes new tables for empty ones
# would read an organisation's rows once for each.
_LATE: Final = """
with newest as materialized (
  select d.* from documents d where d.org_id = $1 and d.archived_at is null
         {scope} order by d.created_at desc, d.id desc limit {newest}),
indexed as materialized (
  select k.document_id, k.revision from knowledge_documents k
   where k.org_id = $1
     and k.document_id = any(array(select n.id from newest n)))
select n.id, n.filename, n.text_state from newest n
 where n.text_state = 'unreadable'
    or (n.id, n.revision) not in (select i.document_id, i.revision from indexed i)
 order by n.created_at desc, n.id desc limit {limit}
"""

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
  select d.id, d.filename from documents d
   where d.org_id = $1 and d.id = any(array(select f.document_id from found f)))
select c.id as chunk_id, c.document_id, d.filename, c.page, c.label, c.kind, c.text,
       c.context, c.places, c.language,
       best.score, best.lexical, best.dense
  from best join found c on c.id = best.id join named d on d.id = c.document_id
 order by best.score desc, best.id
"""
# `offset 0` is a fence: the planner may turn neither leg into an index scan that stops
# early, and computes each distance once.
_LEXICAL: Final = """
lexical as materialized (
  select id, -distance as score
    from (select c.id, c.sparse <#> {question}::text::sparsevec as distance
            from {source} where c.org_id = $1{narrowed} offset 0) each_chunk
   where distance < 0 order by distance, id limit {leg_limit})
"""
_ALL: Final = "knowledge_chunks c"
_LIKELY: Final = """
(select id from knowledge_candidates({terms}::int[]) as id limit {limit}) likely
 join knowledge_chunks c on c.id = likely.id"""
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
# Of two legs each is stretched to 0 to 1 between its worst and its best.
_SHARE: Final = """
select id, {lexical} as lexical, {dense} as dense, {weight} * coalesce(
       (score - min(score) over ()) / nullif(max(score) over () - min(score) over (), 0)
       , 1) as share from {leg}"""
_ALONE: Final = """
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
"""A plan for anybody's parameters takes fifty times as long for most organisations."""
_SET: Final = """
select set_config(name, value, true)
  from unnest($1::text[], $2::text[]) as setting (name, value)
"""


@dataclass(frozen=True, slots=True)
class LexicalLeg:
    """The question's weights, and the terms that name candidates; `None`: all."""

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
    """What keeps a passage out."""

    scope: DocumentScope
    language: str | None
    has_archived: bool


@dataclass(frozen=True, slots=True)
class Search:
    """How passages are looked for."""

    lexical: LexicalLeg
    dense: DenseLeg | None
    narrowing: Narrowing
    limit: int


class _Arguments:
    """Collects a statement's parameters; the first is the organisation."""

    def __init__(self, *first: object) -> None:
        self.values: list[object] = list(first)

    def add(self, value: object) -> str:
        """Return how the statement names a value."""
        self.values.append(value)
        return f"${len(self.values)}"


async def get_basis_for_org(
    session: Session, org_id: UUID, term_ids: Sequence[int], scope: DocumentScope
) -> asyncpg.Record:
    """Return what a search has to know first: counts, vectors, who is late."""
    arguments = _Arguments(org_id, ANALYSER_VERSION, list(term_ids))
    narrowed = _scope_sql(scope, arguments)
    late = _LATE.format(scope=narrowed, newest=_NEWEST, limit=_NOT_READY)
    count = _SCOPED_COUNT.format(scope=narrowed) if narrowed else "null::bigint"
    sql = _BASIS.format(scoped_count=count, late=late)
    [row] = await raw_rows(session, sql, *arguments.values)
    return row


async def list_hits_for_org(
    session: Session, org_id: UUID, search: Search
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
        limit=arguments.add(search.limit),
    )
    settings = _settings(search.dense)
    await raw_rows(session, _SET, list(settings), list(settings.values()))
    return await raw_rows(session, sql, *arguments.values)


def _settings(dense: DenseLeg | None) -> Mapping[str, str]:
    # Nobody else has the order that the index of vectors gives, and the planner knows
    # no organisation's share of it: without sorts the index is what is left.
    sort = "off" if dense is not None and _is_staged(dense) else "on"
    return {**_SETTINGS, "enable_sort": sort}


def _is_staged(dense: DenseLeg) -> bool:
    return dense.is_staged and dense.dimensions in INDEXED_DIMENSIONS


def _lexical_sql(leg: LexicalLeg, narrowed: str, arguments: _Arguments) -> str:
    source = _ALL
    if leg.candidate_terms is not None:
        terms = arguments.add(list(leg.candidate_terms))
        source = _LIKELY.format(terms=terms, limit=CANDIDATE_LIMIT)
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
        return _ALONE
    weight = f"{arguments.add(dense.weight)}::float8"
    words = _SHARE.format(
        lexical="score", dense="null::float8", weight=f"(1 - {weight})", leg="lexical"
    )
    vectors = _SHARE.format(
        lexical="null::float8", dense="score", weight=weight, leg="dense"
    )
    return f"{words} union all {vectors}"


def _narrowed_sql(narrowing: Narrowing, arguments: _Arguments) -> str:
    """Return conditions on `c`; none where every passage is searched."""
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
    """Return conditions on `d`, a document; none where any is wanted."""
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
