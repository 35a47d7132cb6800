"""Extends a room's running summary by what no longer fits into the model's window."""

import json
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from dossier.ai.service import load_prompt
from dossier.chat.constants import History, Summary
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.rules.passages import cleaned
from dossier.chat.service.answers_prompt import Window, history_tokens
from dossier.chat.service.history import HistoryService
from dossier.chat.tasks.parts import Clients
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.integrations.llm.models import (
    CallTag,
    ChatMessage,
    ChatModel,
    ChatRequest,
    Purpose,
)
from dossier.jobs.ports import TaskContext

PROMPT = "chat.summary"
SUMMARY_TOKENS = 400


async def summarise(
    ctx: TaskContext,
    room_id: UUID,
    leaf_id: UUID,
    *,
    clients_of: Callable[[SessionFactory], Clients],
    window: Window,
) -> None:
    """Write the summary of the turns before those that are told word for word.

    Safe to repeat: the summary is replaced only where it still ends as it was read.
    Without a model there is none, and older turns are simply no longer told.
    """
    clients = clients_of(ctx.sessions)
    try:
        model = clients.chat()
        past = await _past(ctx, room_id, leaf_id, window) if model else None
        text = await _written(ctx, model, past) if model and past else None
        await _store(ctx, room_id, past, text)
    finally:
        await clients.close()


async def _past(
    ctx: TaskContext, room_id: UUID, leaf_id: UUID, window: Window
) -> History | None:
    """Return what no longer fits, with the summary so far; `None`: all fits."""
    told = history_tokens("", window, is_grounded=True)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        service = HistoryService(session, ctx.actor)
        try:
            present = await service.history(room_id, leaf_id, told)
            if present.cut_at is None:
                return None
            return await service.history(
                room_id, present.cut_at, window.window_tokens // 2
            )
        except ChatRoomNotFoundError:  # deleted, or left
            return None


async def _written(ctx: TaskContext, model: ChatModel, past: History) -> str | None:
    if not past.turns:
        return None
    prompt = load_prompt(PROMPT)
    told = {
        "summary": past.summary or "",
        "turns": [
            {"role": turn.role, "name": turn.name, "text": cleaned(turn.text)}
            for turn in past.turns
        ],
    }
    request = ChatRequest(
        (
            ChatMessage("system", prompt.text),
            ChatMessage("user", json.dumps(told, ensure_ascii=False)),
        ),
        purpose=Purpose.CHEAP,
        max_output_tokens=SUMMARY_TOKENS,
    )
    tag = CallTag(
        ctx.org_id,
        ctx.actor.user_id,
        "chat.summarise",
        key_id=ctx.actor.api_key_id,
        prompt_hash=prompt.sha256,
    )
    return (await model.complete(request, tag)).text.strip() or None


async def _store(
    ctx: TaskContext, room_id: UUID, past: History | None, text: str | None
) -> None:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        if past is not None and text is not None:
            with suppress(ChatRoomNotFoundError):  # deleted, or left meanwhile
                await HistoryService(session, ctx.actor).store_summary(
                    room_id,
                    Summary(text, past.turns[-1].message_id),
                    after_id=past.replaces_id,
                    told=past.turns,
                )
        await ctx.finish(session)
