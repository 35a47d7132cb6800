"""Asking: one call that answers, streams, or names the run that will."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from dossier.chat.dependencies.answers import Answers, Responses
from dossier.chat.schemas.chat import ChatRequest, ChatResponse, RegenerateRequest
from dossier.chat.service.answers import Question
from dossier.chat.types import AnswerOptions
from dossier.runs.schemas import RunResponse

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
async def chat(body: ChatRequest, answers: Answers, responses: Responses) -> Response:
    """Ask something; the answer cites document, page and words.

    Without a room it opens a private one. A failure of the model is answered as a
    problem; the question stays, and `regenerate` answers it anew.
    """
    asked = await answers.ask(
        Question(
            message=body.message,
            room_id=body.chat_room_id,
            virtual_user_id=body.virtual_user_id,
            document_ids=tuple(body.document_ids),
            options=AnswerOptions(body.engine, body.grounding),
        )
    )
    return responses.answer(asked, is_streamed=body.stream)


@router.post(
    "/messages/{message_id}/regenerate", response_model=ChatResponse, responses=ANSWERS
)
async def regenerate(
    message_id: UUID,
    answers: Answers,
    responses: Responses,
    body: RegenerateRequest | None = None,
) -> Response:
    """Answer a question anew; the earlier answer stays beside it.

    What is not named is as it was for the answer that this one replaces.
    """
    wanted = body or RegenerateRequest()
    asked = await answers.regenerate(message_id, wanted.engine, wanted.grounding)
    return responses.answer(asked, is_streamed=wanted.stream)
