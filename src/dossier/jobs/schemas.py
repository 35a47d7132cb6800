"""Jobs as clients see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import ResponseModel
from dossier.jobs.constants import JobState


class ProgressResponse(ResponseModel):
    """Reported progress."""

    done: int
    total: int | None
    unit: str | None
    message: str | None


class JobResponse(ResponseModel):
    """One job; a failed one carries its problem document in `error`."""

    id: UUID
    kind: str = Field(examples=["reports.render"])
    state: JobState
    priority: int
    progress: ProgressResponse | None
    attempts: int
    error: dict[str, Any] | None
    result_path: str | None = Field(description="Where the result can be fetched.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
