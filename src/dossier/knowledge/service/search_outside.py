"""Asks what settings name outside: embedder, reranker, central service.

None of them can fail a search: where one does not answer, that is told instead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from dossier.core.errors import AppError
from dossier.core.tenancy import Actor
from dossier.integrations.llm.models import CallTag, EmbeddingModel
from dossier.knowledge import ports
from dossier.knowledge.rules import fusion
from dossier.knowledge.schemas.search import CentralPassage, Hit, SearchQuery

logger = logging.getLogger(__name__)

EMBED_TIMEOUT_S: Final = 3.0
RERANK_TIMEOUT_S: Final = 5.0
CENTRAL_TIMEOUT_S: Final = 5.0
EMBED_FEATURE: Final = "knowledge.search"

_OUTSIDE = (AppError, TimeoutError, OSError, RuntimeError, ValueError)
"""What somebody else's server or library may raise."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why something outside had no say."""

    why: str
    is_misfit: bool = False
    """The model's vectors are no longer of the size that passages have."""


async def embedded(
    embedder: EmbeddingModel | None,
    question: str,
    vectors: fusion.Vectors,
    actor: Actor,
) -> list[float] | LeftOut:
    """Return the question as a vector of length one, where vectors may take part."""
    if embedder is None:
        return LeftOut("no embedding model is set")
    if why := fusion.why_not_asked(question, vectors, embedder.name):
        return LeftOut(why)
    tag = CallTag(actor.org_id, actor.user_id, EMBED_FEATURE, key_id=actor.api_key_id)
    answer = await _within(
        EMBED_TIMEOUT_S, embedder.embed([question], tag), "the embedding model"
    )
    if isinstance(answer, LeftOut):
        return answer
    vector = fusion.unit(answer[0]) if answer else None
    why = fusion.why_misfit(vector, vectors)
    if vector is None or why:
        return LeftOut(why or "", is_misfit=vector is not None)
    return vector


async def reranked(
    reranker: ports.Reranker, question: str, hits: Sequence[Hit], limit: int
) -> Sequence[Hit] | LeftOut:
    """Return the best of the hits in the reranker's order, with its scores."""
    asked = reranker.rerank(question, [hit.text for hit in hits], limit)
    answer = await _within(RERANK_TIMEOUT_S, asked, "the reranker")
    if isinstance(answer, LeftOut):
        return answer
    return [_with_rerank(hits[each.index], each.score) for each in answer][:limit]


async def central_passages(
    central: ports.CentralSearch | None, query: SearchQuery
) -> Sequence[CentralPassage] | LeftOut:
    """Return what the central service finds; nothing where none is set.

    It knows products, and no narrower scope: what it cannot keep to is not asked.
    """
    if central is None:
        return ()
    if query != SearchQuery(query.text, query.limit, query.product_id):
        return LeftOut("the central service narrows by product alone")
    found = await _within(
        CENTRAL_TIMEOUT_S,
        central.search(query.text, query.limit, query.product_id),
        "the central service",
    )
    if isinstance(found, LeftOut):
        return found
    return [
        CentralPassage(each.title, each.text, each.score, each.reference)
        for each in found
    ]


async def _within(limit_s: float, call: Awaitable[T], who: str) -> T | LeftOut:
    """Return what somebody outside answers, or that it did not."""
    try:
        async with asyncio.timeout(limit_s):
            return await call
    except _OUTSIDE as exc:
        reason = exc.code() if isinstance(exc, AppError) else type(exc).__name__
        logger.warning("knowledge.search.left_out", extra={"who": who, "why": reason})
        return LeftOut(f"{who} did not answer ({reason})")


def _with_rerank(hit: Hit, score: float) -> Hit:
    return replace(hit, score=score, parts=replace(hit.parts, rerank=score))
