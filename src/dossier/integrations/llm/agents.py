"""One question to pydantic-ai, and its failures by our names.

This module imports pydantic-ai; import it where it is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pydantic_ai
from pydantic_ai import Agent
from pydantic_ai import exceptions as theirs
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.usage import UsageLimits

from dossier.core.errors import AppError
from dossier.integrations.llm.exceptions import (
    ModelRefusedError,
    ModelResponseMalformedError,
    ModelUnavailableError,
)
from dossier.integrations.llm.faults import AttemptFailedError

pydantic_ai.BANNER_ENABLED = False  # it would print to the worker's log
_MAX_REPAIRS = 2
_MAX_TOOL_CALLS = 32


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and in which form the answer is wanted."""

    output: Any
    instructions: str
    prompt: str
    tools: Sequence[Callable[..., Any]]
    max_requests: int


async def answer(models: Sequence[Model], question: Question) -> Any:
    """Return a checked answer of the first model that gives one."""
    agent: Agent[object, Any] = Agent(
        _chain(models),
        output_type=question.output,
        instructions=question.instructions,
        tools=question.tools,
        retries=_MAX_REPAIRS,
        name="dossier",
    )
    limits = UsageLimits(
        request_limit=question.max_requests, tool_calls_limit=_MAX_TOOL_CALLS
    )
    try:
        result = await agent.run(question.prompt, usage_limits=limits)
    except (AttemptFailedError, ExceptionGroup, *_THEIRS) as error:
        # What did not fit repeats the papers that it was read from: not for the log.
        raise _named(error) from None
    return result.output


def _chain(models: Sequence[Model]) -> Model:
    first, *others = models
    if not others:
        return first
    return FallbackModel(first, *others, fallback_on=_falls_back)


def _falls_back(error: Exception) -> bool:
    return isinstance(error, AttemptFailedError) and not error.handling.is_final


def _named(error: Exception) -> AppError:
    """Return the first failure by our name; answers that never fitted by theirs."""
    if isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, AttemptFailedError):
        return error.error
    for kind, name in _NAMES:
        if isinstance(error, kind):
            return name()
    return ModelResponseMalformedError("The model's answer does not fit its form.")


_THEIRS = (theirs.AgentRunError, theirs.UserError)
_NAMES: tuple[tuple[type[Exception], Callable[[], AppError]], ...] = (
    (theirs.ContentFilterError, ModelRefusedError),
    (
        theirs.UsageLimitExceeded,
        partial(ModelResponseMalformedError, "No answer within the calls allowed."),
    ),
    (
        theirs.OutputTokenLimitExceeded,
        partial(ModelResponseMalformedError, "The answer is longer than allowed."),
    ),
    (
        theirs.UserError,
        partial(ModelUnavailableError, "The model cannot be asked in this form."),
    ),
)
