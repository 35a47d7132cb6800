"""Questions and passages as clients send and see them."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from dossier.core.schemas import ParagraphText, ResponseModel, ShownText
from dossier.knowledge.constants import (
    MAX_QUESTION_CHARACTERS,
    ChunkKind,
    NotReadyState,
    SearchMode,
)


def _not_blank(text: str) -> str:
    if not text.strip():
        message = "must not be blank"
        raise ValueError(message)
    return text


QuestionText = Annotated[
    ParagraphText,
    StringConstraints(min_length=1, max_length=MAX_QUESTION_CHARACTERS),
    AfterValidator(_not_blank),
]
"""A question as clients may put it."""

_MEDIA_TYPE: Final = r"[A-Za-z0-9][A-Za-z0-9.+-]*/[A-Za-z0-9][A-Za-z0-9.+-]*"
_REQUIREMENT: Final = r"[a-z]{2}-[0-9]{1,2}\.[a-z0-9-]+"
_DOCUMENT_TYPE: Final = re.compile(f"{_MEDIA_TYPE}|{_REQUIREMENT}")


def _document_type(text: str) -> str:
    if not _DOCUMENT_TYPE.fullmatch(text):
        message = (
            "must be a media type, such as `application/pdf`, "
            "or a requirement, such as `tw-11.stability`"
        )
        raise ValueError(message)
    return text


DocumentType = Annotated[
    str,
    StringConstraints(max_length=100),
    AfterValidator(_document_type),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 100,
            "pattern": f"^({_MEDIA_TYPE}|{_REQUIREMENT})$",
        }
    ),
]
"""A requirement that documents are linked to, or their media type."""


class PartsResponse(ResponseModel):
    """The components of a score."""

    lexical: float | None
    dense: float | None
    rerank: float | None


class PlaceResponse(ResponseModel):
    """Position of a piece of a passage in the text of its document."""

    page: int
    label: ShownText
    start: int
    end: int
    box: list[float] | None


class HitResponse(ResponseModel):
    """A passage that was found, and the part of it that matches best (`quote`)."""

    chunk_id: UUID
    document_id: UUID
    filename: str
    page: int
    label: ShownText
    kind: str
    quote: ShownText
    text: ShownText
    places: list[PlaceResponse] = Field(
        description="Position of each piece in the document's stored text. Offsets "
        "count invisible characters, which `text` and `quote` leave out."
    )
    language: str
    is_partly_read: bool = Field(
        description="Other parts of this document could not be read: what it says "
        "there is not searched."
    )
    is_draft: bool = Field(description="The document calls itself a draft or unsigned.")
    score: float
    parts: PartsResponse


class CentralResponse(ResponseModel):
    """A passage of the central service; it is in no document of the organisation."""

    title: str
    text: str
    score: float
    reference: str | None


class NotReadyResponse(ResponseModel):
    """A document whose text is not searched, or not all of it."""

    document_id: UUID
    filename: str
    state: NotReadyState = Field(
        description="`reading` and `indexing`: not searchable yet; `unreadable`: it "
        "cannot be read; `read_partly`: only what could be read of it is searched."
    )


class SearchResponse(ResponseModel):
    """The hits, the best first, and how they were found."""

    query: str
    mode: SearchMode
    why: str | None
    corpus_version: int
    took_ms: float
    items: list[HitResponse]
    central: list[CentralResponse]
    not_ready: list[NotReadyResponse]


class ChunkResponse(ResponseModel):
    """One passage: its pieces, one a line, without invisible characters."""

    id: UUID
    document_id: UUID
    position: int
    page: int
    label: ShownText
    kind: ChunkKind
    text: ShownText
    places: list[dict[str, Any]] = Field(
        description="Position of each piece in the document's text: `page` (position "
        "of the part), `label`, `start` and `end` in characters, `box`; `repeated` "
        "for a table's header above further rows."
    )
    language: str


class ChunkPageResponse(ResponseModel):
    """Some passages; ask again with `next_cursor` until it is null."""

    items: list[ChunkResponse]
    next_cursor: str | None
