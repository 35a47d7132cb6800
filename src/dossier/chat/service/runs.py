"""Runs: the jobs that answer, as members of their rooms see them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from dossier.chat.constants import ANSWER_JOB
from dossier.chat.exceptions import ChatRoomNotFoundError, RunNotFoundError
from dossier.chat.gateway import answers as gateway
from dossier.chat.models import ChatMessage
from dossier.chat.rules.replay import COMPLETED
from dossier.chat.rules.similar import most_similar
from dossier.chat.service.answers import Asked
from dossier.chat.service.memberships import Memberships
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.exceptions import JobNotFoundError
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.knowledge.extraction import question_terms


@dataclass(frozen=True, slots=True)
class Similar:
    """An earlier question of one's own; it is offered, never answered from."""

    question: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer at its end."""

    job: Job
    message: ChatMessage
    not_ready: list[dict[str, Any]]
    """The documents that could not be searched yet."""
    similar: Similar | None


class RunsService:
    """Runs of rooms where the caller is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._jobs = JobsService(session, actor)

    async def get_run(self, run_id: UUID) -> Job:
        """Return the job of an answer."""
        job = await self._get_job(run_id)
        if not await self.may_follow(job):
            raise RunNotFoundError(run_id)
        return job

    async def may_follow(self, job: Job) -> bool:
        """Return whether one is still a member of the run's room."""
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

    async def read_answered(self, asked: Asked) -> Answered:
        """Return an answer that has ended.

        With it comes an earlier question that is nearly the same, if there is one.
        """
        job = await self._get_job(asked.job.id)
        found = await self._memberships.get_message(asked.answer.id)
        events = await JobEventLog(self._session, job).events()
        not_ready = [e.data["not_ready"] for e in events if e.type == COMPLETED]
        return Answered(
            job=job,
            message=found.message,
            not_ready=not_ready[0] if not_ready else [],
            similar=await self._similar(asked.question, found.message),
        )

    async def _get_job(self, run_id: UUID) -> Job:
        try:
            return await self._jobs.get_job_of_kind(run_id, ANSWER_JOB)
        except JobNotFoundError:
            raise RunNotFoundError(run_id) from None

    async def _similar(
        self, question: ChatMessage, answer: ChatMessage
    ) -> Similar | None:
        earlier = await gateway.list_earlier_questions_for_org(
            self._session,
            self._actor.org_id,
            user_id=self._actor.user_id,
            question_id=question.id,
        )
        if (answer.engine or {}).get("from_cache"):  # the same was just answered
            earlier = {k: text for k, text in earlier.items() if text != question.text}
        nearest = most_similar(question.text, earlier, _terms)
        return None if nearest is None else Similar(earlier[nearest], nearest)


@lru_cache(maxsize=2048)
def _terms(text: str) -> frozenset[str]:
    """Return the terms of a question: the same ones are compared again and again."""
    return frozenset(question_terms(text))
