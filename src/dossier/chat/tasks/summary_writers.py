"""Has a summary written by a model: in a form that is checked, or in plain words."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dossier.chat.rules.summaries import SaidFact, summary_text
from dossier.chat.schemas.summaries import ToldSummary
from dossier.integrations.llm.exceptions import (
    ModelResponseMalformedError,
    ModelUnavailableError,
)
from dossier.integrations.llm.types import (
    CallTag,
    CompletionRequest,
    PromptMessage,
    Purpose,
)

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

SUMMARY_TOKENS = 400
FORM_TOKENS = 900
"""A form takes more tokens than what is kept of it."""
MAX_REQUESTS = 3
"""Answers that do not fit the form are asked for again."""
_NO_FORM = (
    ModelResponseMalformedError,
    ModelUnavailableError,  # also where a server refuses what it does not know
)


@dataclass(frozen=True, slots=True)
class Material:
    """What a summary is made of."""

    instructions: str
    asked: str
    told: Mapping[int, str]
    """The earlier summary, which is number 0, and the turns."""
    tag: CallTag


async def write_summary(model: "ChatClient", material: Material) -> str | None:
    """Return a summary in a form that is checked, else in the model's own words.

    Plain words are taken where the model cannot fill the form.
    """
    with suppress(*_NO_FORM):
        return await _in_a_form(model, material)
    return await _plainly(model, material)


async def _in_a_form(model: "ChatClient", material: Material) -> str | None:
    """Return what holds of a summary whose statements name the turns they are from."""
    written = await model.typed(
        ToldSummary,
        instructions=material.instructions,
        prompt=material.asked,
        tag=material.tag,
        purpose=Purpose.CHEAP,
        max_requests=MAX_REQUESTS,
        max_output_tokens=FORM_TOKENS,
    )
    return summary_text(
        written.summary,
        [SaidFact(fact.text, fact.turns) for fact in written.facts],
        written.open_questions,
        material.told,
        SUMMARY_TOKENS,
    )


async def _plainly(model: "ChatClient", material: Material) -> str | None:
    """Return a summary in the words of the model."""
    request = CompletionRequest(
        (
            PromptMessage("system", material.instructions),
            PromptMessage("user", material.asked),
        ),
        purpose=Purpose.CHEAP,
        max_output_tokens=SUMMARY_TOKENS,
    )
    return (await model.complete(request, material.tag)).text.strip() or None
