"""Asking: a question, its pending answer and the job that writes it, together.

A run, as clients know it, is the job that answers; its id is the job's.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.chat.answering.record import record_unfinished
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.gateway import branches as branch_gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.gateway.memberships import Membership
from dossier.chat.models import ChatMessage, ChatRoom, VirtualUser
from dossier.chat.rules.replay import CREATED
from dossier.chat.rules.replies import PLAIN_RULES
from dossier.chat.rules.responses import response_data
from dossier.chat.service.messages import Draft, MessagesService, Regeneration
from dossier.chat.service.rooms import RoomsService
from dossier.chat.types import AnswerJobInput, AnswerOptions
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobGroup
from dossier.jobs.exceptions import JobNotFoundError
from dossier.jobs.kinds import declare
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind

declare(
    JobKind(
        ANSWER_JOB,
        JobGroup.ANSWERS,
        listed=False,
        streams=True,
        on_end=record_unfinished,
    )
)

OnDisconnect = Literal["continue", "cancel"]

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
class Asked:
    """A question with the job that answers it."""

    question: ChatMessage
    answer: ChatMessage
    persona: VirtualUser
    job: Job


def require_model(options: AnswerOptions, *, has_model: bool) -> None:
    """Raise where an answer is wanted that only a model gives, and there is none."""
    is_grounded = options.grounding != "none"
    needs_model = options.engine == "model" or not is_grounded
    if needs_model and not has_model:
        raise ModelNotConfiguredError(_NEEDS_NO_MODEL[is_grounded])


class AnswersService:
    """Questions of whoever asks, in the caller's transaction."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        max_characters: int,
        *,
        has_model: bool,
        on_disconnect: OnDisconnect = "continue",
    ) -> None:
        self._session = session
        self._actor = actor
        self._has_model = has_model
        self._on_disconnect = on_disconnect
        self._rooms = RoomsService(session, actor)
        self._personas = self._rooms.personas  # which remembers the assistant
        self._messages = MessagesService(session, actor, max_characters)
        self._jobs = JobsService(session, actor)

    async def ask(self, question: Question) -> Asked:
        """Store a question with its pending answer, and enqueue the job."""
        require_model(question.options, has_model=self._has_model)
        self._messages.check_text(question.message, "#/message")
        membership = await self._rooms.open_room(question.room_id, question.message)
        persona = await self._persona(membership.room, question.virtual_user_id)
        draft = Draft(text=question.message, document_ids=question.document_ids)
        said = await self._messages.say(membership, draft)
        return await self._enqueue(membership, persona, said, question.options)

    async def regenerate(
        self, message_id: UUID, engine: str | None, grounding: str | None
    ) -> Asked:
        """Answer a question anew, beside what was answered before.

        `engine` and `grounding` are as for the earlier answer where they are `None`.
        """
        again = await self._messages.prepare_regeneration(message_id)
        options = (await self._earlier_options(again)).changed(engine, grounding)
        require_model(options, has_model=self._has_model)
        persona_id = again.earlier.virtual_user_id if again.earlier else None
        persona = await self._persona(again.membership.room, persona_id)
        return await self._enqueue(
            again.membership, persona, again.question, options, is_anew=True
        )

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

    async def _enqueue(
        self,
        membership: Membership,
        persona: VirtualUser,
        question: ChatMessage,
        options: AnswerOptions,
        *,
        is_anew: bool = False,
    ) -> Asked:
        job_id, room = new_id(), membership.room
        answer = await self._messages.add_pending_answer(
            membership, persona, question, job_id, is_new=not is_anew
        )
        given = AnswerJobInput(
            room_id=room.id,
            question_id=question.id,
            answer_id=answer.id,
            engine=options.engine,
            grounding=options.grounding,
            is_anew=is_anew,
        )
        created = response_data(job_id, "in_progress") | {
            "run_id": str(job_id),
            "chat_room_id": str(room.id),
            "user_message_id": str(question.id),
            "ai_message_id": str(answer.id),
        }
        job = await self._jobs.enqueue(
            ANSWER_JOB,
            job_id=job_id,
            subject_id=room.id,
            on_disconnect=self._on_disconnect,
            first_event=(CREATED, created),
            **given.as_args(),
        )
        return Asked(question, answer, persona, job)

    async def _earlier_options(self, again: Regeneration) -> AnswerOptions:
        """Return the options of the earlier answer, or of the newest to a question."""
        answer = again.earlier or await self._newest_answer(again.question)
        if answer is None:
            return AnswerOptions()
        if answer.run_id is not None:
            with suppress(JobNotFoundError):
                job = await self._jobs.get_job_of_kind(answer.run_id, ANSWER_JOB)
                return AnswerJobInput.from_args(job.args).options
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
    """Return what is known of an answer that was copied, or whose job is gone."""
    name, _, _version = PLAIN_RULES.partition("@")
    is_plain = str(label.get("ruleset")).startswith(f"{name}@")
    return AnswerOptions(grounding="none") if is_plain else AnswerOptions()
