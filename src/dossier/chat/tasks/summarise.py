"""Extends a room's running summary by what no longer fits into the model's window."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.prompt import Window, history_tokens
from dossier.chat.constants import SUMMARISE_TASK
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.rules.passages import cleaned
from dossier.chat.service.history import HistoryService
from dossier.chat.tasks.summary_writers import Material, write_summary
from dossier.chat.types import History, Summary
from dossier.core.database import tenant_transaction
from dossier.integrations.llm.types import CallTag
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

PROMPT = "chat.summary"


async def summarise(
    ctx: JobContext,
    room_id: UUID,
    leaf_id: UUID,
    limit_tokens: int | None = None,
    *,
    model: "ChatClient | None",
    window: Window,
) -> None:
    """Write the summary of the turns before those that are told word for word.

    Safe to repeat: the summary is replaced only where it still ends as it was read.
    Without a model there is none, and older turns are simply no longer told.
    `limit_tokens` is what the answer had for its past that found it too long.
    """
    if limit_tokens is None:
        limit_tokens = history_tokens("", {}, window, is_grounded=True)
    limits = (limit_tokens, window.window_tokens // 2)
    past = await _past(ctx, room_id, leaf_id, limits) if model else None
    text = None
    if model and past and past.turns:
        text = await write_summary(model, _material(ctx, past))
    await _store(ctx, room_id, past, text)


async def _past(
    ctx: JobContext, room_id: UUID, leaf_id: UUID, limits_tokens: tuple[int, int]
) -> History | None:
    """Return what no longer fits, with the summary so far; `None`: all fits.

    The limits are those of what is told, and of what is summed up at once.
    """
    told_tokens, most_tokens = limits_tokens
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        service = HistoryService(session, ctx.actor)
        try:
            present = await service.history(room_id, leaf_id, told_tokens)
            if present.cut_at is None:
                return None
            return await service.history(room_id, present.cut_at, most_tokens)
        except ChatRoomNotFoundError:  # deleted, or left
            return None


def _material(ctx: JobContext, past: History) -> Material:
    prompt = load_prompt(PROMPT)
    told = {0: cleaned(past.summary or "")}
    told |= {n: cleaned(turn.text) for n, turn in enumerate(past.turns, start=1)}
    turns = [
        {"n": n, "role": turn.role, "name": turn.name, "text": told[n]}
        for n, turn in enumerate(past.turns, start=1)
    ]
    tag = CallTag(
        ctx.org_id,
        ctx.actor.user_id,
        SUMMARISE_TASK,
        key_id=ctx.actor.api_key_id,
        prompt_hash=prompt.sha256,
    )
    asked = json.dumps({"summary": told[0], "turns": turns}, ensure_ascii=False)
    return Material(prompt.text, asked, told, tag)


async def _store(
    ctx: JobContext, room_id: UUID, past: History | None, text: str | None
) -> None:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        if past is not None and text is not None:
            with suppress(ChatRoomNotFoundError):  # deleted, or left meanwhile
                await HistoryService(session, ctx.actor).store_summary(
                    room_id,
                    Summary(text, past.turns[-1].message_id),
                    after_id=past.replaces_id,
                    turns=past.turns,
                )
        await ctx.finish(session)
