"""A model's summary of turns: the form that it fills, and the words that are kept."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from dossier.ai.service.prompts import load_prompt
from dossier.chat.constants import SUMMARISE_JOB
from dossier.chat.rules.prompt_injection import cleaned
from dossier.chat.rules.summaries import summary_text
from dossier.chat.types import History
from dossier.core.tenancy import Actor
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

PROMPT = "chat.summary"
SUMMARY_TOKENS = 400
FORM_TOKENS = 900
"""A filled form takes more tokens than what is kept of it."""
MAX_REQUESTS = 3
"""Answers that do not fit the form are asked for again."""
_NO_FORM = (
    ModelResponseMalformedError,
    ModelUnavailableError,  # also where a server refuses a parameter it does not know
)

Statement = Annotated[str, Field(min_length=1, max_length=300)]


class SummaryFact(BaseModel):
    """One statement that later turns may rely on."""

    text: Statement
    turns: Annotated[
        list[int],
        Field(min_length=1, max_length=8, description="Numbers of turns that said it."),
    ]


class SummaryForm(BaseModel):
    """What was said before, in short."""

    summary: Annotated[str, Field(min_length=1, max_length=1500)]
    facts: Annotated[list[SummaryFact], Field(max_length=12)]
    open_questions: Annotated[list[Statement], Field(max_length=6)]


async def write_summary(
    model: "ChatClient", actor: Actor, older: History
) -> str | None:
    """Return a summary in a form that is checked, else in the model's own words.

    Plain words are taken where the model cannot fill the form.
    """
    prompt = load_prompt(PROMPT)
    tag = CallTag(
        actor.org_id,
        actor.user_id,
        SUMMARISE_JOB,
        key_id=actor.api_key_id,
        prompt_hash=prompt.sha256,
    )
    texts = {0: cleaned(older.summary or "")}
    texts |= {n: cleaned(turn.text) for n, turn in enumerate(older.turns, start=1)}
    turns = [
        {"n": n, "role": turn.role, "name": turn.name, "text": texts[n]}
        for n, turn in enumerate(older.turns, start=1)
    ]
    data = json.dumps({"summary": texts[0], "turns": turns}, ensure_ascii=False)
    with suppress(*_NO_FORM):
        form = await model.typed(
            SummaryForm,
            instructions=prompt.text,
            prompt=data,
            tag=tag,
            purpose=Purpose.CHEAP,
            max_requests=MAX_REQUESTS,
            max_output_tokens=FORM_TOKENS,
        )
        return summary_text(
            form.summary,
            [(fact.text, fact.turns) for fact in form.facts],
            form.open_questions,
            texts,
            SUMMARY_TOKENS,
        )
    request = CompletionRequest(
        (PromptMessage("system", prompt.text), PromptMessage("user", data)),
        purpose=Purpose.CHEAP,
        max_output_tokens=SUMMARY_TOKENS,
    )
    return (await model.complete(request, tag)).text.strip() or None
