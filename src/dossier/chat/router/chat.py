"""Asking: one call that answers, streams, or names the run that will."""

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import JSONResponse

from dossier.chat.dependencies.answers import (
    PREFERRED,
    Ask,
    HotPatienceS,
    PatienceS,
)
from dossier.chat.schemas.chat import ChatRequest, ChatResponse, RegenerateRequest
from dossier.chat.service.answers import Answered, Asked, Question
from dossier.chat.service.answers_terms import Terms, Wish
from dossier.chat.tasks.asking import Asking
from dossier.core.prefer import APPLIED, applied_of
from dossier.core.problems import MEDIA_TYPE
from dossier.core.web import model_response
from dossier.runs.constants import RunState
from dossier.runs.dependencies import sse_response
from dossier.runs.models import Run
from dossier.runs.schemas import RunResponse

RUNS_PATH = "/api/v1/chat/runs"
RETRY_AFTER_S = 1
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ChatResponse,
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "The answer, or with `stream` the events of its run.",
    },
    202: {"model": RunResponse, "description": "It is still being written."},
}

router = APIRouter(prefix="/chat", tags=["chat"])


@router.post(
    "", response_model=ChatResponse, responses=ANSWERS, openapi_extra=PREFERRED
)
async def chat(
    request: Request, body: ChatRequest, asking: Ask, patience_s: HotPatienceS
) -> Response:
    """Ask something; the answer cites document, page and words.

    Without a room it opens a private one. A failure of the model is answered as a
    problem; the question stays, and `regenerate` answers it anew.
    """
    question = Question(
        message=body.message,
        room_id=body.chat_room_id,
        virtual_user_id=body.virtual_user_id,
        document_ids=tuple(body.document_ids),
        terms=Terms(body.engine, body.grounding),
    )
    is_awaited = patience_s > 0 and not body.stream
    asked = await asking.ask(question, is_awaited=is_awaited)
    if body.stream:
        return _streamed(asking, asked)
    return await _whole(request, asking, asked, patience_s)


@router.post(
    "/messages/{message_id}/regenerate", response_model=ChatResponse, responses=ANSWERS
)
async def regenerate(
    request: Request,
    message_id: UUID,
    asking: Ask,
    patience_s: PatienceS,
    body: RegenerateRequest | None = None,
) -> Response:
    """Answer a question anew; the earlier answer stays beside it.

    What is not named is as it was for the answer that this one replaces.
    """
    wanted = body or RegenerateRequest()
    wish = Wish(wanted.engine, wanted.grounding)
    asked = await asking.regenerate(message_id, wish)
    if wanted.stream:
        return _streamed(asking, asked)
    return await _whole(request, asking, asked, patience_s)


def _streamed(asking: Asking, asked: Asked) -> Response:
    response = sse_response(
        asking.engine,
        asking.org_id,
        asked.run,
        may_follow=partial(asking.may_follow, asked.run),
    )
    return _located(response, asked.run)


async def _whole(
    request: Request, asking: Asking, asked: Asked, patience_s: float
) -> Response:
    answered = await asking.wait(asked, patience_s) if patience_s else None
    response = _answer(request, asked, answered)
    applied = applied_of(request.headers.get("prefer"))
    if applied is not None:
        response.headers[APPLIED] = applied
    return _located(response, asked.run)


def _answer(request: Request, asked: Asked, answered: Answered | None) -> Response:
    if answered is None:
        return pending(asked.run)
    if answered.run.state is RunState.FAILED:
        return _problem(answered.run, request.url.path)
    return model_response(_shown(answered), status.HTTP_200_OK)


def _located(response: Response, run: Run) -> Response:
    response.headers["Location"] = f"{RUNS_PATH}/{run.id}"
    return response


def pending(run: Run) -> Response:
    """Answer that a run goes on, and when to look again."""
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


def _shown(answered: Answered) -> ChatResponse:
    asked, message = answered.asked, answered.message
    told: dict[str, Any] = {
        "chat_room_id": asked.room_id,
        "user_message_id": asked.question.id,
        "ai_message_id": asked.answer_id,
        "ai_response": message.text,
        "state": message.state,
        "virtual_user": {"id": asked.persona_id, "name": asked.persona_name},
        "citations": message.citations,
        "dropped_claims": message.dropped_claims,
        "engine": message.engine,
        "run_id": answered.run.id,
        "not_ready": answered.not_ready,
        "similar": answered.similar,
    }
    return ChatResponse.model_validate(told)
