"""Answers one question: the executor of runs of kind `chat.answer`.

Each step is a short transaction; none is open while a model talks. Safe to run twice:
what was stored of the text is gone on from, or made anew, and the message is settled in
the transaction that ends the run.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from dossier.chat.constants import MessageState, SettledAnswer
from dossier.chat.ports import AskAbilities, AskModel, SearcherOf
from dossier.chat.rules.replay import (
    COMPLETED,
    CREATED,
    FAILED,
    IN_PROGRESS,
    INCOMPLETE,
    Replay,
    replay,
)
from dossier.chat.service.answers_brief import Brief, BriefsService, Order
from dossier.chat.service.answers_opening import Opening
from dossier.chat.service.answers_outcome import Outcome
from dossier.chat.service.answers_prompt import Window, history_tokens
from dossier.chat.service.answers_reply import Reply
from dossier.chat.service.answers_settle import (
    Ending,
    remembering,
    settle_answer,
    settling,
)
from dossier.chat.tasks.answer_grounded import Grounded
from dossier.chat.tasks.answer_plain import answer_plainly
from dossier.core.database import (
    Session,
    SessionFactory,
    raw_rows,
    tenant_transaction,
)
from dossier.core.errors import AppError
from dossier.core.problems import problem_of
from dossier.runs.constants import RunState
from dossier.runs.models import Run
from dossier.runs.service import RunContext, RunsService

MAX_EVENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """What answers are made with, in one process."""

    sessions: SessionFactory
    searcher_of: SearcherOf
    ask_model: AskModel
    ask_abilities: AskAbilities
    window: Window
    cache_days: int


class AnswerExecutor:
    """Satisfies `Executor` and, by `on_end`, settles what came to no end."""

    def __init__(self, parts: AnswerParts) -> None:
        self._parts = parts

    async def __call__(self, context: RunContext) -> None:
        """Answer, and settle the message with the run."""
        order = Order.of(context.run.input)
        told = _told(context)
        reply = Reply(context.emit, str(order.answer_id))
        try:
            outcome = await self._answer(context, order, reply, told)
        except asyncio.CancelledError:
            if context.is_cancelled:
                await self._stop(context, order, reply)
            raise
        except AppError as exc:
            await self._fail(context, order, reply, exc)
        else:
            await self._complete(context, order, reply, outcome)

    async def on_end(self, session: Session, run: Run) -> None:
        """Settle the message of a run that ended elsewhere, from the stored events."""
        order = Order.of(run.input)
        events = await RunsService(session, run.actor).list_events(
            run.id, limit=MAX_EVENTS
        )
        stored = replay((e.sequence_number, e.type, e.data) for e in events)
        is_cancelled = run.state is RunState.CANCELLED
        state = MessageState.INCOMPLETE if is_cancelled else MessageState.FAILED
        ending = Ending(state, stored.text, stored.citations, None)
        statements = partial(raw_rows, session)
        await settle_answer(statements, run.org_id, order, ending)

    async def _answer(
        self, context: RunContext, order: Order, reply: Reply, told: Replay
    ) -> Outcome:
        if not context.kept:
            _announce(context, order)  # clients learn the ids before anything is read
        brief = await self._brief(context, order)
        if order.grounding == "none":
            outcome = await answer_plainly(self._parts, context, brief, reply, told)
        else:
            outcome = await Grounded(self._parts, context, brief, reply).answer(told)
        if brief.history.cut_at is None or self._parts.ask_model() is None:
            return outcome
        return remembering(outcome, context.actor, order)

    async def _brief(self, context: RunContext, order: Order) -> Brief:
        is_grounded = order.grounding != "none"

        def tokens_beside(question: str) -> int:
            return history_tokens(question, self._parts.window, is_grounded=is_grounded)

        if isinstance(context.handed, Opening):
            brief = context.handed.brief(order, tokens_beside)
            if brief is not None:
                return brief
        async with tenant_transaction(self._parts.sessions, context.org_id) as session:
            return await BriefsService(session, context.actor).read(
                order, tokens_beside
            )

    async def _complete(
        self, context: RunContext, order: Order, reply: Reply, outcome: Outcome
    ) -> None:
        reply.close()
        label = outcome.label.model_dump(mode="json")
        ending = Ending(
            MessageState.COMPLETE,
            reply.text,
            reply.citations,
            label,
            outcome.dropped_claims,
        )

        write = settling(context.org_id, order, ending, outcome, _waited_for(context))
        data = _response(context, "completed") | {
            "engine": label,
            "citations": reply.citations,
            "dropped_claims": outcome.dropped,
            "not_ready": outcome.not_ready,
        }
        result = {
            "ai_message_id": str(order.answer_id),
            "not_ready": outcome.not_ready,
        }
        await context.finish(COMPLETED, data, write, result=result)

    async def _stop(self, context: RunContext, order: Order, reply: Reply) -> None:
        ending = Ending(MessageState.INCOMPLETE, reply.text, reply.citations, None)
        data = _response(context, "incomplete") | {"reason": "cancelled"}
        await self._end(context, order, ending, INCOMPLETE, data)

    async def _fail(
        self, context: RunContext, order: Order, reply: Reply, error: AppError
    ) -> None:
        problem = problem_of(error, request_id=context.run.request_id)
        ending = Ending(
            MessageState.FAILED, reply.text, reply.citations, {"problem": problem}
        )
        data = _response(context, "failed") | {"error": problem}
        await self._end(context, order, ending, FAILED, data)

    async def _end(
        self,
        context: RunContext,
        order: Order,
        ending: Ending,
        kind: str,
        data: Mapping[str, Any],
    ) -> None:
        told = _waited_for(context)
        write = settling(context.org_id, order, ending, told=told)
        is_failed = kind == FAILED
        state = RunState.FAILED if is_failed else RunState.CANCELLED
        error = data["error"] if is_failed else None
        await context.finish(kind, data, write, state=state, error=error)


def _told(context: RunContext) -> Replay:
    """Return what an earlier process had said; nothing on the first attempt."""
    return replay((e.sequence_number, e.type, e.data) for e in context.kept)


def _waited_for(context: RunContext) -> list[SettledAnswer] | None:
    """Return where whoever asked here looks for the answer; `None`: nobody does."""
    return context.handed.settled if isinstance(context.handed, Opening) else None


def _announce(context: RunContext, order: Order) -> None:
    ids = {
        "run_id": str(context.run.id),
        "chat_room_id": str(order.room_id),
        "user_message_id": str(order.question_id),
        "ai_message_id": str(order.answer_id),
    }
    context.emit(CREATED, _response(context, "in_progress") | ids)
    context.emit(IN_PROGRESS, _response(context, "in_progress"))


def _response(context: RunContext, status: str) -> dict[str, Any]:
    response = {"id": str(context.run.id), "object": "response", "status": status}
    return {"response": response}
