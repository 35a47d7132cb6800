"""Servers that a search uses besides the database: embedder, reranker, central service.

None of them can fail a search: the result states the reason instead. One that keeps
failing is skipped for a while, so that no search waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from dossier.core.errors import AppError
from dossier.core.tenancy import Actor
from dossier.integrations.llm.breaker import Breaker
from dossier.integrations.llm.types import CallTag, EmbeddingModel
from dossier.integrations.rag.models import RemotePassage
from dossier.integrations.tracing.models import NoTracer, Tracer
from dossier.knowledge.rules import vectors
from dossier.knowledge.rules.vectors import VectorState
from dossier.knowledge.types import SearchHit, SearchQuery

if TYPE_CHECKING:  # its HTTP client is imported only where a reranker is set
    from dossier.integrations.rerank.client import Ranked

logger = logging.getLogger(__name__)

EMBED_TIMEOUT_S: Final = 3.0
RERANK_TIMEOUT_S: Final = 5.0
CENTRAL_TIMEOUT_S: Final = 5.0
EMBED_FEATURE: Final = "knowledge.search"

MAX_FAILURES: Final = 3
"""In a row; then a server is skipped for `SKIP_S`."""
SKIP_S: Final = 30.0

_SERVER_ERRORS = (AppError, TimeoutError, OSError, RuntimeError, ValueError)
"""What a client of another server, or its library, may raise."""

_SERVER_ERROR_STATUS: Final = 500

T = TypeVar("T")

Rerank = Callable[[str, Sequence[str], int], Awaitable[Sequence["Ranked"]]]
"""Ranks documents by a query and returns that many of the best, the best first."""
SearchCentral = Callable[[str, int, UUID | None], Awaitable[Sequence[RemotePassage]]]
"""Returns that many passages on a product, or on all products, the best first."""


def _breaker() -> Breaker:
    return Breaker(MAX_FAILURES, SKIP_S, time.monotonic)


@dataclass(frozen=True, slots=True)
class SearchBreakers:
    """The circuit breakers of the servers, shared by all searches of a process."""

    embedder: Breaker = field(default_factory=_breaker)
    reranker: Breaker = field(default_factory=_breaker)
    central: Breaker = field(default_factory=_breaker)


@dataclass(frozen=True, slots=True)
class SearchClients:
    """The servers of a search, `None` where none is set, and its tracer."""

    embedder: EmbeddingModel | None = None
    rerank: Rerank | None = None
    search_central: SearchCentral | None = None
    breakers: SearchBreakers = field(default_factory=SearchBreakers)
    tracer: Tracer = field(default_factory=NoTracer)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a server took no part in a search."""

    reason: str
    is_size_mismatch: bool = False
    """The model's vectors no longer have the size of the passages' vectors."""


async def embed_question(
    clients: SearchClients, question: str, state: VectorState, actor: Actor
) -> list[float] | Skipped:
    """Return the question as a vector of length one."""
    embedder = clients.embedder
    if embedder is None:
        return Skipped("no embedding model is set")
    if why := vectors.why_not_embedded(question, state, embedder.name):
        return Skipped(why)
    tag = CallTag(actor.org_id, actor.user_id, EMBED_FEATURE, key_id=actor.api_key_id)
    answer = await _call(
        "the embedding model",
        EMBED_TIMEOUT_S,
        clients.breakers.embedder,
        lambda: embedder.embed([question], tag),
    )
    if isinstance(answer, Skipped):
        return answer
    vector = vectors.unit(answer[0]) if answer else None
    why = vectors.why_misfit(vector, state)
    if vector is None or why:
        return Skipped(why or "", is_size_mismatch=vector is not None)
    return vector


async def rerank_hits(
    clients: SearchClients, question: str, hits: Sequence[SearchHit], limit: int
) -> Sequence[SearchHit] | Skipped:
    """Return the best of the hits in the reranker's order, with its scores."""
    rerank = clients.rerank
    if rerank is None or not hits:
        return hits[:limit]
    ranking = await _call(
        "the reranker",
        RERANK_TIMEOUT_S,
        clients.breakers.reranker,
        lambda: rerank(question, [hit.text for hit in hits], limit),
    )
    if isinstance(ranking, Skipped):
        return ranking
    return [
        replace(
            hits[each.index],
            score=each.score,
            parts=replace(hits[each.index].parts, rerank=each.score),
        )
        for each in ranking
    ][:limit]


async def central_passages(
    clients: SearchClients, query: SearchQuery
) -> Sequence[RemotePassage] | Skipped:
    """Return the passages of the central service, none where no service is set.

    It can restrict a search to a product only; it is skipped for other restrictions.
    """
    search_central = clients.search_central
    if search_central is None:
        return ()
    if query != SearchQuery(query.text, query.limit, query.product_id):
        return Skipped("the central service narrows by product alone")
    return await _call(
        "the central service",
        CENTRAL_TIMEOUT_S,
        clients.breakers.central,
        lambda: search_central(query.text, query.limit, query.product_id),
    )


async def _call(
    server: str, timeout_s: float, breaker: Breaker, call: Callable[[], Awaitable[T]]
) -> T | Skipped:
    """Return a server's answer, or why there is none."""
    if not breaker.admit():
        return Skipped(f"{server} did not answer lately")
    is_probe = breaker.is_probing
    try:
        async with asyncio.timeout(timeout_s):
            answer = await call()
    except _SERVER_ERRORS as exc:
        # A refusal, such as for a spent budget, is no failure of the server.
        if not isinstance(exc, AppError) or exc.status >= _SERVER_ERROR_STATUS:
            breaker.fail()
        reason = exc.code() if isinstance(exc, AppError) else type(exc).__name__
        logger.warning(
            "knowledge.search.left_out", extra={"who": server, "why": reason}
        )
        return Skipped(f"{server} did not answer ({reason})")
    else:
        breaker.succeed()
        return answer
    finally:
        if is_probe:
            breaker.abandon()  # a refused or cancelled probe proves nothing
