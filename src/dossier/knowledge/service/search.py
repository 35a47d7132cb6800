"""Searches an organisation's passages; opens its own short transactions.

No connection is held while an embedder, a reranker or a central service is asked, and
none of them can fail a search: the answer then says what was left out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.reads import read_for
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.llm.models import CallTag, EmbeddingModel
from dossier.knowledge import ports
from dossier.knowledge.constants import DenseState
from dossier.knowledge.gateway import search as gateway
from dossier.knowledge.rules import fusion, plan
from dossier.knowledge.rules.analyser import term_id, terms
from dossier.knowledge.rules.weights import inverse_frequency, sparse_text
from dossier.knowledge.schemas.search import (
    MAX_QUESTION_CHARACTERS,
    CentralPassage,
    Hit,
    NotReady,
    NotReadyState,
    Parts,
    SearchQuery,
    SearchResult,
)
from dossier.products.service import ProductsService

logger = logging.getLogger(__name__)

EMBED_TIMEOUT_S: Final = 3.0
RERANK_TIMEOUT_S: Final = 5.0
CENTRAL_TIMEOUT_S: Final = 5.0
RERANKED: Final = 30
"""Passages that a reranker is shown, if more are not wanted."""
EMBED_FEATURE: Final = "knowledge.search"

_STATES: Final[Mapping[str, NotReadyState]] = {
    "pending": "reading",
    "read": "indexing",
    "unreadable": "unreadable",
}
_OUTSIDE = (AppError, TimeoutError, OSError, RuntimeError, ValueError)
"""What somebody else's server or library may raise."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Basis:
    """What is known before anything is looked for."""

    chunk_count: int
    table_chunk_count: int
    corpus_version: int
    holding_counts: Mapping[int, int]
    vectors: fusion.Vectors
    has_archived: bool
    not_ready: Sequence[NotReady]


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Why something outside was not used; what it had to say is missing."""

    why: str


class SearchService:
    """Finds the passages that may answer a question."""

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        embedder: EmbeddingModel | None = None,
        reranker: ports.Reranker | None = None,
        central: ports.CentralSearch | None = None,
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._reads = read_for(sessions, actor)
        self._embedder = embedder
        self._reranker = reranker
        self._central = central

    async def search(self, query: SearchQuery) -> SearchResult:
        """Return the best passages; of a longer text its beginning is the question."""
        query = replace(query, text=query.text[:MAX_QUESTION_CHARACTERS])
        if query.product_id is not None:
            await self._refuse_unknown(query.product_id)
        async with asyncio.TaskGroup() as group:
            central = group.create_task(self._ask_central(query))
            result = await self._search(query)
        asked = central.result()
        if isinstance(asked, _LeftOut):
            return replace(result, why=_joined(result.why, asked.why))
        return replace(result, central=asked)

    async def _search(self, query: SearchQuery) -> SearchResult:
        ids = {each: term_id(each) for each in terms(query.text)}
        basis = await self._basis(query, sorted(set(ids.values())))
        idf = {
            each: inverse_frequency(basis.chunk_count, basis.holding_counts.get(id_, 0))
            for each, id_ in ids.items()
        }
        dense = await self._dense(query.text, basis)
        leg = None if isinstance(dense, _LeftOut) else dense
        weights = {ids[each]: weight for each, weight in idf.items()}
        hits = await self._hits(query, basis, weights, leg)
        result = SearchResult(
            hits=hits,
            mode="lexical" if leg is None else "hybrid",
            why=dense.why if isinstance(dense, _LeftOut) else None,
            corpus_version=basis.corpus_version,
            not_ready=basis.not_ready,
            idf=idf,
        )
        return await self._reranked(query, result)

    async def _refuse_unknown(self, product_id: UUID) -> None:
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            documents = DocumentsService(session, self._actor)
            products = ProductsService(session, self._actor, documents)
            await products.get_product(product_id)

    async def _basis(self, query: SearchQuery, term_ids: Sequence[int]) -> _Basis:
        row = await gateway.get_basis_for_org(
            self._reads, self._actor.org_id, term_ids, query.scope
        )
        return _basis_of(row)

    async def _dense(
        self, question: str, basis: _Basis
    ) -> gateway.DenseLeg | _LeftOut:
        embedder, vectors = self._embedder, basis.vectors
        if embedder is None:
            return _LeftOut("no embedding model is set")
        if why := fusion.why_not_asked(question, vectors, embedder.name):
            return _LeftOut(why)
        tag = CallTag(self._actor.org_id, self._actor.user_id, EMBED_FEATURE)
        answer = await _within(
            EMBED_TIMEOUT_S, embedder.embed([question], tag), "the embedding model"
        )
        if isinstance(answer, _LeftOut):
            return answer
        vector = fusion.unit(answer[0]) if answer else None
        if vector is None or (why := fusion.why_misfit(vector, vectors)):
            return _LeftOut(why or fusion.why_misfit(None, vectors) or "")
        return gateway.DenseLeg(
            model=embedder.name,
            vector=f"[{','.join(f'{each:.6g}' for each in vector)}]",
            dimensions=len(vector),
            weight=fusion.DENSE_WEIGHT,
            is_staged=plan.is_dense_staged(basis.chunk_count, basis.table_chunk_count),
        )

    async def _hits(
        self,
        query: SearchQuery,
        basis: _Basis,
        weights: Mapping[int, float],
        dense: gateway.DenseLeg | None,
    ) -> list[Hit]:
        held = {each: weights[each] for each in sorted(basis.holding_counts)}
        is_staged = plan.is_lexical_staged(basis.chunk_count)
        lexical = gateway.LexicalLeg(
            weights=sparse_text(held),
            candidate_terms=plan.rarest(basis.holding_counts) if is_staged else None,
        )
        narrowing = gateway.Narrowing(query.scope, query.language, basis.has_archived)
        wanted = query.limit if self._reranker is None else max(query.limit, RERANKED)
        rows = await gateway.list_hits_for_org(
            self._reads,
            self._actor.org_id,
            gateway.Search(lexical, dense, narrowing, wanted),
        )
        return [_hit_of(row) for row in rows]

    async def _reranked(self, query: SearchQuery, result: SearchResult) -> SearchResult:
        hits = result.hits
        if self._reranker is None or not hits:
            return result
        asked = self._reranker.rerank(
            query.text, [hit.text for hit in hits], query.limit
        )
        answer = await _within(RERANK_TIMEOUT_S, asked, "the reranker")
        if isinstance(answer, _LeftOut):
            why = _joined(result.why, answer.why)
            return replace(result, hits=hits[: query.limit], why=why)
        best = [_with_rerank(hits[each.index], each.score) for each in answer]
        return replace(result, hits=best[: query.limit])

    async def _ask_central(
        self, query: SearchQuery
    ) -> Sequence[CentralPassage] | _LeftOut:
        if self._central is None:
            return ()
        found = await _within(
            CENTRAL_TIMEOUT_S,
            self._central.search(query.text, query.limit),
            "the central service",
        )
        if isinstance(found, _LeftOut):
            return found
        return [
            CentralPassage(each.title, each.text, each.score, each.reference)
            for each in found
        ]


async def _within(limit_s: float, call: Awaitable[T], who: str) -> T | _LeftOut:
    """Return what somebody outside answers, or that it did not."""
    try:
        async with asyncio.timeout(limit_s):
            return await call
    except _OUTSIDE as exc:
        reason = exc.code() if isinstance(exc, AppError) else type(exc).__name__
        logger.warning("knowledge.search.left_out", extra={"who": who, "why": reason})
        return _LeftOut(f"{who} did not answer ({reason})")


def _joined(*reasons: str | None) -> str:
    return "; ".join(filter(None, reasons))


def _with_rerank(hit: Hit, score: float) -> Hit:
    return replace(hit, score=score, parts=replace(hit.parts, rerank=score))


def _basis_of(row: Mapping[str, Any]) -> _Basis:
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
            languages=orjson.loads(row["dense_languages"] or "[]"),
        ),
        has_archived=row["has_archived"],
        not_ready=[
            NotReady(UUID(late["id"]), late["filename"], _STATES[late["text_state"]])
            for late in orjson.loads(row["not_ready"])
        ],
    )


def _hit_of(row: Mapping[str, Any]) -> Hit:
    values = dict(row)
    parts = Parts(values.pop("lexical"), values.pop("dense"))
    return Hit(**values | {"places": orjson.loads(row["places"]), "parts": parts})
