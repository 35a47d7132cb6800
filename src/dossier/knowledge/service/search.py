"""Searches an organisation's passages, in short transactions of its own.

No connection is held during a call to the embedder, reranker or central service.
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
from dossier.jobs.service import JobsService
from dossier.knowledge.constants import (
    EMBED_TASK,
    MAX_QUESTION_CHARACTERS,
    DenseState,
    NotReadyState,
)
from dossier.knowledge.gateway import search as gateway
from dossier.knowledge.rules import plan
from dossier.knowledge.rules.analyser import term_id, terms
from dossier.knowledge.rules.vectors import VectorState
from dossier.knowledge.rules.weights import inverse_frequency, sparse_text
from dossier.knowledge.service.clients import (
    SearchClients,
    Skipped,
    central_passages,
    embed_question,
    rerank_hits,
)
from dossier.knowledge.types import (
    DocumentScope,
    NotReady,
    ScoreParts,
    SearchHit,
    SearchQuery,
    SearchResult,
)
from dossier.products.service.products import ProductsService

RERANKED: Final = 30
"""Passages sent to the reranker, unless the search asks for more."""

_STATES: Final[Mapping[tuple[str, bool], NotReadyState]] = {
    ("pending", False): "reading",
    ("read", False): "indexing",
    ("read_partly", False): "indexing",
    ("read_partly", True): "read_partly",
    ("unreadable", False): "unreadable",
    ("unreadable", True): "unreadable",
}
"""By the state of a document's text, and whether it is indexed as it is now."""


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a search is planned by."""

    chunk_count: int
    searched_count: int
    """Passages in the documents that are searched; all, where any is."""
    table_chunk_count: int
    corpus_version: int
    holding_counts: Mapping[int, int]
    vectors: VectorState
    has_archived: bool
    not_ready: Sequence[NotReady]


class SearchService:
    """Finds the passages that may answer a question."""

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        clients: SearchClients | None = None,
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._clients = clients or SearchClients()

    async def search(self, query: SearchQuery) -> SearchResult:
        """Return the best passages; of a longer text its beginning is the question."""
        query = replace(query, text=query.text[:MAX_QUESTION_CHARACTERS])
        tracer = self._clients.tracer
        attributes = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": query.text if tracer.with_content else None,
            "dossier.org_id": str(self._actor.org_id),
        }
        with tracer.span("retrieval", attributes) as span:
            if query.product_id is not None:
                async with tenant_transaction(
                    self._sessions, self._actor.org_id
                ) as session:
                    documents = DocumentsService(session, self._actor)
                    products = ProductsService(session, self._actor, documents)
                    # Raises for a product of another organisation.
                    await products.get_product(query.product_id)
            has_central = self._clients.search_central is not None
            search = self._search_both if has_central else self._search
            result = await search(query)
            span.set("dossier.retrieval.mode", result.mode)
            span.set("dossier.retrieval.hits", len(result.hits))
            return result

    async def corpus_version(self) -> int:
        """Return the number of the organisation's last change of indexed text."""
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            row = await gateway.get_basis_for_org(
                session, self._actor.org_id, [], DocumentScope()
            )
        return _basis_of(row).corpus_version

    async def read(self, chunk_ids: Sequence[UUID]) -> list[SearchHit]:
        """Return those of earlier found passages that still exist; unscored."""
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            rows = await gateway.list_passages_for_org(
                TenantReader(session, self._actor), self._actor.org_id, chunk_ids
            )
        return [
            _hit_of({**row, "score": 0.0, "lexical": None, "dense": None})
            for row in rows
        ]

    async def _search_both(self, query: SearchQuery) -> SearchResult:
        """Search the passages and the central service at the same time."""
        try:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(central_passages(self._clients, query))
                result = await self._search(query)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        central = task.result()
        if isinstance(central, Skipped):
            return replace(result, why=_joined(result.why, central.reason))
        return replace(result, central=central)

    async def _search(self, query: SearchQuery) -> SearchResult:
        ids = {each: term_id(each) for each in terms(query.text)}
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            row = await gateway.get_basis_for_org(
                session, self._actor.org_id, sorted(set(ids.values())), query.scope
            )
        basis = _basis_of(row)
        idf = {
            each: inverse_frequency(basis.chunk_count, basis.holding_counts.get(id_, 0))
            for each, id_ in ids.items()
        }
        vector = await embed_question(
            self._clients, query.text, basis.vectors, self._actor
        )
        if isinstance(vector, Skipped) and vector.is_size_mismatch:
            # Embeds all passages in the model's new size, once.
            async with tenant_transaction(
                self._sessions, self._actor.org_id
            ) as session:
                jobs = JobsService(session, self._actor)
                await jobs.enqueue(EMBED_TASK, dedupe_key=EMBED_TASK)
        dense = None if isinstance(vector, Skipped) else _dense_leg(vector, basis)
        weights = {ids[each]: weight for each, weight in idf.items()}
        hits = await self._hits(query, basis, _lexical_leg(weights, basis), dense)
        result = SearchResult(
            hits=hits,
            mode="hybrid" if dense else "lexical",
            why=vector.reason if isinstance(vector, Skipped) else None,
            corpus_version=basis.corpus_version,
            not_ready=basis.not_ready,
            idf=idf,
        )
        ranked = await rerank_hits(self._clients, query.text, hits, query.limit)
        if isinstance(ranked, Skipped):
            why = _joined(result.why, ranked.reason)
            return replace(result, hits=hits[: query.limit], why=why)
        return replace(result, hits=ranked)

    async def _hits(
        self,
        query: SearchQuery,
        basis: _Basis,
        lexical: gateway.LexicalLeg,
        dense: gateway.DenseLeg | None,
    ) -> list[SearchHit]:
        narrowing = gateway.Narrowing(query.scope, query.language, basis.has_archived)
        is_final = self._clients.rerank is None
        limit = query.limit if is_final else max(query.limit, RERANKED)
        search = gateway.SearchPlan(lexical, dense, narrowing, limit)
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            rows = await gateway.list_hits_for_org(session, self._actor.org_id, search)
        return [_hit_of(row) for row in rows]


def _lexical_leg(weights: Mapping[int, float], basis: _Basis) -> gateway.LexicalLeg:
    """Leave out terms that no passage holds: they have no weight."""
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
        weight=plan.DENSE_WEIGHT,
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
        vectors=VectorState(
            is_ready=row["dense_state"] == DenseState.READY,
            model=row["dense_model"],
            dimensions=row["dense_dimensions"],
            languages=row["dense_languages"] or [],
        ),
        has_archived=row["has_archived"],
        not_ready=[
            NotReady(
                UUID(late["id"]),
                late["filename"],
                _STATES[late["text_state"], late["is_indexed"]],
            )
            for late in row["not_ready"]
        ],
    )


def _hit_of(row: Any) -> SearchHit:
    values = dict(row)
    parts = ScoreParts(values.pop("lexical"), values.pop("dense"))
    return SearchHit(**values | {"parts": parts})
