"""Stored answers of models: the same question under the same circumstances only."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from dossier.ai.schemas import AnswerLabel
from dossier.ai.service import (
    AnswerCache,
    Follow,
    Hit,
    Lead,
    cache_key,
    count_hit,
    find_stored,
    load_prompt,
)
from dossier.chat.rules import replies
from dossier.chat.rules.prompting import manner_of
from dossier.chat.service.answers_brief import Brief
from dossier.chat.service.answers_outcome import Also, Outcome
from dossier.chat.service.answers_prompt import (
    GROUNDED_PROMPT,
    Window,
    history_digest,
)
from dossier.chat.service.answers_reply import Reply
from dossier.chat.service.answers_sources import Sources
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.reads import Reads, Statements
from dossier.knowledge.service.sentences import PAPERS_PARSER
from dossier.runs.constants import FINISHED
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.service import RunContext, RunsService

FEATURE = "chat.answer"
FIRST_LOOK_S = 0.05
LONGEST_LOOK_S = 0.5
PATIENCE_S = 120.0
"""How long one answer waits for another run that makes the same."""


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


@dataclass(frozen=True, slots=True)
class Maker:
    """Who would make an answer, and within which bounds."""

    model: str
    server: str
    window: Window


def key_of(org_id: UUID, brief: Brief, sources: Sources, maker: Maker) -> str:
    """Return the digest of all that an answer depends on.

    Papers are the organisation's, so its members share answers; a virtual user counts
    by what the model is told of it, whosever it is.
    """
    prompt = load_prompt(GROUNDED_PROMPT)
    return cache_key(
        org_id=org_id,
        feature=FEATURE,
        prompt=[prompt.label, prompt.sha256],
        model=[maker.model, maker.server],
        parameters=[maker.window.window_tokens, maker.window.output_tokens],
        rules=[replies.CLAIM_RULES, PAPERS_PARSER],
        corpus_version=sources.corpus_version,
        passages=[each.chunk_id for each in sources.passages],
        scope=[brief.scope.product_id, sorted(map(str, brief.scope.attached_ids))],
        persona=manner_of(brief.persona),
        history=history_digest(brief),
        input=brief.question,
    )


class Pages:
    """The stored answers as one run uses them, each step in its own transaction."""

    def __init__(
        self, sessions: SessionFactory, context: RunContext, cache_days: int
    ) -> None:
        self._sessions = sessions
        self._context = context
        self._cache_days = cache_days

    def key(self, brief: Brief, sources: Sources, maker: Maker) -> str:
        """Return the key of an answer for the organisation of this run."""
        return key_of(self._context.org_id, brief, sources, maker)

    async def stored(self, key: str) -> CachedAnswer | None:
        """Return an answer that stands there already, in one round trip."""
        if not self._cache_days:
            return None
        org_id = self._context.org_id
        found = await find_stored(Reads(self._sessions, org_id), org_id, key)
        return None if found is None else CachedAnswer.of(found.payload)

    def counting(self, key: str) -> Also:
        """Return what counts, with the end of the run, that the answer was given."""
        return partial(_count, self._context.org_id, key)

    async def claim(self, key: str, brief: Brief) -> CachedAnswer | None:
        """Return the stored answer; `None`: this run makes it."""
        named = _scope_of(brief)
        look_s, waited_s = FIRST_LOOK_S, 0.0
        ended: UUID | None = None
        while waited_s < PATIENCE_S:
            found = await self._claim(key, named, ended)
            if isinstance(found, Hit):
                return CachedAnswer.of(found.payload)
            if isinstance(found, Lead):
                return None
            ended = await self._ended(found)
            if ended is None:
                await asyncio.sleep(look_s)
                waited_s += look_s
                look_s = min(look_s * 1.5, LONGEST_LOOK_S)
        return None

    async def abandon(self, key: str) -> None:
        """Let the next run that asks make the answer."""
        async with tenant_transaction(self._sessions, self._context.org_id) as session:
            await self._cache(session).abandon(key)

    def storing(
        self, key: str, outcome: Outcome, reply: Reply, maker: Maker
    ) -> Outcome:
        """Return the outcome, which stores itself with the message if it may."""
        payload = _payload(outcome, reply)

        async def write(session: Session) -> None:
            cache = self._cache(session)
            if _may_be_stored(outcome, maker):
                await cache.store(key, payload)
            else:
                await cache.abandon(key)

        return replace(outcome, write=write)

    def replacing(
        self, key: str, outcome: Outcome, reply: Reply, brief: Brief, maker: Maker
    ) -> Outcome:
        """Return the outcome, which takes the place of what was stored if it may."""
        if not _may_be_stored(outcome, maker):
            return outcome
        payload, run_id = _payload(outcome, reply), self._context.run.id

        async def write(session: Session) -> None:
            cache = self._cache(session)
            await cache.replace(key, FEATURE, run_id, payload, _scope_of(brief))

        return replace(outcome, write=write)

    async def _claim(
        self, key: str, scope: Mapping[str, Any], ended: UUID | None
    ) -> Hit | Lead | Follow:
        async with tenant_transaction(self._sessions, self._context.org_id) as session:
            run_id = self._context.run.id
            return await self._cache(session).claim(
                key, FEATURE, run_id, scope, ended=ended
            )

    async def _ended(self, leader: Follow) -> UUID | None:
        """Return the leader where it has come to its end."""
        async with tenant_transaction(self._sessions, self._context.org_id) as session:
            runs = RunsService(session, self._context.actor)
            try:
                run = await runs.get_run(leader.run_id)
            except RunNotFoundError:
                return leader.run_id
        return run.id if run.state in FINISHED else None

    def _cache(self, session: Session) -> AnswerCache:
        return AnswerCache(session, self._context.actor, days=self._cache_days)


def _scope_of(brief: Brief) -> dict[str, Any]:
    scope = {"room_id": brief.order.room_id, "product_id": brief.scope.product_id}
    return {name: value for name, value in scope.items() if value is not None}


def _may_be_stored(outcome: Outcome, maker: Maker) -> bool:
    """Tell whether it is the whole answer of the one whom the key names."""
    return outcome.label.degraded is None and outcome.server == maker.server


def _payload(outcome: Outcome, reply: Reply) -> dict[str, Any]:
    return {
        "label": outcome.label.model_dump(mode="json"),
        "pieces": [{"text": text, "quotes": quotes} for text, quotes in reply.pieces],
        "dropped": outcome.dropped,
    }


async def _count(org_id: UUID, key: str, statements: Statements) -> None:
    await count_hit(statements, org_id, key)
