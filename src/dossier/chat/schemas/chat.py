"""Questions as clients send them, and what they are answered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from dossier.ai.schemas import Degraded
from dossier.chat.schemas.messages import MAX_ATTACHMENTS
from dossier.core.schemas import ParagraphText, RequestModel, ResponseModel

Engine = Literal["auto", "model", "extractive"]
Grounding = Literal["papers", "none"]


class RegenerateRequest(RequestModel):
    """How an answer is wanted; null: as the one that it replaces."""

    engine: Engine | None = None
    grounding: Grounding | None = None
    stream: bool = False


class ChatRequest(RequestModel):
    """A question; without a room it opens a private one."""

    engine: Engine = "auto"
    """`auto`: a model where there is one, else the papers' own sentences."""
    grounding: Grounding = "papers"
    """`none`: talk without papers; needs a model."""
    stream: bool = False
    message: Annotated[ParagraphText, Field(examples=["What is the shelf life?"])]
    chat_room_id: UUID | None = None
    virtual_user_id: UUID | None = None
    document_ids: list[UUID] = Field(default_factory=list, max_length=MAX_ATTACHMENTS)


class VirtualUserName(ResponseModel):
    """Who answered."""

    id: UUID
    name: str


class CitationResponse(ResponseModel):
    """A verbatim quote; `start` and `end` are offsets in the text of its page."""

    number: int
    document_id: UUID
    filename: str
    page: int
    label: str
    quote: str
    start: int
    end: int


class LabelResponse(ResponseModel):
    """How an answer came about."""

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
    """A document that could not be searched yet."""

    document_id: UUID
    filename: str
    state: str


class SimilarQuestion(ResponseModel):
    """An earlier question of one's own; what was answered then may not hold now."""

    question: str
    message_id: UUID


class ChatResponse(ResponseModel):
    """An answer; `[n]` in its text is the citation of that number."""

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
