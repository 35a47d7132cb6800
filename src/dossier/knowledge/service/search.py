"""Searches an organisation's passages; opens its own short transactions.

No connection is held while an embedder, a reranker or a central service is asked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.reads import TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.tracing.models import Value
from dossier.jobs.service import JobsService
from dossier.knowledge.constants import EMBED_TASK, DenseState
from dossier.knowledge.gateway import passages
from dossier.knowledge.gateway import search as gateway
from dossier.knowledge.rules import fusion, plan
from dossier.knowledge.rules.analyser import term_id, terms
from dossier.knowledge.rules.weights import inverse_frequency, sparse_text
from dossier.knowledge.schemas.search import (
    MAX_QUESTION_CHARACTERS,
    Hit,
    NotReady,
    NotReadyState,
    Parts,
    SearchQuery,
    SearchResult,
)
from dossier.knowledge.service.search_outside import (
    LeftOut,
    Outside,
    central_passages,
    embedded,
    reranked,
)
from dossier.products.service import ProductsService

RERANKED: Final = 30
"""Passages that a reranker is shown, if more are not wanted."""

_STATES: Final[Mapping[str, NotReadyState]] = {
    "pending": "reading",
    "read": "indexing",
    "read_partly": "indexing",
    "unreadable": "unreadable",
}


@dataclass(frozen=True, slots=True)
class _Basis:
    """What is known before anything is looked for."""

    chunk_count: int
    searched_count: int
    """Passages in the documents that are searched; all, where any is."""
    table_chunk_count: int
    corpus_version: int
    holding_counts: Mapping[int, int]
    vectors: fusion.Vectors
    has_archived: bool
    not_ready: Sequence[NotReady]


class SearchService:
    """Finds the passages that may answer a question."""

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        outside: Outside | None = None,
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._outside = outside or Outside()

    async def search(self, query: SearchQuery) -> SearchResult:
        """Return the best passages; of a longer text its beginning is the question."""
        query = replace(query, text=query.text[:MAX_QUESTION_CHARACTERS])
        with self._outside.tracer.span("retrieval", self._told(query)) as span:
            if query.product_id is not None:
                await self._refuse_unknown(query.product_id)
            has_central = self._outside.central is not None
            search = self._search_both if has_central else self._search
            result = await search(query)
            span.set("dossier.retrieval.mode", result.mode)
            span.set("dossier.retrieval.hits", len(result.hits))
            return result

    async def read(self, chunk_ids: Sequence[UUID]) -> list[Hit]:
        """Return passages that were found before and are still there; unscored."""
        rows = await passages.list_passages_for_org(
            TenantReader(self._sessions, self._actor), self._actor.org_id, chunk_ids
        )
        return [
            _hit_of({**row, "score": 0.0, "lexical": None, "dense": None})
            for row in rows
        ]

    def _told(self, query: SearchQuery) -> dict[str, Value | None]:
        with_content = self._outside.tracer.with_content
        return {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": query.text if with_content else None,
            "dossier.org_id": str(self._actor.org_id),
        }

    async def _search_both(self, query: SearchQuery) -> SearchResult:
        try:
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(central_passages(self._outside, query))
                result = await self._search(query)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        central = asked.result()
        if isinstance(central, LeftOut):
            return replace(result, why=_joined(result.why, central.why))
        return replace(result, central=central)

    async def _search(self, query: SearchQuery) -> SearchResult:
        ids = {each: term_id(each) for each in terms(query.text)}
        basis = await self._basis(query, sorted(set(ids.values())))
        idf = {
            each: inverse_frequency(basis.chunk_count, basis.holding_counts.get(id_, 0))
            for each, id_ in ids.items()
        }
        vector = await embedded(self._outside, query.text, basis.vectors, self._actor)
        if isinstance(vector, LeftOut) and vector.is_misfit:
            await self._embed_anew()
        dense = None if isinstance(vector, LeftOut) else _dense_leg(vector, basis)
        weights = {ids[each]: weight for each, weight in idf.items()}
        hits = await self._hits(query, basis, _lexical_leg(weights, basis), dense)
        result = SearchResult(
            hits=hits,
            mode="hybrid" if dense else "lexical",
            why=vector.why if isinstance(vector, LeftOut) else None,
            corpus_version=basis.corpus_version,
            not_ready=basis.not_ready,
            idf=idf,
        )
        return await self._reranked(query, result)

    async def _embed_anew(self) -> None:
        """Have the passages embedded in the model's new size; asked for once."""
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            jobs = JobsService(session, self._actor)
            await jobs.enqueue(EMBED_TASK, dedupe_key=EMBED_TASK)

    async def _refuse_unknown(self, product_id: UUID) -> None:
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            documents = DocumentsService(session, self._actor)
            products = ProductsService(session, self._actor, documents)
            await products.get_product(product_id)

    async def _basis(self, query: SearchQuery, term_ids: Sequence[int]) -> _Basis:
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            row = await gateway.get_basis_for_org(
                session, self._actor.org_id, term_ids, query.scope
            )
        return _basis_of(row)

    async def _hits(
        self,
        query: SearchQuery,
        basis: _Basis,
        lexical: gateway.LexicalLeg,
        dense: gateway.DenseLeg | None,
    ) -> list[Hit]:
        narrowing = gateway.Narrowing(query.scope, query.language, basis.has_archived)
        is_final = self._outside.reranker is None
        wanted = query.limit if is_final else max(query.limit, RERANKED)
        search = gateway.Search(lexical, dense, narrowing, wanted)
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            rows = await gateway.list_hits_for_org(session, self._actor.org_id, search)
        return [_hit_of(row) for row in rows]

    async def _reranked(self, query: SearchQuery, result: SearchResult) -> SearchResult:
        hits = await reranked(self._outside, query.text, result.hits, query.limit)
        if isinstance(hits, LeftOut):
            first, why = result.hits[: query.limit], _joined(result.why, hits.why)
            return replace(result, hits=first, why=why)
        return replace(result, hits=hits)


def _lexical_leg(weights: Mapping[int, float], basis: _Basis) -> gateway.LexicalLeg:
    """Leave out terms that no passage holds: they weigh nothing."""
    held = {each: weights[each] for each in sorted(basis.holding_counts)}
    is_staged = plan.is_lexical_staged(basis.searched_count)
    return gateway.LexicalLeg(
        weights=sparse_text(held),
        candidate_terms=plan.rarest(basis.holding_counts) if is_staged else None,
    )


def _dense_leg(vector: Sequence[float], basis: _Basis) -> gateway.DenseLeg:
    return gateway.DenseLeg(
        model=basis.vectors.model or "",
        vector=f"[{','.join(f'{each:.6g}' for each in vector)}]",
        dimensions=len(vector),
        weight=fusion.DENSE_WEIGHT,
        is_staged=plan.is_dense_staged(basis.searched_count, basis.table_chunk_count),
    )


def _joined(*reasons: str | None) -> str:
    return "; ".join(filter(None, reasons))


def _basis_of(row: Any) -> _Basis:
    scoped, whole = row["scoped_count"], row["chunk_count"] or 0
    return _Basis(
        chunk_count=whole,
        searched_count=whole if scoped is None else scoped,
        table_chunk_count=row["table_chunk_count"],
        corpus_version=row["corpus_version"] or 0,
        holding_counts=dict(
            zip(row["term_ids"] or (), row["term_counts"] or (), strict=True)
        ),
        vectors=fusion.Vectors(
            is_ready=row["dense_state"] == DenseState.READY,
            model=row["dense_model"],
            dimensions=row["dense_dimensions"],
            languages=row["dense_languages"] or [],
        ),
        has_archived=row["has_archived"],
        not_ready=[
            NotReady(UUID(late["id"]), late["filename"], _STATES[late["text_state"]])
            for late in row["not_ready"]
        ],
    )


def _hit_of(row: Any) -> Hit:
    values = dict(row)
    parts = Parts(values.pop("lexical"), values.pop("dense"))
    return Hit(**values | {"parts": parts})
