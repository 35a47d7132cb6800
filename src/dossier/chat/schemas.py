"""Chat as clients send and see it: people, rooms, messages, answers, runs."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic.config import JsonDict

from dossier.ai.schemas import Degraded
from dossier.chat.constants import MemberRole, MessageState, Rating, RoomKind, ShareKind
from dossier.chat.models import ChatMember, ChatProfile, ChatShare
from dossier.chat.rules.messages import is_blank
from dossier.core.schemas import (
    LineText,
    ParagraphText,
    PartialModel,
    RequestModel,
    ResponseModel,
)
from dossier.jobs.constants import JobState


def _seen(text: str) -> str:
    if is_blank(text):
        message = "must have a character that can be seen"
        raise ValueError(message)
    return text


Name = Annotated[
    LineText,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    AfterValidator(_seen),
]
ChatLine = Annotated[
    LineText,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_seen),
]
ChatParagraph = Annotated[
    ParagraphText,
    StringConstraints(min_length=1, max_length=4000, strip_whitespace=True),
]
LanguageTag = Annotated[
    str,
    StringConstraints(
        max_length=16, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$"
    ),
]
"""A language tag such as `zh-TW`."""

# Strict: a union would coerce a long text of digits to a number. PostgreSQL's JSON and
# JavaScript keep integers of 53 bits exactly.
Preference = (
    StrictBool | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)] | ChatLine
)
PreferenceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class ProfileUpdate(PartialModel):
    """Change the fields of the caller's own profile that are sent."""

    display_name: ChatLine = Field(default="", examples=["Mei"])
    language: LanguageTag | None = None
    preferences: dict[PreferenceName, Preference] = Field(
        default_factory=dict, max_length=50
    )


class ProfileResponse(ResponseModel):
    """How one appears in chat."""

    id: UUID
    user_id: UUID | None
    display_name: str
    language: str | None
    preferences: dict[str, bool | int | str]
    created_at: datetime


class VirtualUserCreate(RequestModel):
    """A virtual user of the caller."""

    name: Name = Field(examples=["Dr. Lin"])
    personality: ChatParagraph | None = None
    tone: ChatLine | None = None
    knowledge_areas: list[ChatLine] = Field(default_factory=list, max_length=20)
    backstory: ChatParagraph | None = None
    language: LanguageTag | None = None


class VirtualUserUpdate(PartialModel, VirtualUserCreate):
    """Change the fields of the caller's own virtual user that are sent."""

    name: Name = Field(default="", examples=["Dr. Lin"])


class VirtualUserResponse(ResponseModel):
    """A persona as its owner sees it."""

    id: UUID
    name: str
    personality: str | None
    tone: str | None
    knowledge_areas: list[str]
    backstory: str | None
    language: str | None
    is_default: bool
    created_at: datetime


class RoomPersonaResponse(ResponseModel):
    """A persona as the others in a room see it."""

    id: UUID
    name: str
    is_default: bool


class RoomPersonaList(ResponseModel):
    """The virtual users in a room, in the order of joining."""

    items: list[RoomPersonaResponse]


class RoomCreate(RequestModel):
    """A new room; with a product, answers read only that product's documents."""

    kind: RoomKind = RoomKind.PRIVATE
    title: ChatLine = Field(examples=["Rose cream"])
    product_id: UUID | None = None


class RoomUpdate(PartialModel):
    """Change the fields of the caller's own room that are sent."""

    title: ChatLine = ""
    product_id: UUID | None = None
    is_archived: bool = False


class RoomResponse(ResponseModel):
    """A room where one is a member."""

    id: UUID
    kind: RoomKind
    title: str
    product_id: UUID | None
    created_at: datetime
    active_at: datetime
    archived_at: datetime | None
    branched_from_id: UUID | None


class MemberCreate(RequestModel):
    """A colleague to be added."""

    user_id: UUID


class MemberResponse(ResponseModel):
    """A person in a room."""

    user_id: UUID | None
    display_name: str
    role: MemberRole
    joined_at: datetime

    @classmethod
    def of(cls, member: ChatMember, profile: ChatProfile) -> Self:
        """Join the membership with the person."""
        return cls(
            user_id=profile.user_id,
            display_name=profile.display_name,
            role=MemberRole(member.role),
            joined_at=member.created_at,
        )


class MemberList(ResponseModel):
    """The people in a room, in the order of joining."""

    items: list[MemberResponse]


class ShareCreate(RequestModel):
    """A link to the conversation so far, or to one message and its question."""

    message_id: UUID | None = None
    expires_in_days: int | None = Field(None, ge=1, le=365, strict=True)


class ShareResponse(ResponseModel):
    """A link; its token is shown once, when it is made."""

    id: UUID
    room_id: UUID
    message_id: UUID
    kind: ShareKind
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class ShareList(ResponseModel):
    """The links of a room, the newest first."""

    items: list[ShareResponse]


class OrganisationShare(ShareResponse):
    """A link that has not ended, and who made it."""

    made_by: str

    @classmethod
    def of(cls, share: ChatShare, maker: str) -> Self:
        """Join the link with its maker's name."""
        shown = ShareResponse.model_validate(share).model_dump()
        return cls(**shown, made_by=maker)


class OrganisationShareList(ResponseModel):
    """The links of an organisation that have not ended, the newest first."""

    items: list[OrganisationShare]


class ShareMade(ShareResponse):
    """A new link with its token."""

    token: str
    url: str

    @classmethod
    def of(cls, share: ChatShare, token: str, url: str) -> Self:
        """Join the link with what opens it."""
        shown = ShareResponse.model_validate(share).model_dump()
        return cls(**shown, token=token, url=url)


MAX_ATTACHMENTS = 20
NOT_EMPTY: JsonDict = {"minLength": 1}
"""Declared for clients; the service refuses an empty text with a problem of its own."""

MessageText = Annotated[
    ParagraphText,
    Field(json_schema_extra=NOT_EMPTY, examples=["Which preservative is it?"]),
]
"""The text of a message; the service checks its length."""


class MessageCreate(RequestModel):
    """A message; at the end of the branch, unless a parent is named."""

    text: MessageText
    parent_id: UUID | None = None
    document_ids: list[UUID] = Field(default_factory=list, max_length=MAX_ATTACHMENTS)


class MessageUpdate(RequestModel):
    """A new text for a message."""

    text: MessageText


class SharedSender(ResponseModel):
    """The sender of a message by name alone: a person or a virtual user."""

    kind: Literal["user", "virtual_user"]
    name: str


class SenderResponse(SharedSender):
    """The sender of a message: a person or a virtual user."""

    user_id: UUID | None
    virtual_user_id: UUID | None


class AttachmentResponse(ResponseModel):
    """A document that is attached to a message."""

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
    """One message; a deleted one keeps its place without its text."""

    room_id: UUID
    sender: SenderResponse
    run_id: UUID | None
    my_rating: Rating | None


class MessagePageResponse(ResponseModel):
    """A branch, its end first; ask again with `next_cursor` until it is null."""

    items: list[MessageResponse]
    next_cursor: UUID | None


class BranchResponse(ResponseModel):
    """One version of a message; `leaf_id` is the end of the branch behind it."""

    message: MessageResponse
    leaf_id: UUID


class BranchList(ResponseModel):
    """The versions of a message, the oldest first."""

    items: list[BranchResponse]


class BranchCreate(RequestModel):
    """A room for a branch; it has the title of the first, unless one is given."""

    title: ChatLine | None = None


class FeedbackPut(RequestModel):
    """A rating of a message."""

    rating: Rating
    comment: ChatParagraph | None = None


class FeedbackResponse(ResponseModel):
    """The caller's rating of a message."""

    message_id: UUID
    rating: Rating
    comment: str | None
    updated_at: datetime


class SharedCitation(ResponseModel):
    """A quote, where it stands, and where its mark stands in the message's text."""

    number: int | None
    mark_start: int | None
    mark_end: int | None
    filename: str | None
    page: int | None
    label: str | None
    quote: str | None


class SharedMessage(ResponseModel):
    """One message as the holder of a link sees it."""

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


AnswerEngine = Literal["auto", "model", "extractive"]
Grounding = Literal["papers", "none"]


class RegenerateRequest(RequestModel):
    """Options of a new answer; null: those of the answer that it replaces."""

    engine: AnswerEngine | None = None
    grounding: Grounding | None = None
    stream: bool = False


class ChatRequest(RequestModel):
    """A question; without a room it opens a private one."""

    engine: AnswerEngine = "auto"
    """`auto`: a model where there is one, else the documents' own sentences."""
    grounding: Grounding = "papers"
    """`none`: answer without documents; needs a model."""
    stream: bool = False
    message: Annotated[
        ParagraphText,
        Field(json_schema_extra=NOT_EMPTY, examples=["What is the shelf life?"]),
    ]
    chat_room_id: UUID | None = None
    product_id: UUID | None = Field(
        default=None,
        description="The new room's product: only its documents are read. Not together "
        "with `chat_room_id`, whose room has its own.",
    )
    virtual_user_id: UUID | None = None
    document_ids: list[UUID] = Field(default_factory=list, max_length=MAX_ATTACHMENTS)

    @model_validator(mode="after")
    def _has_room_or_product(self) -> Self:
        if self.chat_room_id is not None and self.product_id is not None:
            message = "send `product_id` or `chat_room_id`, not both"
            raise ValueError(message)
        return self


class VirtualUserName(ResponseModel):
    """Who answered."""

    id: UUID
    name: str


class CitationResponse(ResponseModel):
    """A verbatim quote; `start` and `end` are offsets in the text of its page.

    `mark_start` and `mark_end` are those of its mark `[number]` in the answer, in
    characters (code points); null in answers of earlier versions.
    """

    number: int
    document_id: UUID
    filename: str
    page: int
    label: str
    quote: str
    start: int
    end: int
    mark_start: int | None = None
    mark_end: int | None = None
    is_partly_read: bool = Field(
        default=False,
        description="Other parts of this document could not be read when the answer "
        "was written.",
    )
    is_draft: bool = Field(
        default=False,
        description="The document called itself a draft or unsigned when the answer "
        "was written.",
    )


class LabelResponse(ResponseModel):
    """How an answer was made."""

    engine: str
    model: str | None
    prompt_hash: str | None
    parser: str | None
    ruleset: str | None
    network: bool
    at: datetime
    from_cache: bool
    degraded: Degraded | None


class NotReadyDocument(ResponseModel):
    """A document whose text was not searched, or not all of it."""

    document_id: UUID
    filename: str
    state: str = Field(
        description="`reading` and `indexing`: not searchable yet; `unreadable`: it "
        "cannot be read; `read_partly`: only what could be read of it was searched."
    )


class SimilarQuestion(ResponseModel):
    """An earlier question of the caller; its answer may not hold now."""

    question: str
    message_id: UUID


class ChatResponse(ResponseModel):
    """An answer; its citations say where their marks `[n]` stand in the text.

    Only these are citations: any other bracket is a document's or a person's own.
    """

    chat_room_id: UUID
    user_message_id: UUID
    ai_message_id: UUID
    ai_response: str
    state: str
    virtual_user: VirtualUserName
    citations: list[CitationResponse]
    dropped_claims: int
    engine: LabelResponse | None
    run_id: UUID
    not_ready: list[NotReadyDocument]
    similar: SimilarQuestion | None


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
    BeforeValidator(lambda state: "completed" if state == JobState.DONE else state),
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
