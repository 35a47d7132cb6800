"""Asks what settings name outside: embedder, reranker, central service.

None of them can fail a search: where one does not answer, that is told instead, and
where it keeps failing, it is left alone for a while: no search waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from dossier.core.errors import AppError
from dossier.core.tenancy import Actor
from dossier.integrations.llm.breaker import Breaker
from dossier.integrations.llm.types import CallTag, EmbeddingModel
from dossier.integrations.tracing.models import NoTracer, Tracer
from dossier.knowledge import ports
from dossier.knowledge.rules import fusion
from dossier.knowledge.schemas.search import CentralPassage, Hit, SearchQuery

logger = logging.getLogger(__name__)

EMBED_TIMEOUT_S: Final = 3.0
RERANK_TIMEOUT_S: Final = 5.0
CENTRAL_TIMEOUT_S: Final = 5.0
EMBED_FEATURE: Final = "knowledge.search"

FAILURES: Final = 3
"""In a row; then it is left alone for `REST_S`."""
REST_S: Final = 30.0

_OUTSIDE = (AppError, TimeoutError, OSError, RuntimeError, ValueError)
"""What somebody else's server or library may raise."""

_SERVERS_FAULT: Final = 500

T = TypeVar("T")


def _breaker() -> Breaker:
    return Breaker(FAILURES, REST_S, time.monotonic)


@dataclass(frozen=True, slots=True)
class Rests:
    """Who is left alone for a while; one for all searches of a process."""

    embedder: Breaker = field(default_factory=_breaker)
    reranker: Breaker = field(default_factory=_breaker)
    central: Breaker = field(default_factory=_breaker)


@dataclass(frozen=True, slots=True)
class Outside:
    """Whom a search asks besides the database, and who is told of it."""

    embedder: EmbeddingModel | None = None
    reranker: ports.Reranker | None = None
    central: ports.CentralSearch | None = None
    rests: Rests = field(default_factory=Rests)
    tracer: Tracer = field(default_factory=NoTracer)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why something outside had no say."""

    why: str
    is_misfit: bool = False
    """The model's vectors are no longer of the size that passages have."""


async def embedded(
    outside: Outside, question: str, vectors: fusion.Vectors, actor: Actor
) -> list[float] | LeftOut:
    """Return the question as a vector of length one, where vectors may take part."""
    embedder = outside.embedder
    if embedder is None:
        return LeftOut("no embedding model is set")
    if why := fusion.why_not_asked(question, vectors, embedder.name):
        return LeftOut(why)
    tag = CallTag(actor.org_id, actor.user_id, EMBED_FEATURE, key_id=actor.api_key_id)
    answer = await _within(
        _Patience("the embedding model", EMBED_TIMEOUT_S, outside.rests.embedder),
        lambda: embedder.embed([question], tag),
    )
    if isinstance(answer, LeftOut):
        return answer
    vector = fusion.unit(answer[0]) if answer else None
    why = fusion.why_misfit(vector, vectors)
    if vector is None or why:
        return LeftOut(why or "", is_misfit=vector is not None)
    return vector


async def reranked(
    outside: Outside, question: str, hits: Sequence[Hit], limit: int
) -> Sequence[Hit] | LeftOut:
    """Return the best of the hits in the reranker's order, with its scores."""
    reranker = outside.reranker
    if reranker is None or not hits:
        return hits[:limit]
    answer = await _within(
        _Patience("the reranker", RERANK_TIMEOUT_S, outside.rests.reranker),
        lambda: reranker.rerank(question, [hit.text for hit in hits], limit),
    )
    if isinstance(answer, LeftOut):
        return answer
    return [_with_rerank(hits[each.index], each.score) for each in answer][:limit]


async def central_passages(
    outside: Outside, query: SearchQuery
) -> Sequence[CentralPassage] | LeftOut:
    """Return what the central service finds; nothing where none is set.

    It knows products, and no narrower scope: what it cannot keep to is not asked.
    """
    central = outside.central
    if central is None:
        return ()
    if query != SearchQuery(query.text, query.limit, query.product_id):
        return LeftOut("the central service narrows by product alone")
    found = await _within(
        _Patience("the central service", CENTRAL_TIMEOUT_S, outside.rests.central),
        lambda: central.search(query.text, query.limit, query.product_id),
    )
    if isinstance(found, LeftOut):
        return found
    return [
        CentralPassage(each.title, each.text, each.score, each.reference)
        for each in found
    ]


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long a search waits for somebody, and whether it asks at all."""

    who: str
    limit_s: float
    breaker: Breaker


async def _within(patience: _Patience, ask: Callable[[], Awaitable[T]]) -> T | LeftOut:
    """Return what somebody outside answers, or that it did not."""
    breaker = patience.breaker
    if not breaker.admit():
        return LeftOut(f"{patience.who} did not answer lately")
    is_probe = breaker.is_probing
    try:
        async with asyncio.timeout(patience.limit_s):
            answer = await ask()
    except _OUTSIDE as exc:
        _note_fault(breaker, exc)
        return _left_out(patience.who, exc)
    else:
        breaker.succeed()
        return answer
    finally:
        if is_probe:
            breaker.abandon()  # who was refused, or left, knows nothing of the server


def _note_fault(breaker: Breaker, exc: Exception) -> None:
    if _is_its_fault(exc):
        breaker.fail()


def _is_its_fault(exc: Exception) -> bool:
    """Tell a server that fails from one that refuses, such as by a spent budget."""
    return not isinstance(exc, AppError) or exc.status >= _SERVERS_FAULT


def _left_out(who: str, exc: Exception) -> LeftOut:
    reason = exc.code() if isinstance(exc, AppError) else type(exc).__name__
    logger.warning("knowledge.search.left_out", extra={"who": who, "why": reason})
    return LeftOut(f"{who} did not answer ({reason})")


def _with_rerank(hit: Hit, score: float) -> Hit:
    return replace(hit, score=score, parts=replace(hit.parts, rerank=score))
