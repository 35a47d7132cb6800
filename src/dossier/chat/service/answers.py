"""Asking: a question, the place of its answer and the run that writes it, at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

from dossier.chat.constants import MessageState, SettledAnswer
from dossier.chat.exceptions import ChatMessageNotFoundError, ChatRoomNotFoundError
from dossier.chat.gateway import answers as gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.models import ChatMessage, ChatRoom, VirtualUser
from dossier.chat.rules.similar import most_similar
from dossier.chat.service.answers_brief import Order
from dossier.chat.service.answers_settle import Ending, settle_answer
from dossier.chat.service.answers_terms import Terms, TermsBefore, Wish, require_model
from dossier.chat.service.messages import Draft, MessagesService
from dossier.chat.service.rooms import RoomsService
from dossier.chat.service.seats import Seats
from dossier.core.database import Session, raw_rows
from dossier.core.reads import Reads
from dossier.core.tenancy import Actor
from dossier.knowledge.service.sentences import question_terms
from dossier.runs.constants import RunState
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.models import Run
from dossier.runs.service import RunEngine, RunsService

KIND: Final = "chat.answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks, and whom."""

    message: str
    room_id: UUID | None = None
    virtual_user_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Similar:
    """An earlier question of one's own; it is offered, never answered from."""

    question: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the run that answers it."""

    room_id: UUID
    question: ChatMessage
    answer_id: UUID
    persona_id: UUID
    persona_name: str
    run: Run
    settled: list[SettledAnswer] = field(default_factory=list)
    """What came of it, once it was written from here."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer at its end."""

    asked: Asked
    message: SettledAnswer
    run: Run
    similar: Similar | None

    @property
    def not_ready(self) -> list[dict[str, Any]]:
        """Return the documents that could not be searched yet."""
        found: list[dict[str, Any]] = (self.run.result or {}).get("not_ready", [])
        return found


class AnswersService:
    """Questions of whoever asks, in the caller's transaction."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        max_characters: int,
        *,
        has_model: bool,
    ) -> None:
        self._session = session
        self._actor = actor
        self._has_model = has_model
        self._seats = Seats(session, actor)
        self._rooms = RoomsService(session, actor)
        self._personas = self._rooms.personas  # which remember the assistant
        self._messages = MessagesService(session, actor, max_characters)
        self._runs = RunsService(session, actor)

    async def ask(self, question: Question, engine: RunEngine) -> Asked:
        """Say something and have it answered; nothing is stored unless all can be."""
        require_model(question.terms, has_model=self._has_model)
        self._messages.check_text(question.message, "#/message")
        seat = await self._rooms.open_room(question.room_id, question.message)
        persona = await self._persona(seat.room, question.virtual_user_id)
        draft = Draft(text=question.message, document_ids=question.document_ids)
        is_first = question.room_id is None
        said = await self._messages.say(seat, draft, is_first=is_first)
        is_there = is_first and persona.is_default  # who is in every new room
        answer = await self._messages.prepare_answer(
            seat, persona, said, is_there=is_there
        )
        asked = await self._start(answer, persona, said, question.terms, engine)
        await self._messages.place_answer(answer)
        return asked

    async def regenerate(
        self, message_id: UUID, wish: Wish, engine: RunEngine
    ) -> Asked:
        """Answer a question anew, beside what was answered before."""
        again = await self._messages.prepare_regeneration(message_id)
        before = await TermsBefore(self._session, self._actor).of(again)
        terms = wish.instead_of(before)
        require_model(terms, has_model=self._has_model)
        persona_id = again.earlier.virtual_user_id if again.earlier else None
        persona = await self._persona(again.seat.room, persona_id)
        answer = await self._messages.add_pending_answer(
            again.seat.room, persona, again.question, None
        )
        return await self._start(answer, persona, again.question, terms, engine)

    async def get_run(self, run_id: UUID) -> Run:
        """Return a run of a room where one is a member."""
        run = await self._runs.get_run(run_id)
        if run.kind != KIND or run.subject_id is None:
            raise RunNotFoundError(run_id)
        try:
            await self._seats.take(run.subject_id)
        except ChatRoomNotFoundError:
            raise RunNotFoundError(run_id) from None
        return run

    async def cancel(self, run_id: UUID) -> Run:
        """Stop an answer; what was said of it stays."""
        await self.get_run(run_id)
        run = await self._runs.cancel(run_id)
        if run.state is RunState.CANCELLED:  # it had not begun: nobody else settles
            ending = Ending(MessageState.INCOMPLETE, "", [], None)
            statements = partial(raw_rows, self._session)
            await settle_answer(statements, run.org_id, Order.of(run.input), ending)
        return run

    async def _persona(self, room: ChatRoom, persona_id: UUID | None) -> VirtualUser:
        """Return one's own virtual user, or one that is in the room already."""
        if persona_id is None:
            return await self._personas.default_persona()
        found = await people_gateway.get_persona_in_room_for_org(
            self._session, self._actor.org_id, room.id, persona_id
        )
        if found is not None:
            return found[0]
        return await self._personas.get_persona(persona_id)

    async def _start(
        self,
        answer: ChatMessage,
        persona: VirtualUser,
        question: ChatMessage,
        terms: Terms,
        engine: RunEngine,
    ) -> Asked:
        room_id = answer.room_id
        order = Order(room_id, question.id, answer.id, terms.engine, terms.grounding)
        run = await self._runs.start(
            KIND, subject_id=room_id, input=order.written(), engine=engine
        )
        answer.run_id = run.id
        return Asked(room_id, question, answer.id, persona.id, persona.name, run)


async def read_earlier(reads: Reads, actor: Actor, asked: Asked) -> dict[UUID, str]:
    """Return other questions of whoever asked, by the message."""
    return await gateway.list_earlier_for_org(
        reads, actor.org_id, user_id=actor.user_id, question_id=asked.question.id
    )


async def read_answered(reads: Reads, actor: Actor, asked: Asked, run: Run) -> Answered:
    """Return the answer that a run wrote, to whoever still is a member."""
    found = await gateway.get_settled_for_org(
        reads,
        actor.org_id,
        asked.answer_id,
        user_id=actor.user_id,
        question_id=asked.question.id,
    )
    if found is None:
        raise ChatMessageNotFoundError(asked.answer_id)
    return answered_by(asked, run, *found)


def answered_by(
    asked: Asked, run: Run, settled: SettledAnswer, earlier: Mapping[UUID, str]
) -> Answered:
    """Return an answer with the earlier question that is nearly the same."""
    if (settled.engine or {}).get("from_cache"):  # the same question, just answered
        earlier = {
            key: text for key, text in earlier.items() if text != asked.question.text
        }
    return Answered(asked, settled, run, _similar(asked.question, earlier))


def _similar(question: ChatMessage, earlier: Mapping[UUID, str]) -> Similar | None:
    """Return the earlier question that is nearly the same, if there is one."""
    found = most_similar(question.text, earlier, _terms)
    return None if found is None else Similar(earlier[found], found)


@lru_cache(maxsize=2048)
def _terms(text: str) -> frozenset[str]:
    """Return the terms of a question: the same ones are compared again and again."""
    return frozenset(question_terms(text))
