"""Runs as clients of chat see them: the jobs that answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from dossier.core.schemas import ResponseModel
from dossier.jobs.constants import JobState


def _shown(state: object) -> object:
    return "completed" if state == JobState.DONE else state


RunState = Annotated[
    Literal[
        "pending",
        "processing",
        "waiting",
        "completed",
        "failed",
        "cancelling",
        "cancelled",
    ],
    BeforeValidator(_shown),
]
"""The state of a job, where `done` is called `completed`."""


class RunResponse(ResponseModel):
    """One run; a failed one carries its problem document in `error`."""

    id: UUID
    kind: str = Field(examples=["chat.answer"])
    subject_id: UUID | None
    state: RunState
    attempts: int
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
