"""Messages as clients send and see them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from dossier.chat.constants import MessageState, Rating, ShareKind
from dossier.chat.schemas.people import Line, Paragraph
from dossier.core.schemas import ParagraphText, RequestModel, ResponseModel

MAX_ATTACHMENTS = 20

MessageText = Annotated[ParagraphText, Field(examples=["Which preservative is it?"])]
"""What somebody says; the service knows how long it may be."""


class MessageCreate(RequestModel):
    """Something to say; at the end of the branch, unless a parent is named."""

    text: MessageText
    parent_id: UUID | None = None
    document_ids: list[UUID] = Field(default_factory=list, max_length=MAX_ATTACHMENTS)


class MessageUpdate(RequestModel):
    """The same in other words."""

    text: MessageText


class SharedSender(ResponseModel):
    """Who said something, by name alone: a person or a virtual user."""

    kind: Literal["user", "virtual_user"]
    name: str


class SenderResponse(SharedSender):
    """Who said something: a person or a virtual user."""

    user_id: UUID | None
    virtual_user_id: UUID | None


class AttachmentResponse(ResponseModel):
    """A document that was sent along."""

    document_id: UUID
    filename: str


class ExportedMessage(ResponseModel):
    """One message as it is written down; a deleted one keeps its place, wordless."""

    id: UUID
    parent_id: UUID | None
    created_at: datetime
    sender: SharedSender
    text: str
    state: MessageState
    citations: list[dict[str, Any]]
    engine: dict[str, Any] | None
    dropped_claims: int
    version: int
    supersedes_id: UUID | None
    edited_at: datetime | None
    deleted_at: datetime | None
    attachments: list[AttachmentResponse]


class MessageResponse(ExportedMessage):
    """One message; a deleted one keeps its place without its words."""

    room_id: UUID
    sender: SenderResponse
    run_id: UUID | None
    my_rating: Rating | None


class MessagePageResponse(ResponseModel):
    """A branch, its end first; ask again with `next_cursor` until it is null."""

    items: list[MessageResponse]
    next_cursor: UUID | None


class BranchResponse(ResponseModel):
    """One version of a message; `leaf_id` shows what was said after it."""

    message: MessageResponse
    leaf_id: UUID


class BranchList(ResponseModel):
    """The versions of a message, the oldest first."""

    items: list[BranchResponse]


class BranchCreate(RequestModel):
    """A room to go on in; it has the title of the first, unless one is given."""

    title: Line | None = None


class FeedbackPut(RequestModel):
    """What one thinks of a message."""

    rating: Rating
    comment: Paragraph | None = None


class FeedbackResponse(ResponseModel):
    """What one said of a message."""

    message_id: UUID
    rating: Rating
    comment: str | None
    updated_at: datetime


class SharedCitation(ResponseModel):
    """A quote and where it stands."""

    number: int | None
    filename: str | None
    page: int | None
    label: str | None
    quote: str | None


class SharedMessage(ResponseModel):
    """One message as strangers see it."""

    sender: SharedSender
    text: str
    created_at: datetime
    citations: list[SharedCitation]


class SharedResponse(ResponseModel):
    """What a link shows."""

    title: str
    kind: ShareKind
    expires_at: datetime
    messages: list[SharedMessage]


class ExportedRoom(ResponseModel):
    """A room written down, with all its branches."""

    id: UUID
    title: str
    created_at: datetime
    product_id: UUID | None
    messages: list[ExportedMessage]
