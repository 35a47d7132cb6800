"""Responses to questions; they wait and stream after the commit."""

from functools import partial

from fastapi import Request, Response, status

from dossier.chat.constants import RUNS_PATH
from dossier.chat.schemas import RunResponse
from dossier.chat.service.answers import Asked, RunsService
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.core.web import may_still_act, model_response
from dossier.jobs.constants import JOB_RETRY_AFTER_S, JobState
from dossier.jobs.follower import JobFollower
from dossier.jobs.models import Job
from dossier.jobs.responses import (
    BEGINNING,
    AwaitedResponse,
    LogPosition,
    event_stream,
    problem_of_run,
)


class AnswerResponses:
    """Makes the responses of one request; holds no transaction."""

    def __init__(
        self,
        request: Request,
        sessions: SessionFactory,
        actor: Actor,
        follower: JobFollower,
    ) -> None:
        self.request = request
        self.sessions = sessions
        self.actor = actor
        self.follower = follower

    def events(self, job: Job, starting_after: LogPosition = BEGINNING) -> Response:
        """Stream the events of a run after a number."""
        return event_stream(
            self.follower,
            job,
            starting_after,
            may_follow=partial(self._may_follow, job),
        )

    def events_of_asked(self, asked: Asked) -> Response:
        """Stream the events of a run that was just started."""
        response = self.events(asked.job)
        response.headers["Location"] = f"{RUNS_PATH}/{asked.job.id}"
        return response

    def answer(self, asked: Asked, wait_s: float) -> Response:
        """Send the answer if it comes in time, a problem if it failed, else a 202."""
        respond = partial(self._respond, asked, wait_s)
        return AwaitedResponse(self.request, f"{RUNS_PATH}/{asked.job.id}", respond)

    async def _respond(self, asked: Asked, wait_s: float) -> Response:
        has_ended = wait_s and await self.follower.wait(
            self.actor.org_id, asked.job.id, wait_s
        )
        async with tenant_transaction(self.sessions, self.actor.org_id) as session:
            runs = RunsService(session, self.actor)
            job = await runs.get_run(asked.job.id)
            if has_ended and job.state is not JobState.FAILED:
                answer = await runs.read_answer(asked)
                return model_response(answer, status.HTTP_200_OK)
        if has_ended:
            return problem_of_run(job, self.request.url.path)
        shown = RunResponse.model_validate(job)
        response = model_response(shown, status.HTTP_202_ACCEPTED)
        response.headers["Retry-After"] = str(JOB_RETRY_AFTER_S)
        return response

    async def _may_follow(self, job: Job) -> bool:
        """Return whether the reader is still logged in and a member of the room."""
        if not await may_still_act(self.request, self.actor):
            return False
        async with tenant_transaction(self.sessions, self.actor.org_id) as session:
            return await RunsService(session, self.actor).may_follow(job)
