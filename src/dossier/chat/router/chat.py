"""Asking: one call that answers, streams, or names the run that will."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from dossier.chat.dependencies.answers import Answers, Responses, WaitS
from dossier.chat.schemas.chat import ChatRequest, ChatResponse, RegenerateRequest
from dossier.chat.schemas.runs import RunResponse
from dossier.chat.types import AnswerOptions

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
async def chat(
    body: ChatRequest, answers: Answers, responses: Responses, wait_s: WaitS
) -> Response:
    """Ask something; the answer cites document, page and words.

    Without a room it opens a private one. A failure of the model is answered as a
    problem; the question stays, and `regenerate` answers it anew.
    """
    asked = await answers.ask(
        body.message,
        AnswerOptions(body.engine, body.grounding),
        room_id=body.chat_room_id,
        virtual_user_id=body.virtual_user_id,
        document_ids=body.document_ids,
    )
    if body.stream:
        return responses.events_of_asked(asked)
    return responses.answer(asked, wait_s)


@router.post(
    "/messages/{message_id}/regenerate", response_model=ChatResponse, responses=ANSWERS
)
async def regenerate(
    message_id: UUID,
    answers: Answers,
    responses: Responses,
    wait_s: WaitS,
    body: RegenerateRequest | None = None,
) -> Response:
    """Answer a question anew; the earlier answer stays beside it.

    What is not named is as it was for the answer that this one replaces.
    """
    wanted = body or RegenerateRequest()
    asked = await answers.regenerate(message_id, wanted.engine, wanted.grounding)
    if wanted.stream:
        return responses.events_of_asked(asked)
    return responses.answer(asked, wait_s)
