"""Stored answers of models: the same question under the same circumstances only."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.ai.schemas import AnswerLabel
from dossier.ai.service.cache import AnswerCache, CacheHit, Follow, Lead, cache_key
from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.context import AnswerContext
from dossier.chat.answering.generate import AnswerOutcome, CacheWrite
from dossier.chat.answering.prompt import GROUNDED_PROMPT, Window, history_digest
from dossier.chat.answering.retrieval import Sources
from dossier.chat.answering.stream import AnswerStream
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.rules import replies
from dossier.chat.rules.prompting import manner_of
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.constants import FINISHED
from dossier.jobs.context import JobContext
from dossier.jobs.exceptions import JobNotFoundError
from dossier.jobs.service import JobsService
from dossier.knowledge.extraction import DOCUMENTS_PARSER

FIRST_LOOK_S = 0.05
LONGEST_LOOK_S = 0.5
MAX_WAIT_S = 120.0
"""How long one answer waits for another job that makes the same."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which model would answer, and within which bounds."""

    model: str
    server: str
    window: Window


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer as it was stored."""

    label: AnswerLabel
    pieces: list[tuple[str, list[dict[str, Any]]]]
    dropped: dict[str, int]

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "CachedAnswer":
        """Read what was stored."""
        return cls(
            label=AnswerLabel.model_validate(payload["label"]),
            pieces=[(piece["text"], piece["quotes"]) for piece in payload["pieces"]],
            dropped=payload["dropped"],
        )


def key_of(
    org_id: UUID, context: AnswerContext, sources: Sources, config: ModelConfig
) -> str:
    """Return the digest of all that an answer depends on.

    Papers are the organisation's, so its members share answers; a virtual user counts
    by what the prompt says of it, whosever it is.
    """
    prompt = load_prompt(GROUNDED_PROMPT)
    scope = context.scope
    return cache_key(
        org_id=org_id,
        feature=ANSWER_JOB,
        prompt=[prompt.label, prompt.sha256],
        model=[config.model, config.server],
        parameters=[config.window.window_tokens, config.window.output_tokens],
        rules=[replies.CLAIM_RULES, DOCUMENTS_PARSER],
        corpus_version=sources.corpus_version,
        passages=[each.chunk_id for each in sources.passages],
        scope=[scope.product_id, sorted(map(str, scope.attached_ids))],
        persona=manner_of(context.persona),
        history=history_digest(context),
        input=context.question,
    )


def cache_write_of(
    key: str,
    context: AnswerContext,
    outcome: AnswerOutcome,
    stream: AnswerStream,
    config: ModelConfig,
) -> CacheWrite | None:
    """Return what is stored of an answer; `None` unless it is whole and the key's."""
    if outcome.label.degraded is not None or outcome.server != config.server:
        return None
    payload = {
        "label": outcome.label.model_dump(mode="json"),
        "pieces": [{"text": text, "quotes": quotes} for text, quotes in stream.pieces],
        "dropped": outcome.dropped,
    }
    return CacheWrite(
        key,
        payload,
        _deletion_scope(context),
        replaces=context.job_input.is_anew,
    )


def _deletion_scope(context: AnswerContext) -> dict[str, Any]:
    """Return what the stored answer is deleted with."""
    scope = {
        "room_id": context.job_input.room_id,
        "product_id": context.scope.product_id,
    }
    return {name: value for name, value in scope.items() if value is not None}


async def write_cache(
    session: Session, actor: Actor, job_id: UUID, days: int, write: CacheWrite
) -> None:
    """Store an answer in the transaction that records it."""
    cache = AnswerCache(session, actor, days=days)
    if write.replaces:
        await cache.replace(write.key, ANSWER_JOB, job_id, write.payload, write.scope)
    else:
        await cache.store(write.key, write.payload)


class StoredAnswers:
    """The stored answers as one job uses them; each step has its own transaction."""

    def __init__(self, sessions: SessionFactory, ctx: JobContext, days: int) -> None:
        self._sessions = sessions
        self._ctx = ctx
        self._days = days

    async def claim(self, key: str, context: AnswerContext) -> CachedAnswer | None:
        """Return the stored answer; `None`: this job makes it.

        Waits while another job makes the same answer. A job that ended without
        storing one keeps its claim, which is then taken over.
        """
        scope = _deletion_scope(context)
        look_s, waited_s = FIRST_LOOK_S, 0.0
        ended: UUID | None = None
        while waited_s < MAX_WAIT_S:
            found = await self._claim(key, scope, ended)
            if isinstance(found, CacheHit):
                return CachedAnswer.of(found.payload)
            if isinstance(found, Lead):
                return None
            ended = await self._ended(found)
            if ended is None:
                await asyncio.sleep(look_s)
                waited_s += look_s
                look_s = min(look_s * 1.5, LONGEST_LOOK_S)
        return None

    async def _claim(
        self, key: str, scope: Mapping[str, Any], ended: UUID | None
    ) -> CacheHit | Lead | Follow:
        async with tenant_transaction(self._sessions, self._ctx.org_id) as session:
            cache = AnswerCache(session, self._ctx.actor, days=self._days)
            return await cache.claim(
                key, ANSWER_JOB, self._ctx.job_id, scope, ended=ended
            )

    async def _ended(self, leader: Follow) -> UUID | None:
        """Return the id of the job that makes the answer, where it has ended."""
        async with tenant_transaction(self._sessions, self._ctx.org_id) as session:
            jobs = JobsService(session, self._ctx.actor)
            try:
                job = await jobs.get_job_of_kind(leader.run_id, ANSWER_JOB)
            except JobNotFoundError:
                return leader.run_id
        return job.id if job.state in FINISHED else None
