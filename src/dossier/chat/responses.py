"""Responses to questions; they wait and stream in `__call__`, after the commit."""

import asyncio
from functools import partial

from fastapi import Request, Response, status
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.chat.constants import RUNS_PATH
from dossier.chat.schemas import RunResponse
from dossier.chat.service.answers import Asked, RunsService
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.prefer import APPLIED, applied_of
from dossier.core.problems import MEDIA_TYPE
from dossier.core.tenancy import Actor
from dossier.core.web import may_still_act, model_response
from dossier.jobs.constants import JOB_RETRY_AFTER_S, JobState
from dossier.jobs.follower import JobFollower
from dossier.jobs.models import Job
from dossier.jobs.responses import BEGINNING, LogPosition, event_stream


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
        """Wait for an answer."""
        return WaitingAnswer(self, asked, wait_s)

    async def _may_follow(self, job: Job) -> bool:
        """Return whether the reader is still logged in and a member of the room."""
        if not await may_still_act(self.request, self.actor):
            return False
        async with tenant_transaction(self.sessions, self.actor.org_id) as session:
            return await RunsService(session, self.actor).may_follow(job)


class WaitingAnswer(Response):
    """Sends the answer if it comes in time, a problem if it failed, else a 202."""

    def __init__(self, of: AnswerResponses, asked: Asked, wait_s: float) -> None:
        super().__init__()
        self._of = of
        self._asked = asked
        self._wait_s = wait_s

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def disconnected() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        waiting = asyncio.ensure_future(self._response())
        watching = asyncio.ensure_future(disconnected())
        try:
            await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return  # the client is gone
            response = await waiting
        finally:
            waiting.cancel()
            watching.cancel()
            await asyncio.wait({waiting, watching})
        applied = applied_of(self._of.request.headers.get("prefer"))
        if applied is not None:
            response.headers[APPLIED] = applied
        response.headers["Location"] = f"{RUNS_PATH}/{self._asked.job.id}"
        await response(scope, receive, send)

    async def _response(self) -> Response:
        actor, job = self._of.actor, self._asked.job
        has_ended = self._wait_s and await self._of.follower.wait(
            actor.org_id, job.id, self._wait_s
        )
        async with tenant_transaction(self._of.sessions, actor.org_id) as session:
            runs = RunsService(session, actor)
            job = await runs.get_run(job.id)
            if has_ended and job.state is not JobState.FAILED:
                answer = await runs.read_answer(self._asked)
                return model_response(answer, status.HTTP_200_OK)
        if has_ended:  # with the problem that the run ended in
            problem = job.error or {"status": 500}
            problem = {**problem, "instance": self._of.request.url.path}
            headers = {"Cache-Control": "no-store"}
            if "retry_after" in problem:
                headers["Retry-After"] = str(problem["retry_after"])
            return JSONResponse(
                problem, problem["status"], headers, media_type=MEDIA_TYPE
            )
        shown = RunResponse.model_validate(job)
        response = model_response(shown, status.HTTP_202_ACCEPTED)
        response.headers["Retry-After"] = str(JOB_RETRY_AFTER_S)
        return response
