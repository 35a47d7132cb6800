"""Extends a room's running summary by what no longer fits into the model's window."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.prompt import history_tokens
from dossier.chat.constants import SUMMARISE_JOB
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.rules.prompt_injection import cleaned
from dossier.chat.rules.summaries import summary_text
from dossier.chat.service.history import HistoryService
from dossier.chat.types import ContextWindow, History, Summary
from dossier.core.database import tenant_transaction
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
from dossier.jobs.context import JobContext

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


async def summarise(
    ctx: JobContext,
    room_id: UUID,
    leaf_id: UUID,
    limit_tokens: int | None = None,
    *,
    model: "ChatClient | None",
    window: ContextWindow,
) -> None:
    """Write the summary of the turns before those that a prompt contains in full.

    Safe to repeat: the summary is replaced only where it still ends as it was read.
    Without a model there is none, and prompts just leave older turns out.
    `limit_tokens` is what the answer had for the history that did not fit.
    """
    if limit_tokens is None:
        limit_tokens = history_tokens("", {}, window, is_grounded=True)
    older = text = None
    if model is not None:
        older = await _older(ctx, room_id, leaf_id, limit_tokens, window)
    if model is not None and older is not None and older.turns:
        text = await _write_summary(model, ctx, older)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        if older is not None and text is not None:
            with suppress(ChatRoomNotFoundError):  # deleted, or left meanwhile
                await HistoryService(session, ctx.actor).store_summary(
                    room_id,
                    Summary(text, older.turns[-1].message_id),
                    after_id=older.replaces_id,
                    turns=older.turns,
                )
        await ctx.finish(session)


async def _older(
    ctx: JobContext,
    room_id: UUID,
    leaf_id: UUID,
    limit_tokens: int,
    window: ContextWindow,
) -> History | None:
    """Return what no longer fits, with the summary so far; `None`: all fits.

    At most half a window is summarised at once.
    """
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        service = HistoryService(session, ctx.actor)
        try:
            present = await service.history(room_id, leaf_id, limit_tokens)
            if present.cut_at is None:
                return None
            most_tokens = window.window_tokens // 2
            return await service.history(room_id, present.cut_at, most_tokens)
        except ChatRoomNotFoundError:  # deleted, or left
            return None


async def _write_summary(
    model: "ChatClient", ctx: JobContext, older: History
) -> str | None:
    """Return a summary in a form that is checked, else in the model's own words.

    Plain words are taken where the model cannot fill the form.
    """
    prompt = load_prompt(PROMPT)
    tag = CallTag(
        ctx.org_id,
        ctx.actor.user_id,
        SUMMARISE_JOB,
        key_id=ctx.actor.api_key_id,
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
