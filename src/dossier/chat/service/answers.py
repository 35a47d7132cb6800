"""Asking: a question, its pending answer and the run that writes it, together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.chat.answering.record import record_outcome
from dossier.chat.constants import ANSWER_JOB, MessageState
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.gateway import answers as gateway
from dossier.chat.gateway import branches as branch_gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.models import ChatMessage, ChatRoom, VirtualUser
from dossier.chat.rules.replies import PLAIN_RULES
from dossier.chat.rules.similar import most_similar
from dossier.chat.service.memberships import Memberships
from dossier.chat.service.messages import Draft, MessagesService, Regeneration
from dossier.chat.service.rooms import RoomsService
from dossier.chat.types import AnswerJobInput, AnswerOptions, RecordedAnswer
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.knowledge.service.sentences import question_terms
from dossier.runs.constants import RunState
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.models import Run
from dossier.runs.service import RunEngine, RunsService

_NEEDS_NO_MODEL: Final = {
    True: "Set DOSSIER_AI__BASE_URL, or ask with the engine `auto` or `extractive`.",
    False: "Set DOSSIER_AI__BASE_URL, or ask with the grounding `papers`.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks, and whom."""

    message: str
    room_id: UUID | None = None
    virtual_user_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()
    options: AnswerOptions = field(default_factory=AnswerOptions)


@dataclass(frozen=True, slots=True)
class Similar:
    """An earlier question of one's own; it is offered, never answered from."""

    question: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the run that answers it."""

    question: ChatMessage
    answer: ChatMessage
    persona: VirtualUser
    run: Run


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer at its end."""

    message: ChatMessage
    run: Run
    similar: Similar | None

    @property
    def not_ready(self) -> list[dict[str, Any]]:
        """Return the documents that could not be searched yet."""
        found: list[dict[str, Any]] = (self.run.result or {}).get("not_ready", [])
        return found


def require_model(options: AnswerOptions, *, has_model: bool) -> None:
    """Raise where an answer is wanted that only a model gives, and there is none."""
    is_grounded = options.grounding != "none"
    needs_model = options.engine == "model" or not is_grounded
    if needs_model and not has_model:
        raise ModelNotConfiguredError(_NEEDS_NO_MODEL[is_grounded])


class AnswersService:
    """Questions and answers of whoever asks, in the caller's transaction."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        max_characters: int,
        *,
        has_model: bool,
        engine: RunEngine,
    ) -> None:
        self._session = session
        self._actor = actor
        self._has_model = has_model
        self._engine = engine
        self._memberships = Memberships(session, actor)
        self._rooms = RoomsService(session, actor)
        self._personas = self._rooms.personas  # which remembers the assistant
        self._messages = MessagesService(session, actor, max_characters)
        self._runs = RunsService(session, actor)

    async def ask(self, question: Question) -> Asked:
        """Store a question with its pending answer, and start the run."""
        require_model(question.options, has_model=self._has_model)
        self._messages.check_text(question.message, "#/message")
        membership = await self._rooms.open_room(question.room_id, question.message)
        persona = await self._persona(membership.room, question.virtual_user_id)
        draft = Draft(text=question.message, document_ids=question.document_ids)
        said = await self._messages.say(membership, draft)
        return await self._start(said, persona, membership.room, question.options)

    async def regenerate(
        self, message_id: UUID, engine: str | None, grounding: str | None
    ) -> Asked:
        """Answer a question anew, beside what was answered before.

        `engine` and `grounding` are as for the earlier answer where they are `None`.
        """
        again = await self._messages.prepare_regeneration(message_id)
        options = (await self._earlier_options(again)).changed(engine, grounding)
        require_model(options, has_model=self._has_model)
        room = again.membership.room
        persona_id = again.earlier.virtual_user_id if again.earlier else None
        persona = await self._persona(room, persona_id)
        return await self._start(again.question, persona, room, options, is_anew=True)

    async def get_run(self, run_id: UUID) -> Run:
        """Return a run of a room where one is a member."""
        run = await self._runs.get_run(run_id)
        if run.kind != ANSWER_JOB or run.subject_id is None:
            raise RunNotFoundError(run_id)
        try:
            await self._memberships.get(run.subject_id)
        except ChatRoomNotFoundError:
            raise RunNotFoundError(run_id) from None
        return run

    async def cancel(self, run_id: UUID) -> Run:
        """Stop an answer; the text so far stays."""
        await self.get_run(run_id)
        run = await self._runs.cancel(run_id)
        if run.state is RunState.CANCELLED:  # it had not begun: nobody else records it
            recorded = RecordedAnswer(state=MessageState.INCOMPLETE, text="")
            job = AnswerJobInput.from_args(run.input)
            await record_outcome(self._session, run.org_id, job, recorded)
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
        question: ChatMessage,
        persona: VirtualUser,
        room: ChatRoom,
        options: AnswerOptions,
        *,
        is_anew: bool = False,
    ) -> Asked:
        run_id = new_id()
        answer = await self._messages.add_pending_answer(
            room, persona, question, run_id
        )
        job = AnswerJobInput(
            room_id=room.id,
            question_id=question.id,
            answer_id=answer.id,
            engine=options.engine,
            grounding=options.grounding,
            is_anew=is_anew,
        )
        run = await self._runs.start(
            ANSWER_JOB,
            run_id=run_id,
            subject_id=room.id,
            input=job.as_args(),
            engine=self._engine,
        )
        return Asked(question, answer, persona, run)

    async def _earlier_options(self, again: Regeneration) -> AnswerOptions:
        """Return the options of the earlier answer, or of the newest to a question."""
        answer = again.earlier or await self._newest_answer(again.question)
        if answer is None:
            return AnswerOptions()
        if answer.run_id is not None:
            try:
                run = await self._runs.get_run(answer.run_id)
            except RunNotFoundError:
                pass
            else:
                return AnswerJobInput.from_args(run.input).options
        return _options_of_label(answer.engine or {})

    async def _newest_answer(self, question: ChatMessage) -> ChatMessage | None:
        """Return the newest answer; an edited question has those of its first words."""
        for parent_id in (question.id, question.supersedes_id):
            if parent_id is None:
                continue
            below = await branch_gateway.list_siblings_for_org(
                self._session, self._actor.org_id, question.room_id, parent_id
            )
            answers = [each for each in below if each.virtual_user_id is not None]
            if answers:
                return answers[-1]
        return None


def _options_of_label(label: Mapping[str, Any]) -> AnswerOptions:
    """Return what is known of an answer that was copied, or whose run is gone."""
    name, _, _version = PLAIN_RULES.partition("@")
    is_plain = str(label.get("ruleset")).startswith(f"{name}@")
    return AnswerOptions(grounding="none") if is_plain else AnswerOptions()


async def read_answered(
    session: Session, actor: Actor, asked: Asked, run: Run
) -> Answered:
    """Return the answer that a run wrote, to whoever still is a member.

    With it comes an earlier question that is nearly the same, if there is one.
    """
    found = await Memberships(session, actor).get_message(asked.answer.id)
    earlier = await gateway.list_earlier_questions_for_org(
        session, actor.org_id, user_id=actor.user_id, question_id=asked.question.id
    )
    text = asked.question.text
    if (found.message.engine or {}).get("from_cache"):  # the same was just answered
        earlier = {key: each for key, each in earlier.items() if each != text}
    nearest = most_similar(text, earlier, _terms)
    similar = None if nearest is None else Similar(earlier[nearest], nearest)
    return Answered(found.message, run, similar)


async def is_member(session: Session, actor: Actor, room_id: UUID) -> bool:
    """Return whether somebody is still a member of a room."""
    try:
        await Memberships(session, actor).get(room_id)
    except ChatRoomNotFoundError:
        return False
    return True


@lru_cache(maxsize=2048)
def _terms(text: str) -> frozenset[str]:
    """Return the terms of a question: the same ones are compared again and again."""
    return frozenset(question_terms(text))
