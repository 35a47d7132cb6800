"""Extends a room's running summary by what no longer fits into the model's window."""

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.service.history import HistoryService
from dossier.chat.service.summaries import write_summary
from dossier.chat.types import ContextWindow, History, Summary
from dossier.core.database import tenant_transaction
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient


async def summarise(
    ctx: JobContext,
    room_id: UUID,
    leaf_id: UUID,
    limit_tokens: int,
    *,
    model: "ChatClient | None",
    window: ContextWindow,
) -> None:
    """Write the summary of the turns before those that a prompt contains in full.

    Safe to repeat: the summary is replaced only where it still ends as it was read.
    Without a model there is none, and prompts just leave older turns out.
    `limit_tokens` is what the answer had for the history that did not fit.
    """
    older = text = None
    if model is not None:
        older = await _older(ctx, room_id, leaf_id, limit_tokens, window)
    if model is not None and older is not None and older.turns:
        text = await write_summary(model, ctx.actor, older)
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
