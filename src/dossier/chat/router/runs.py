"""Runs that answer: how far they are, their events, stopping them."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from dossier.chat.dependencies.answers import Responses, Runs
from dossier.chat.schemas.runs import RunResponse
from dossier.jobs.models import Job
from dossier.jobs.responses import StartingAfter

router = APIRouter(prefix="/chat/runs/{chat_run_id}", tags=["chat"])

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "Stored events, then those that come, to the end.",
    },
    204: {"description": "Nothing more will come."},
}


@router.get("", response_model=RunResponse)
async def get_chat_run(chat_run_id: UUID, runs: Runs) -> Job:
    """Show how far an answer is; a failed one carries its problem."""
    return await runs.get_run(chat_run_id)


@router.get("/events", responses=EVENTS, response_class=Response)
async def stream_chat_run(
    chat_run_id: UUID, runs: Runs, responses: Responses, after: StartingAfter
) -> Response:
    """Replay the events after a number, and go on live: no gap, no double."""
    return responses.events(await runs.get_run(chat_run_id), after)


@router.post("/cancel", response_model=RunResponse)
async def cancel_chat_run(chat_run_id: UUID, runs: Runs) -> Job:
    """Stop an answer; what was said of it stays. Asking twice changes nothing."""
    return await runs.cancel(chat_run_id)
