"""Asking: one call that answers, streams, or names the run that will."""

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response, status
from fastapi.responses import JSONResponse

from dossier.chat.dependencies.answers import Ask, PatienceS
from dossier.chat.schemas.chat import ChatRequest, ChatResponse, RegenerateRequest
from dossier.chat.service.answers import Answered, Asked, Question
from dossier.chat.service.answers_terms import Terms, Wish
from dossier.chat.tasks.asking import Asking
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


@router.post("", response_model=ChatResponse, responses=ANSWERS)
async def chat(body: ChatRequest, asking: Ask, patience_s: PatienceS) -> Response:
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
    asked = await asking.ask(question)
    return await _answer(asking, asked, patience_s, is_stream=body.stream)


@router.post(
    "/messages/{message_id}/regenerate", response_model=ChatResponse, responses=ANSWERS
)
async def regenerate(
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
    return await _answer(asking, asked, patience_s, is_stream=wanted.stream)


async def _answer(
    asking: Asking, asked: Asked, patience_s: float, *, is_stream: bool
) -> Response:
    if is_stream:
        response = sse_response(
            asking.engine,
            asking.org_id,
            asked.run,
            may_follow=partial(asking.may_follow, asked.run.id),
        )
    else:
        response = await _whole(asking, asked, patience_s)
    response.headers["Location"] = f"{RUNS_PATH}/{asked.run.id}"
    return response


async def _whole(asking: Asking, asked: Asked, patience_s: float) -> Response:
    answered = await asking.wait(asked, patience_s) if patience_s else None
    if answered is None:
        return pending(asked.run)
    if answered.run.state is RunState.FAILED:
        return _problem(answered.run)
    return model_response(_shown(answered), status.HTTP_200_OK)


def pending(run: Run) -> Response:
    """Answer that a run goes on, and when to look again."""
    response = model_response(RunResponse.model_validate(run), status.HTTP_202_ACCEPTED)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _problem(run: Run) -> Response:
    """Answer with the problem that a run ended in."""
    problem = run.error or {"status": 500}
    response = JSONResponse(problem, problem["status"], media_type=MEDIA_TYPE)
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
