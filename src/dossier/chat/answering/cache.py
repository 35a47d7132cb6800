"""Stored answers of models: the same question under the same circumstances only."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.ai.schemas import AnswerLabel
from dossier.ai.service.cache import AnswerCache, CacheHit, Lead, cache_key
from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.outcome import AnswerOutcome
from dossier.chat.answering.prompt import GROUNDED_PROMPT, history_digest
from dossier.chat.answering.retrieval import RetrievedPassages
from dossier.chat.answering.stream import AnswerStream
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.rules import replies
from dossier.chat.rules.prompting import persona_json
from dossier.chat.types import AnswerContext, ContextWindow
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.jobs.constants import FINISHED
from dossier.jobs.context import JobContext
from dossier.jobs.exceptions import JobNotFoundError
from dossier.jobs.service import JobsService
from dossier.knowledge.extraction import DOCUMENTS_PARSER

FIRST_POLL_S = 0.05
LONGEST_POLL_S = 0.5
MAX_LEADER_WAIT_S = 120.0
"""How long one answer waits for another job that makes the same."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer as it was stored."""

    label: AnswerLabel
    deltas: list[tuple[str, list[dict[str, Any]]]]
    """Each piece of the text with its citations."""
    dropped: dict[str, int]


def key_of(
    org_id: UUID,
    context: AnswerContext,
    retrieved: RetrievedPassages,
    *,
    model: str,
    server: str,
    window: ContextWindow,
) -> str:
    """Return the digest of all that an answer depends on.

    Documents are the organisation's, so its members share answers; of a virtual user
    counts what the prompt says of it, not who owns it.
    """
    prompt = load_prompt(GROUNDED_PROMPT)
    scope = context.scope
    return cache_key(
        org_id=org_id,
        feature=ANSWER_JOB,
        prompt=[prompt.label, prompt.sha256],
        model=[model, server],
        parameters=[window.window_tokens, window.output_tokens],
        rules=[replies.CLAIM_RULES, DOCUMENTS_PARSER],
        corpus_version=retrieved.corpus_version,
        passages=[each.chunk_id for each in retrieved.passages],
        scope=[scope.product_id, sorted(map(str, scope.attached_ids))],
        persona=persona_json(context.persona),
        history=history_digest(context),
        input=context.question,
    )


async def cached_or_lead(
    sessions: SessionFactory,
    ctx: JobContext,
    context: AnswerContext,
    key: str,
    days: int,
) -> CachedAnswer | None:
    """Return the stored answer; `None`: this job makes it.

    Waits while another job makes the same answer. A job that ended without storing one
    keeps its lead, which is then taken over.
    """
    poll_s, waited_s = FIRST_POLL_S, 0.0
    ended: UUID | None = None
    while waited_s < MAX_LEADER_WAIT_S:
        async with tenant_transaction(sessions, ctx.org_id) as session:
            found = await AnswerCache(session, ctx.actor, days=days).find_or_lead(
                key, ANSWER_JOB, ctx.job_id, _deletion_scope(context), ended=ended
            )
        if isinstance(found, CacheHit):
            stored = found.payload
            return CachedAnswer(
                label=AnswerLabel.model_validate(stored["label"]),
                deltas=[(each["text"], each["quotes"]) for each in stored["pieces"]],
                dropped=stored["dropped"],
            )
        if isinstance(found, Lead):
            return None
        ended = None
        async with tenant_transaction(sessions, ctx.org_id) as session:
            try:
                jobs = JobsService(session, ctx.actor)
                leader = await jobs.get_job_of_kind(found.run_id, ANSWER_JOB)
                ended = leader.id if leader.state in FINISHED else None
            except JobNotFoundError:
                ended = found.run_id
        if ended is None:
            await asyncio.sleep(poll_s)
            waited_s += poll_s
            poll_s = min(poll_s * 1.5, LONGEST_POLL_S)
    return None


async def store_answer(
    session: Session,
    ctx: JobContext,
    context: AnswerContext,
    stream: AnswerStream,
    outcome: AnswerOutcome,
    days: int,
) -> None:
    """Store an answer under its key, in the transaction that records it."""
    key = outcome.cache_key
    if key is None:
        return
    cache = AnswerCache(session, ctx.actor, days=days)
    payload = {
        "label": outcome.label.model_dump(mode="json"),
        "pieces": [{"text": text, "quotes": cited} for text, cited in stream.deltas],
        "dropped": outcome.dropped,
    }
    if context.job_input.is_anew:
        scope = _deletion_scope(context)
        await cache.replace(key, ANSWER_JOB, ctx.job_id, payload, scope)
    else:
        await cache.store(key, payload)


def _deletion_scope(context: AnswerContext) -> dict[str, Any]:
    """Return what the stored answer is deleted with."""
    scope = {
        "room_id": context.job_input.room_id,
        "product_id": context.scope.product_id,
    }
    return {name: value for name, value in scope.items() if value is not None}
