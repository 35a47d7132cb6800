"""Documents as clients see them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from dossier.core.schemas import ResponseModel
from dossier.documents.constants import TextState
from dossier.documents.models import Document
from dossier.jobs.models import Job


class BilingualMessageResponse(ResponseModel):
    """One sentence in both languages."""

    zh: str
    en: str


class ReadingWarningResponse(ResponseModel):
    """What was left out of a text, or not read; `is_gap` marks what was not read."""

    code: str
    message: BilingualMessageResponse
    place: str | None
    is_gap: bool


class DocumentResponse(ResponseModel):
    """One document; `unreadable_reason` says why it has no text, or not all of it."""

    id: UUID
    created_at: datetime
    sha256: str
    filename: str
    media_type: str
    is_misnamed: bool
    size_bytes: int
    uploaded_by: UUID | None
    text_state: TextState
    unreadable_reason: str | None
    unreadable_detail: str | None
    reading_warnings: list[ReadingWarningResponse]
    page_count: int | None
    encoding: str | None
    archived_at: datetime | None


class UploadResponse(DocumentResponse):
    """The uploaded document; `duplicate` for bytes that were there already."""

    duplicate: bool
    job_id: UUID | None

    @classmethod
    def of(cls, document: Document, job: Job | None) -> Self:
        """Combine the document with the job that reads it."""
        shown = DocumentResponse.model_validate(document).model_dump()
        return cls(**shown, duplicate=job is None, job_id=job.id if job else None)


class TextPartResponse(ResponseModel):
    """One page, sheet or stretch of a document's text."""

    position: int
    label: str
    text: str
    has_text_layer: bool


class TextPageResponse(ResponseModel):
    """Some parts; ask again with `next_cursor` until it is null."""

    items: list[TextPartResponse]
    next_cursor: str | None
