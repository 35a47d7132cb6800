"""Two ways to have a summary written: in a form that is checked, or in plain words."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dossier.chat.rules.summaries import SaidFact, summary_text
from dossier.chat.schemas.summaries import ToldSummary
from dossier.chat.tasks.parts import Clients
from dossier.integrations.llm.models import (
    CallTag,
    ChatMessage,
    ChatModel,
    ChatRequest,
    Purpose,
)

if TYPE_CHECKING:
    from dossier.integrations.llm.typed import TypedModel

SUMMARY_TOKENS = 400
FORM_TOKENS = 900
"""A form takes more tokens than what is kept of it."""
MAX_REQUESTS = 3
"""Answers that do not fit the form are asked for again."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a summary is made of."""

    instructions: str
    asked: str
    told: Mapping[int, str]
    """The earlier summary, which is number 0, and the turns."""
    tag: CallTag


Writer = Callable[[Material], Awaitable[str | None]]


async def writers_of(clients: Clients) -> list[Writer]:
    """Return the ways that there are, the better one first; none without a model."""
    model = clients.chat()
    if model is None:
        return []
    plain = partial(write_plainly, model)
    typed = await clients.typed()
    return [plain] if typed is None else [partial(write_in_a_form, typed), plain]


async def write_in_a_form(typed: "TypedModel", material: Material) -> str | None:
    """Return what holds of a summary whose statements name the turns they are from."""
    from dossier.integrations.llm.typed import TypedOptions  # noqa: PLC0415 - aiohttp

    written = await typed.run(
        ToldSummary,
        instructions=material.instructions,
        prompt=material.asked,
        tag=material.tag,
        options=TypedOptions(Purpose.CHEAP, MAX_REQUESTS, FORM_TOKENS),
    )
    return summary_text(
        written.summary,
        [SaidFact(fact.text, fact.turns) for fact in written.facts],
        written.open_questions,
        material.told,
        SUMMARY_TOKENS,
    )


async def write_plainly(model: ChatModel, material: Material) -> str | None:
    """Return a summary in the words of the model."""
    request = ChatRequest(
        (
            ChatMessage("system", material.instructions),
            ChatMessage("user", material.asked),
        ),
        purpose=Purpose.CHEAP,
        max_output_tokens=SUMMARY_TOKENS,
    )
    return (await model.complete(request, material.tag)).text.strip() or None
