"""Responses to questions; they wait and stream in `__call__`, after the commit."""

from functools import partial
from typing import Any

from fastapi import Request, Response, status
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.chat.schemas.chat import ChatResponse
from dossier.chat.service.answers import Answered, Asked, is_member, read_answered
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.prefer import APPLIED, applied_of
from dossier.core.problems import MEDIA_TYPE
from dossier.core.tenancy import Actor
from dossier.core.web import is_welcome, model_response
from dossier.runs.constants import FINISHED, RunState
from dossier.runs.dependencies import sse_response
from dossier.runs.models import Run
from dossier.runs.schemas import RunResponse
from dossier.runs.service import RunEngine

RUNS_PATH = "/api/v1/chat/runs"
RETRY_AFTER_S = 1


class AnswerResponses:
    """Makes the responses of one request; holds no transaction."""

    def __init__(
        self,
        request: Request,
        sessions: SessionFactory,
        actor: Actor,
        engine: RunEngine,
        wait_s: float,
    ) -> None:
        self.request = request
        self.sessions = sessions
        self.actor = actor
        self.engine = engine
        self.wait_s = wait_s

    def answer(self, asked: Asked, *, is_streamed: bool) -> Response:
        """Stream a run's events, or wait for its answer."""
        if is_streamed:
            response = self.events(asked.run)
            response.headers["Location"] = f"{RUNS_PATH}/{asked.run.id}"
            return response
        return WaitingAnswer(self, asked)

    def events(self, run: Run, starting_after: int = 0) -> Response:
        """Stream the events of a run after a number."""
        return sse_response(
            self.engine,
            self.actor.org_id,
            run,
            starting_after,
            may_follow=partial(self._may_follow, run),
        )

    async def _may_follow(self, run: Run) -> bool:
        """Return whether the reader is still logged in and a member of the room."""
        if run.subject_id is None or not await is_welcome(self.request, self.actor):
            return False
        async with tenant_transaction(self.sessions, self.actor.org_id) as session:
            return await is_member(session, self.actor, run.subject_id)


class WaitingAnswer(Response):
    """Sends the answer if it comes in time, a problem if it failed, else a 202."""

    def __init__(self, responses: AnswerResponses, asked: Asked) -> None:
        super().__init__()
        self._responses = responses
        self._asked = asked

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._response()
        applied = applied_of(self._responses.request.headers.get("prefer"))
        if applied is not None:
            response.headers[APPLIED] = applied
        response.headers["Location"] = f"{RUNS_PATH}/{self._asked.run.id}"
        await response(scope, receive, send)

    async def _response(self) -> Response:
        waiting, run = self._responses, self._asked.run
        org_id = waiting.actor.org_id
        if waiting.wait_s:
            run = await waiting.engine.wait(org_id, run.id, waiting.wait_s)
        if run.state not in FINISHED:
            return _still_running(run)
        async with tenant_transaction(waiting.sessions, org_id) as session:
            answered = await read_answered(session, waiting.actor, self._asked, run)
        if run.state is RunState.FAILED:
            return _problem(run, waiting.request.url.path)
        return model_response(_shown(self._asked, answered), status.HTTP_200_OK)


def _still_running(run: Run) -> Response:
    response = model_response(RunResponse.model_validate(run), status.HTTP_202_ACCEPTED)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _problem(run: Run, instance: str) -> Response:
    """Answer with the problem that a run ended in."""
    problem = {**(run.error or {"status": 500}), "instance": instance}
    response = JSONResponse(problem, problem["status"], media_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if "retry_after" in problem:
        response.headers["Retry-After"] = str(problem["retry_after"])
    return response


def _shown(asked: Asked, answered: Answered) -> ChatResponse:
    message = answered.message
    shown: dict[str, Any] = {
        "chat_room_id": message.room_id,
        "user_message_id": asked.question.id,
        "ai_message_id": message.id,
        "ai_response": message.text,
        "state": message.state,
        "virtual_user": {"id": asked.persona.id, "name": asked.persona.name},
        "citations": message.citations,
        "dropped_claims": message.dropped_claims,
        "engine": message.engine,
        "run_id": answered.run.id,
        "not_ready": answered.not_ready,
        "similar": answered.similar,
    }
    return ChatResponse.model_validate(shown)
