"""Calls of models for answers, and the label that says how an answer was made."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from dossier.ai.exceptions import (
    BudgetBusyError,
    BudgetExhaustedError,
    ModelPriceUnknownError,
)
from dossier.ai.schemas import AnswerLabel, Degraded
from dossier.core.clock import now
from dossier.core.errors import AppError
from dossier.integrations.llm.exceptions import ModelRefusedError
from dossier.integrations.llm.types import (
    CallTag,
    ChatRequest,
    Completed,
    StreamEvent,
)
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

NEEDS_NO_BUDGET: Final = (
    "The grounding `papers` with the engine `extractive` asks no chat model."
)
CLAIMS_UNSUPPORTED: Final = Degraded(
    code="claims-unsupported",
    detail="No sentence of the model could be proven; these are the papers' own words.",
)
ANSWER_CUT: Final = Degraded(
    code="answer-cut",
    detail="The model came to the longest answer that is asked for"
    " (DOSSIER_AI__MAX_OUTPUT_TOKENS) before its end.",
)


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
    model: "ChatClient", request: ChatRequest, tag: CallTag
) -> AsyncGenerator[StreamEvent]:
    """Yield a model's events; a refusal raises `ModelRefusedError`."""
    async for event in model.stream(request, tag):
        if isinstance(event, Completed) and event.finish_reason == "refusal":
            raise ModelRefusedError
        yield event


def is_budget(error: AppError) -> bool:
    """Return whether the caller's budget, and no model, is the reason."""
    return isinstance(
        error, BudgetBusyError | BudgetExhaustedError | ModelPriceUnknownError
    )


def with_alternative(error: AppError) -> AppError:
    """Return a budget's refusal that names what needs no budget."""
    detail = f"{error.detail} {NEEDS_NO_BUDGET}"
    return type(error)(detail, retry_after_s=error.retry_after_s, limit=error.limit)


def label_of(
    engine: str,
    ruleset: str,
    *,
    model: str | None = None,
    prompt_hash: str | None = None,
    parser: str | None = None,
    network: bool = False,
    degraded: Degraded | None = None,
) -> AnswerLabel:
    """Return the label of an answer that is made now."""
    return AnswerLabel(
        engine="model" if engine == "model" else "extractive",
        model=model,
        prompt_hash=prompt_hash,
        parser=parser,
        ruleset=ruleset,
        network=network,
        at=now(),
        degraded=degraded,
    )


def degraded_by(error: AppError) -> Degraded:
    """Return why an answer is not a model's."""
    return Degraded(code=error.slug(), detail=error.detail)
