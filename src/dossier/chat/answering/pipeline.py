"""Answers one question: the handler of jobs of kind `chat.answer`.

Six steps: context, retrieval, prompt, generation, claim check, record. Each reads and
writes in short transactions; none is open while a model writes. Safe to run twice:
stored text is continued or begun anew, and the message is recorded in the transaction
that ends the job. What an error or a cancellation ends is recorded by
`record.record_unfinished`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.schemas import Degraded
from dossier.ai.service.assembly import ModelServices
from dossier.chat.answering.cache import cached_or_lead, key_of, store_answer
from dossier.chat.answering.context import read_context
from dossier.chat.answering.events import (
    IN_PROGRESS,
    RESPONSE_COMPLETED,
    Replay,
    replay,
    response_data,
)
from dossier.chat.answering.extractive import answer_verbatim, refuse
from dossier.chat.answering.generate import call_tag, stream_claims, stream_tokens
from dossier.chat.answering.outcome import (
    ANSWER_CUT,
    CLAIMS_UNSUPPORTED,
    AnswerOutcome,
    degraded_by,
    is_budget,
    is_model_text,
    model_label,
    with_alternative,
)
from dossier.chat.answering.prompt import (
    GROUNDED_PROMPT,
    PLAIN_PROMPT,
    grounded_request,
    plain_request,
)
from dossier.chat.answering.record import enqueue_summary, record_outcome
from dossier.chat.answering.retrieval import RetrievedPassages, retrieve
from dossier.chat.answering.stream import AnswerStream, label_data, label_from
from dossier.chat.constants import ANSWER_JOB, MessageState
from dossier.chat.exceptions import QuestionTooLongError
from dossier.chat.rules.claims import ClaimReader
from dossier.chat.tasks import summarise
from dossier.chat.types import (
    AnswerContext,
    AnswerJobInput,
    ContextWindow,
    RecordedAnswer,
)
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.reconnect import retry_until_connected
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import Completed, Purpose
from dossier.jobs.context import JobContext
from dossier.knowledge.service.search import SearchService

if TYPE_CHECKING:
    from dossier.integrations.llm.client import AskAbilities, ChatClient

PLAIN_FEATURE: Final = "chat.plain"
"""What calls for answers without documents are counted as."""

SearcherOf = Callable[[Actor], SearchService]
"""Returns the search in what one actor may read."""


class AnswerPipeline:
    """Answers questions with the search and the model of its process."""

    def __init__(
        self,
        sessions: SessionFactory,
        searcher_of: SearcherOf,
        model: "ChatClient | None",
        *,
        abilities: "AskAbilities",
        window: ContextWindow,
        cache_days: int,
    ) -> None:
        self._sessions = sessions
        self._searcher_of = searcher_of
        self.model = model
        self._abilities = abilities
        self._window = window
        self._cache_days = cache_days

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
        is_grounded = job_input.is_grounded
        stream = AnswerStream(ctx.emit, str(answer_id), is_searched=is_grounded)
        events = await ctx.stored_events()
        if not any(event.type == IN_PROGRESS for event in events):
            ctx.emit(IN_PROGRESS, response_data(ctx.job_id, "in_progress"))
        earlier = replay(events)

        async with tenant_transaction(self._sessions, ctx.org_id) as session:
            context = await read_context(session, ctx.actor, job_input, self._window)
        answer = self._answer_grounded if is_grounded else self._answer_plainly
        outcome = await answer(ctx, context, stream, earlier)
        stream.close()
        await retry_until_connected(lambda: self._record(ctx, context, stream, outcome))

    async def summarise(
        self,
        ctx: JobContext,
        room_id: UUID,
        leaf_id: UUID,
        limit_tokens: int,
    ) -> None:
        """Extend a room's summary: the handler of `chat.summarise`.

        No `partial`: a handler's annotations are evaluated, and `ChatClient` is not
        imported at run time.
        """
        model, window = self.model, self._window
        await summarise(ctx, room_id, leaf_id, limit_tokens, model=model, window=window)

    async def _answer_grounded(
        self,
        ctx: JobContext,
        context: AnswerContext,
        stream: AnswerStream,
        earlier: Replay,
    ) -> AnswerOutcome:
        """Answer from documents: stored, by a model, or in their own sentences."""
        engine = context.job_input.engine
        model = None if engine == "extractive" else self.model
        if model is None and engine == "model":
            raise ModelNotConfiguredError
        searcher = self._searcher_of(ctx.actor)
        retrieved, earlier = await retrieve(searcher, ctx, context, earlier)
        continued = await self._continue_text(ctx, stream, earlier)
        if model is None or not retrieved.passages:
            return answer_verbatim(stream, context.question, retrieved)
        if continued is not None:
            return await self._answer_by_model(
                model, ctx, context, stream, retrieved, continued
            )

        server = model.server_label(Purpose.STRONG)
        key = key_of(
            ctx.org_id,
            context,
            retrieved,
            model=await model.find_name(Purpose.STRONG),
            server=server,
            window=self._window,
        )
        if not context.job_input.is_anew:
            cached = await cached_or_lead(
                self._sessions, ctx, context, key, self._cache_days
            )
            if cached is not None:
                stream.label = label = cached.label.cached()
                for text, citations in cached.deltas:
                    stream.cited(text, citations)
                return AnswerOutcome(label, cached.dropped, retrieved.not_ready)
        outcome = await self._answer_by_model(model, ctx, context, stream, retrieved)
        is_stored = outcome.label.degraded is None and outcome.server == server
        return replace(outcome, cache_key=key if is_stored else None)

    async def _answer_by_model(
        self,
        model: "ChatClient",
        ctx: JobContext,
        context: AnswerContext,
        stream: AnswerStream,
        retrieved: RetrievedPassages,
        continued: Replay | None = None,
    ) -> AnswerOutcome:
        """Prompt the model and check its claims while it writes.

        Where that fails, the engine `auto` answers with the documents' own sentences.
        """
        engine, question = context.job_input.engine, context.question
        try:
            request, cited = grounded_request(
                context, retrieved, self._window, continued
            )
        except QuestionTooLongError as exc:
            if engine == "model":
                raise
            return answer_verbatim(stream, question, retrieved, degraded_by(exc))
        name = model.model_name(Purpose.STRONG)
        stream.label = model_label(name, is_grounded=True)
        reader = ClaimReader(cited)
        tag = call_tag(ctx, ANSWER_JOB, GROUNDED_PROMPT)
        try:
            completed = await stream_claims(
                model, request, tag, ctx, stream, reader, retrieved
            )
        except AppError as exc:
            if engine != "model":
                return _degraded(
                    context,
                    stream,
                    reader,
                    retrieved,
                    degraded_by(exc),
                    asked_model=not is_budget(exc),
                )
            if is_budget(exc):
                raise with_alternative(exc) from exc
            raise
        return _checked(context, stream, reader, retrieved, completed)

    async def _answer_plainly(
        self,
        ctx: JobContext,
        context: AnswerContext,
        stream: AnswerStream,
        earlier: Replay,
    ) -> AnswerOutcome:
        """Answer without documents, token by token; without a model there is none."""
        model = self.model
        if model is None:
            raise ModelNotConfiguredError
        continued = await self._continue_text(ctx, stream, earlier)
        request = plain_request(context, self._window, continued)
        name = model.model_name(Purpose.STRONG)
        stream.label = stream.label or model_label(name, is_grounded=False)
        stream.open()
        # A model may repeat an address that a person wrote, and no other.
        known = [turn.text for turn in context.history.turns if turn.role == "user"]
        known.append(context.question)
        tag = call_tag(ctx, PLAIN_FEATURE, PLAIN_PROMPT)
        try:
            completed = await stream_tokens(model, request, tag, ctx, stream, known)
        except AppError as exc:
            if is_budget(exc):
                raise with_alternative(exc) from exc
            raise
        name = completed.model if completed else model.model_name(Purpose.STRONG)
        cut = ANSWER_CUT if _is_cut(completed) else None
        return AnswerOutcome(model_label(name, cut, is_grounded=False))

    async def _continue_text(
        self, ctx: JobContext, stream: AnswerStream, earlier: Replay
    ) -> Replay | None:
        """Continue the text of an earlier attempt where the server can.

        Otherwise the text is begun anew and `None` returned. A claim counts only with
        all its citations.
        """
        if not earlier.added_through:
            return None
        whole = earlier.without_incomplete_delta()
        if (
            self.model is not None
            and whole.deltas
            and is_model_text(label_from(earlier.label))
        ):
            abilities = await self._abilities()
            if abilities is not None and abilities.continues_text:
                ctx.restarted(whole.through)
                stream.continue_from(whole)
                return whole
        ctx.restarted(earlier.before_text)
        return None

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
        async with tenant_transaction(self._sessions, ctx.org_id) as session:
            is_new = await ctx.finish(
                session, result=result, last_event=(RESPONSE_COMPLETED, data)
            )
            if not is_new:
                return
            await record_outcome(session, ctx.org_id, job_input, recorded)
            await store_answer(session, ctx, context, stream, outcome, self._cache_days)
            if history.cut_at is not None and self.model is not None:
                await enqueue_summary(
                    session, ctx.actor, job_input, history.limit_tokens
                )


def _checked(
    context: AnswerContext,
    stream: AnswerStream,
    reader: ClaimReader,
    retrieved: RetrievedPassages,
    completed: Completed | None,
) -> AnswerOutcome:
    """Label the model's answer; where no claim held, quote the documents instead."""
    is_cut = _is_cut(completed)
    if stream.is_empty and not reader.has_no_answer:
        reason = ANSWER_CUT if is_cut else CLAIMS_UNSUPPORTED
        return _degraded(context, stream, reader, retrieved, reason)
    if stream.is_empty:
        refuse(stream, context.question, retrieved)
    name = completed.model if completed else None
    return AnswerOutcome(
        model_label(name, ANSWER_CUT if is_cut else None, is_grounded=True),
        _dropped(reader),
        retrieved.not_ready,
        server=completed.server if completed else None,
    )


def _degraded(
    context: AnswerContext,
    stream: AnswerStream,
    reader: ClaimReader,
    retrieved: RetrievedPassages,
    reason: Degraded,
    *,
    asked_model: bool = True,
) -> AnswerOutcome:
    """Keep the claims emitted before the model failed, or answer verbatim."""
    if not stream.is_empty:
        label = model_label(None, reason, is_grounded=True)
        return AnswerOutcome(label, _dropped(reader), retrieved.not_ready)
    verbatim = answer_verbatim(
        stream, context.question, retrieved, reason, asked_model=asked_model
    )
    return replace(verbatim, dropped=_dropped(reader))


def _dropped(reader: ClaimReader) -> dict[str, int]:
    return {fault.value: count for fault, count in reader.dropped.items()}


def _is_cut(completed: Completed | None) -> bool:
    return completed is not None and completed.finish_reason == "length"


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
            sessions,
            searcher_of,
            model,
            abilities=parts.abilities.current,
            window=ContextWindow(
                settings.ai.window_tokens, settings.ai.max_output_tokens
            ),
            cache_days=settings.chat.cache_days,
        )
    finally:
        if model is not None:
            await model.close()
