"""Answers one question: the handler of jobs of kind `chat.answer`.

Context, retrieval, prompt, generation, claim check, record. Each step is a short
transaction; none is open while a model writes. Safe to run twice: stored text is
continued or made anew, and the message is recorded in the transaction that ends the
job.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from dossier.ai.service.assembly import ModelParts
from dossier.chat.answering.cache import write_cache
from dossier.chat.answering.context import AnswerContext, read_context
from dossier.chat.answering.generate import AnswerOutcome
from dossier.chat.answering.grounded import GroundedAnswer
from dossier.chat.answering.plain import answer_plainly
from dossier.chat.answering.prompt import Window, history_tokens
from dossier.chat.answering.record import enqueue_summary, record_outcome
from dossier.chat.answering.stream import AnswerStream, label_data
from dossier.chat.constants import ANSWER_JOB, MAX_EVENTS, MessageState
from dossier.chat.ports import AskAbilities, SearcherOf
from dossier.chat.rules.replay import (
    COMPLETED,
    CREATED,
    FAILED,
    IN_PROGRESS,
    INCOMPLETE,
    replay,
)
from dossier.chat.tasks.parts import Clients, window_of
from dossier.chat.types import AnswerJobInput, RecordedAnswer
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.problems import problem_of
from dossier.core.settings import Settings
from dossier.integrations.llm.models import ChatModel
from dossier.runs.constants import RunState
from dossier.runs.models import Run
from dossier.runs.service import (
    Executor,
    RunContext,
    RunKind,
    RunsService,
    cancelled_data,
    failed_data,
    response_data,
)


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """What answers are made with in one process."""

    sessions: SessionFactory
    searcher_of: SearcherOf
    model: ChatModel | None
    abilities: AskAbilities
    window: Window
    cache_days: int

    async def continues_text(self) -> bool:
        """Return whether the model's server can continue a text."""
        found = await self.abilities()
        return found is not None and bool(found.continues_text)


class AnswerPipeline:
    """Answers questions; satisfies `Executor`."""

    def __init__(self, parts: AnswerParts) -> None:
        self._parts = parts

    async def __call__(self, ctx: RunContext) -> None:
        """Answer, and record the outcome with the end of the job."""
        job = AnswerJobInput.from_args(ctx.run.input)
        is_searched = job.grounding != "none"
        stream = AnswerStream(ctx.emit, str(job.answer_id), is_searched=is_searched)
        try:
            context, outcome = await self._answer(ctx, job, stream)
        except asyncio.CancelledError:
            if ctx.is_cancelled:
                await self._cancelled(ctx, job, stream)
            raise
        except AppError as exc:
            await self._failed(ctx, job, stream, exc)
        else:
            await self._completed(ctx, context, stream, outcome)

    async def on_end(self, session: Session, run: Run) -> None:
        """Record the message of a run that ended elsewhere, from the stored events."""
        job = AnswerJobInput.from_args(run.input)
        events = await RunsService(session, run.actor).list_events(
            run.id, limit=MAX_EVENTS
        )
        stored = replay((e.sequence_number, e.type, e.data) for e in events)
        is_cancelled = run.state is RunState.CANCELLED
        recorded = RecordedAnswer(
            state=MessageState.INCOMPLETE if is_cancelled else MessageState.FAILED,
            text=stored.text,
            citations=stored.citations,
            engine=None if stored.label is None else dict(stored.label),
        )
        await record_outcome(session, run.org_id, job, recorded)

    async def _answer(
        self, ctx: RunContext, job: AnswerJobInput, stream: AnswerStream
    ) -> tuple[AnswerContext, AnswerOutcome]:
        if not ctx.kept:
            _announce(ctx, job)
        earlier = replay((e.sequence_number, e.type, e.data) for e in ctx.kept)
        context = await self._context(ctx, job)
        if job.grounding == "none":
            outcome = await answer_plainly(self._parts, ctx, context, stream, earlier)
        else:
            grounded = GroundedAnswer(self._parts, ctx, context, stream)
            outcome = await grounded.answer(earlier)
        return context, outcome

    async def _context(self, ctx: RunContext, job: AnswerJobInput) -> AnswerContext:
        is_grounded = job.grounding != "none"

        def history_limit(question: str, persona: Mapping[str, Any]) -> int:
            window = self._parts.window
            return history_tokens(question, persona, window, is_grounded=is_grounded)

        async with tenant_transaction(self._parts.sessions, ctx.org_id) as session:
            return await read_context(session, ctx.actor, job, history_limit)

    async def _completed(
        self,
        ctx: RunContext,
        context: AnswerContext,
        stream: AnswerStream,
        outcome: AnswerOutcome,
    ) -> None:
        stream.close()
        job, label = context.job, label_data(outcome.label)
        recorded = RecordedAnswer(
            state=MessageState.COMPLETE,
            text=stream.text,
            citations=stream.citations,
            engine=label,
            dropped_claims=outcome.dropped_claims,
        )
        history = context.history
        needs_summary = history.cut_at is not None and self._parts.model is not None

        async def write(session: Session) -> None:
            await record_outcome(session, ctx.org_id, job, recorded)
            if outcome.cache_write is not None:
                days = self._parts.cache_days
                await write_cache(
                    session, ctx.actor, ctx.run.id, days, outcome.cache_write
                )
            if needs_summary:
                await enqueue_summary(session, ctx.actor, job, history.limit_tokens)

        data = response_data(ctx.run.id, "completed") | {
            "engine": label,
            "citations": stream.citations,
            "dropped_claims": outcome.dropped_claims,
            "dropped": outcome.dropped,
            "not_ready": outcome.not_ready,
        }
        result = {"ai_message_id": str(job.answer_id), "not_ready": outcome.not_ready}
        await ctx.finish(COMPLETED, data, write, result=result)

    async def _cancelled(
        self, ctx: RunContext, job: AnswerJobInput, stream: AnswerStream
    ) -> None:
        label = label_data(stream.label)
        recorded = RecordedAnswer(
            state=MessageState.INCOMPLETE,
            text=stream.text,
            citations=stream.citations,
            engine=label,
        )
        data = cancelled_data(ctx.run.id) | {"engine": label}

        async def write(session: Session) -> None:
            await record_outcome(session, ctx.org_id, job, recorded)

        await ctx.finish(INCOMPLETE, data, write, state=RunState.CANCELLED)

    async def _failed(
        self,
        ctx: RunContext,
        job: AnswerJobInput,
        stream: AnswerStream,
        error: AppError,
    ) -> None:
        problem = problem_of(error, request_id=ctx.run.request_id)
        recorded = RecordedAnswer(
            state=MessageState.FAILED,
            text=stream.text,
            citations=stream.citations,
            engine=(label_data(stream.label) or {}) | {"problem": problem},
        )
        data = failed_data(ctx.run.id, problem)

        async def write(session: Session) -> None:
            await record_outcome(session, ctx.org_id, job, recorded)

        await ctx.finish(FAILED, data, write, state=RunState.FAILED, error=problem)


def _announce(ctx: RunContext, job: AnswerJobInput) -> None:
    ids = {
        "run_id": str(ctx.run.id),
        "chat_room_id": str(job.room_id),
        "user_message_id": str(job.question_id),
        "ai_message_id": str(job.answer_id),
    }
    ctx.emit(CREATED, response_data(ctx.run.id, "in_progress") | ids)
    ctx.emit(IN_PROGRESS, response_data(ctx.run.id, "in_progress"))


@asynccontextmanager
async def answering(
    sessions: SessionFactory,
    settings: Settings,
    parts: ModelParts,
    searcher_of: SearcherOf,
) -> AsyncIterator[dict[str, Executor]]:
    """Yield the executors of chat; leaving closes their model clients."""
    clients = Clients(settings, parts)
    pipeline = AnswerPipeline(
        AnswerParts(
            sessions=sessions,
            searcher_of=searcher_of,
            model=clients.chat(),
            abilities=parts.abilities.current,
            window=window_of(settings),
            cache_days=settings.chat.cache_days,
        )
    )
    try:
        yield {ANSWER_JOB: RunKind(pipeline, pipeline.on_end)}
    finally:
        await clients.close()
