"""Questions, their pending answers and the jobs that write them.

A run, as clients know it, is the job that answers; its id is the job's.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

import dossier.chat.answering.record  # noqa: F401 - declares the kinds of jobs
from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.chat.answering.events import CREATED, RESPONSE_COMPLETED, response_data
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.exceptions import ChatRoomNotFoundError, RunNotFoundError
from dossier.chat.gateway import messages as message_gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.gateway.rooms import RoomMembership
from dossier.chat.models import ChatMessage, ChatRoom, VirtualUser
from dossier.chat.rules.questions import most_similar
from dossier.chat.rules.replies import PLAIN_RULES
from dossier.chat.schemas import ChatResponse, SimilarQuestion
from dossier.chat.service.messages import MessagesService
from dossier.chat.service.rooms import Memberships, RoomsService
from dossier.chat.types import AnswerJobInput, AnswerOptions
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.exceptions import JobNotFoundError
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.knowledge.extraction import question_terms

DEFAULT_OPTIONS: Final = AnswerOptions()
OnDisconnect = Literal["continue", "cancel"]

_NEEDS_NO_MODEL: Final = {
    True: "Set DOSSIER_AI__BASE_URL, or ask with the engine `auto` or `extractive`.",
    False: "Set DOSSIER_AI__BASE_URL, or ask with the grounding `papers`.",
}


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
    """Questions of the caller, in the caller's transaction."""

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

    async def ask(
        self,
        text: str,
        options: AnswerOptions = DEFAULT_OPTIONS,
        *,
        room_id: UUID | None = None,
        product_id: UUID | None = None,
        virtual_user_id: UUID | None = None,
        document_ids: Sequence[UUID] = (),
    ) -> Asked:
        """Store a question with its pending answer, and enqueue the job.

        Without a room it opens a private one; without a virtual user, the assistant
        answers.
        """
        require_model(options, has_model=self._has_model)
        self._messages.check_text(text, "#/message")
        membership = await self._rooms.open_room(room_id, text, product_id)
        persona = await self._persona(membership.room, virtual_user_id)
        question = await self._messages.add_message(
            membership, text, document_ids=document_ids
        )
        return await self._enqueue(membership, persona, question, options)

    async def regenerate(
        self, message_id: UUID, engine: str | None, grounding: str | None
    ) -> Asked:
        """Answer a question anew, beside what was answered before.

        `engine` and `grounding` are as for the earlier answer where they are `None`.
        """
        membership, question, earlier = await self._messages.prepare_regeneration(
            message_id
        )
        options = await self._earlier_options(question, earlier)
        options = options.changed(engine, grounding)
        require_model(options, has_model=self._has_model)
        persona_id = earlier.virtual_user_id if earlier else None
        persona = await self._persona(membership.room, persona_id)
        return await self._enqueue(membership, persona, question, options, is_anew=True)

    async def _persona(self, room: ChatRoom, persona_id: UUID | None) -> VirtualUser:
        """Return the caller's own virtual user, or one that is in the room already."""
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
        membership: RoomMembership,
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

    async def _earlier_options(
        self, question: ChatMessage, earlier: ChatMessage | None
    ) -> AnswerOptions:
        """Return the options of the earlier answer, else of the question's newest.

        An edited question counts the answers to its earlier version too.
        """
        answer = earlier
        for parent_id in (question.id, question.supersedes_id):
            if answer is not None or parent_id is None:
                break
            below = await message_gateway.list_siblings_for_org(
                self._session, self._actor.org_id, question.room_id, parent_id
            )
            answers = [each for each in below if each.virtual_user_id is not None]
            answer = answers[-1] if answers else None
        if answer is None:
            return DEFAULT_OPTIONS
        if answer.run_id is not None:
            with suppress(JobNotFoundError):
                job = await self._jobs.get_job_of_kind(answer.run_id, ANSWER_JOB)
                return AnswerJobInput.from_args(job.args).options
        # An answer that was copied, or whose job is gone: only its label is known.
        name, _, _version = PLAIN_RULES.partition("@")
        ruleset = str((answer.engine or {}).get("ruleset"))
        is_plain = ruleset.startswith(f"{name}@")
        return AnswerOptions(grounding="none") if is_plain else DEFAULT_OPTIONS


class RunsService:
    """Runs of rooms where the caller is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._jobs = JobsService(session, actor)

    async def get_run(self, run_id: UUID) -> Job:
        """Return the job of an answer."""
        try:
            job = await self._jobs.get_job_of_kind(run_id, ANSWER_JOB)
        except JobNotFoundError:
            raise RunNotFoundError(run_id) from None
        if not await self.may_follow(job):
            raise RunNotFoundError(run_id)
        return job

    async def may_follow(self, job: Job) -> bool:
        """Return whether the caller is still a member of the run's room."""
        if job.subject_id is None:
            return False
        try:
            await self._memberships.get(job.subject_id)
        except ChatRoomNotFoundError:
            return False
        return True

    async def cancel(self, run_id: UUID) -> Job:
        """Stop an answer; the text so far stays."""
        await self.get_run(run_id)
        return await self._jobs.cancel_job_of_kind(run_id, ANSWER_JOB)

    async def read_answer(self, asked: Asked) -> ChatResponse:
        """Return an answer that has ended, and did not fail.

        With it comes an earlier question that is nearly the same, if there is one.
        """
        found = await self._memberships.get_message(asked.answer.id)
        events = await JobEventLog(self._session, asked.job).events()
        not_ready = [
            e.data["not_ready"] for e in events if e.type == RESPONSE_COMPLETED
        ]
        message = found.message
        shown = {
            "chat_room_id": message.room_id,
            "user_message_id": asked.question.id,
            "ai_message_id": message.id,
            "ai_response": message.text,
            "state": message.state,
            "virtual_user": {"id": asked.persona.id, "name": asked.persona.name},
            "citations": message.citations,
            "dropped_claims": message.dropped_claims,
            "engine": message.engine,
            "run_id": asked.job.id,
            "not_ready": not_ready[0] if not_ready else [],
            "similar": await self._similar(asked.question, message),
        }
        return ChatResponse.model_validate(shown)

    async def _similar(
        self, question: ChatMessage, answer: ChatMessage
    ) -> SimilarQuestion | None:
        earlier = await message_gateway.list_earlier_questions_for_org(
            self._session,
            self._actor.org_id,
            user_id=self._actor.user_id,
            question_id=question.id,
        )
        if (answer.engine or {}).get("from_cache"):  # the same was just answered
            earlier = {k: text for k, text in earlier.items() if text != question.text}
        nearest = most_similar(question.text, earlier, _terms)
        if nearest is None:
            return None
        return SimilarQuestion(question=earlier[nearest], message_id=nearest)


@lru_cache(maxsize=2048)
def _terms(text: str) -> frozenset[str]:
    """Return the terms of a question; cached, as each is compared many times."""
    return frozenset(question_terms(text))
