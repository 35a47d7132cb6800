"""Runs as clients see them, and what lists are narrowed by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import ResponseModel
from dossier.runs.constants import RunState


@dataclass(frozen=True, slots=True)
class RunFilters:
    """Which runs a list shows; what is `None` does not narrow it."""

    kind: str | None = None
    subject_id: UUID | None = None
    state: RunState | None = None


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
