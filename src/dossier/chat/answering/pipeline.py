"""Answers one question: the handler of jobs of kind `chat.answer`.

Context, retrieval, prompt, generation, claim check, record. Each step is a short
transaction; none is open while a model writes. Safe to run twice: stored text is
continued or made anew, and the message is recorded in the transaction that ends the
job. An error or a cancellation ends the job outside: `record_unfinished` records it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dossier.ai.service.assembly import ModelServices
from dossier.chat.answering.cache import write_cache
from dossier.chat.answering.context import AnswerContext, read_context
from dossier.chat.answering.generate import AnswerOutcome, AnswerParts
from dossier.chat.answering.grounded import GroundedAnswer
from dossier.chat.answering.plain import answer_plainly
from dossier.chat.answering.prompt import Window, history_tokens
from dossier.chat.answering.record import enqueue_summary, record_outcome
from dossier.chat.answering.stream import AnswerStream, label_data
from dossier.chat.constants import MessageState
from dossier.chat.ports import SearcherOf
from dossier.chat.rules.replay import COMPLETED, IN_PROGRESS, replay
from dossier.chat.rules.responses import response_data
from dossier.chat.tasks.summarise import summarise
from dossier.chat.types import AnswerJobInput, RecordedAnswer
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.reconnect import retry_until_connected
from dossier.core.settings import Settings
from dossier.integrations.llm.plan import model_plan
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient


class AnswerPipeline:
    """Answers questions with the parts of its process."""

    def __init__(self, parts: AnswerParts) -> None:
        self._parts = parts

    async def __call__(
        self,
        ctx: JobContext,
        room_id: UUID,
        question_id: UUID,
        answer_id: UUID,
        engine: str,
        grounding: str,
        is_anew: bool,  # noqa: FBT001 - passed by name
    ) -> None:
        """Answer, and record the outcome with the end of the job."""
        job_input = AnswerJobInput(
            room_id, question_id, answer_id, engine, grounding, is_anew
        )
        is_grounded = grounding != "none"
        stream = AnswerStream(ctx.emit, str(answer_id), is_searched=is_grounded)
        events = await ctx.stored_events()
        if not any(event.type == IN_PROGRESS for event in events):
            ctx.emit(IN_PROGRESS, response_data(ctx.job_id, "in_progress"))
        earlier = replay((e.sequence_number, e.type, e.data) for e in events)

        context = await self._context(ctx, job_input, is_grounded=is_grounded)
        if is_grounded:
            grounded = GroundedAnswer(self._parts, ctx, context, stream)
            outcome = await grounded.answer(earlier)
        else:
            outcome = await answer_plainly(self._parts, ctx, context, stream, earlier)
        stream.close()
        await retry_until_connected(lambda: self._record(ctx, context, stream, outcome))

    async def summarise(
        self,
        ctx: JobContext,
        room_id: UUID,
        leaf_id: UUID,
        limit_tokens: int | None = None,
    ) -> None:
        """Extend a room's summary: the handler of `chat.summarise`."""
        model, window = self._parts.model, self._parts.window
        await summarise(ctx, room_id, leaf_id, limit_tokens, model=model, window=window)

    async def _context(
        self, ctx: JobContext, job_input: AnswerJobInput, *, is_grounded: bool
    ) -> AnswerContext:
        def history_limit(question: str, persona: Mapping[str, Any]) -> int:
            window = self._parts.window
            return history_tokens(question, persona, window, is_grounded=is_grounded)

        async with tenant_transaction(self._parts.sessions, ctx.org_id) as session:
            return await read_context(session, ctx.actor, job_input, history_limit)

    async def _record(
        self,
        ctx: JobContext,
        context: AnswerContext,
        stream: AnswerStream,
        outcome: AnswerOutcome,
    ) -> None:
        """End the job, its log and its message in one transaction."""
        job_input, history = context.job_input, context.history
        label = label_data(outcome.label)
        recorded = RecordedAnswer(
            state=MessageState.COMPLETE,
            text=stream.text,
            citations=stream.citations,
            engine=label,
            dropped_claims=outcome.dropped_claims,
        )
        data = response_data(ctx.job_id, "completed") | {
            "engine": label,
            "citations": stream.citations,
            "dropped_claims": outcome.dropped_claims,
            "dropped": outcome.dropped,
            "not_ready": outcome.not_ready,
        }
        result = {"ai_message_id": str(job_input.answer_id)}
        async with tenant_transaction(self._parts.sessions, ctx.org_id) as session:
            is_new = await ctx.finish(
                session, result=result, last_event=(COMPLETED, data)
            )
            if not is_new:
                return
            await record_outcome(session, ctx.org_id, job_input, recorded)
            if outcome.cache_write is not None:
                days = self._parts.cache_days
                await write_cache(
                    session, ctx.actor, ctx.job_id, days, outcome.cache_write
                )
            if history.cut_at is not None and self._parts.model is not None:
                await enqueue_summary(
                    session, ctx.actor, job_input, history.limit_tokens
                )


def open_chat_client(settings: Settings, parts: ModelServices) -> "ChatClient | None":
    """Return the chat client of a process; `None` where no setting names a model."""
    plan = model_plan(settings.ai)
    if plan is None:
        return None
    from dossier.integrations.llm.client import ChatClient  # noqa: PLC0415 - 80 MiB

    return ChatClient(plan, parts.recorder, parts.abilities.current)


@asynccontextmanager
async def open_pipeline(
    sessions: SessionFactory,
    settings: Settings,
    parts: ModelServices,
    searcher_of: SearcherOf,
) -> AsyncIterator[AnswerPipeline]:
    """Yield the handler of a worker; leaving closes its model clients."""
    model = open_chat_client(settings, parts)
    if model is not None:
        model.warm_up()
    try:
        yield AnswerPipeline(
            AnswerParts(
                sessions=sessions,
                searcher_of=searcher_of,
                model=model,
                abilities=parts.abilities.current,
                window=Window.of(settings.ai),
                cache_days=settings.chat.cache_days,
            )
        )
    finally:
        if model is not None:
            await model.close()
