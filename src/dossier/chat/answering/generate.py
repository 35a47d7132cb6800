"""Calls of models for answers, and what they came to."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from dossier.ai.schemas import AnswerLabel
from dossier.chat.answering.prompt import Window
from dossier.chat.ports import AskAbilities, SearcherOf
from dossier.core.database import SessionFactory
from dossier.integrations.llm.exceptions import ModelRefusedError
from dossier.integrations.llm.types import (
    CallTag,
    Completed,
    CompletionRequest,
    StreamEvent,
)
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """What answers are made with in one process."""

    sessions: SessionFactory
    searcher_of: SearcherOf
    model: "ChatClient | None"
    abilities: AskAbilities
    window: Window
    cache_days: int

    async def continues_text(self) -> bool:
        """Return whether the model's server can continue a text."""
        found = await self.abilities()
        return found is not None and bool(found.continues_text)


@dataclass(frozen=True, slots=True)
class CacheWrite:
    """What is stored when an answer is recorded."""

    key: str
    payload: dict[str, Any]
    scope: dict[str, Any]
    replaces: bool = False
    """An answer given anew takes the place of what was stored."""


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """How a finished answer was made."""

    label: AnswerLabel
    dropped: dict[str, int] = field(default_factory=dict)
    """Sentences of the model that were not let through, by the reason."""
    not_ready: list[dict[str, str]] = field(default_factory=list)
    server: str | None = None
    """Label of the server whose model answered."""
    cache_write: CacheWrite | None = None

    @property
    def dropped_claims(self) -> int:
        """Return how many sentences of the model were not let through."""
        return sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class Generated:
    """Which model wrote a text, and whether to its end."""

    model: str
    server: str
    is_cut: bool

    @classmethod
    def of(cls, end: Completed) -> Self:
        """Return what the last event of a call says."""
        return cls(end.model, end.server, end.finish_reason == "length")


def tag_of(ctx: JobContext, feature: str, prompt_hash: str) -> CallTag:
    """Return whose budget and ledger a call of this job counts in."""
    return CallTag(
        org_id=ctx.org_id,
        user_id=ctx.actor.user_id,
        feature=feature,
        key_id=ctx.actor.api_key_id,
        run_id=ctx.job_id,
        prompt_hash=prompt_hash,
        conversation_id=ctx.job.subject_id,
    )


async def events_of(
    model: "ChatClient", request: CompletionRequest, tag: CallTag
) -> AsyncGenerator[StreamEvent]:
    """Yield a model's events; a refusal raises `ModelRefusedError`."""
    async for event in model.stream(request, tag):
        if isinstance(event, Completed) and event.finish_reason == "refusal":
            raise ModelRefusedError
        yield event
