"""Calls of models for answers: on whose account, and what counts as a failure."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from dossier.ai.exceptions import BudgetBusyError, BudgetExhaustedError
from dossier.chat.service.answers_reply import Reply
from dossier.core.errors import AppError
from dossier.integrations.llm.exceptions import (
    ModelRefusedError,
    ModelResponseMalformedError,
)
from dossier.integrations.llm.types import (
    CallTag,
    ChatRequest,
    Completed,
    StreamEvent,
)
from dossier.runs.service import RunContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

NEEDS_NO_BUDGET: Final = (
    "The grounding `papers` with the engine `extractive` asks no chat model."
)


def tag_of(context: RunContext, feature: str, prompt_hash: str) -> CallTag:
    """Return on whose account the calls of a run go."""
    run = context.run
    return CallTag(
        org_id=run.org_id,
        user_id=run.actor_user_id,
        feature=feature,
        key_id=run.actor_api_key_id,
        run_id=run.id,
        prompt_hash=prompt_hash,
        conversation_id=run.subject_id,
    )


async def events_of(
    model: "ChatClient", request: ChatRequest, tag: CallTag
) -> AsyncGenerator[StreamEvent]:
    """Yield what a model says; a refusal is a failure with a name."""
    async for event in model.stream(request, tag):
        if isinstance(event, Completed) and event.finish_reason == "refusal":
            raise ModelRefusedError
        yield event


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who spoke, and whether to the end."""

    model: str
    server: str
    is_cut: bool

    @classmethod
    def of(cls, end: Completed) -> Self:
        """Return what the end of an answer tells."""
        return cls(end.model, end.server, end.finish_reason == "length")


def require_words(reply: Reply) -> None:
    """Raise where a model ended without a word."""
    if not reply.text.strip():
        detail = "The model ended its answer without a word."
        raise ModelResponseMalformedError(detail)


def with_way_out(error: AppError) -> AppError:
    """Return a budget's refusal with what is still to be had; others as they are."""
    if not is_budget(error):
        return error
    detail = f"{error.detail} {NEEDS_NO_BUDGET}"
    return type(error)(detail, retry_after_s=error.retry_after_s, limit=error.limit)


def is_budget(error: AppError) -> bool:
    """Tell whether it is the caller's budget, and no fault of a model."""
    return isinstance(error, BudgetBusyError | BudgetExhaustedError)
