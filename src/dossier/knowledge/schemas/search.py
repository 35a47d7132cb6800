"""A question, its hits, and how clients see them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from dossier.core.schemas import ParagraphText, ResponseModel, ShownText
from dossier.knowledge.rules.fusion import Mode

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 50
MAX_QUESTION_CHARACTERS: Final = 1_000

NotReadyState = Literal["reading", "indexing", "unreadable"]


def _not_blank(text: str) -> str:
    if not text.strip():
        message = "must not be blank"
        raise ValueError(message)
    return text


QuestionText = Annotated[
    ParagraphText,
    StringConstraints(max_length=MAX_QUESTION_CHARACTERS),
    AfterValidator(_not_blank),
]
"""A question as clients may put it."""

_MEDIA_TYPE: Final = r"[A-Za-z0-9][A-Za-z0-9.+-]*/[A-Za-z0-9][A-Za-z0-9.+-]*"
_REQUIREMENT: Final = r"[a-z]{2}-[0-9]{1,2}\.[a-z0-9-]+"
_DOCUMENT_TYPE: Final = re.compile(f"{_MEDIA_TYPE}|{_REQUIREMENT}")


def _type_of_documents(text: str) -> str:
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
    AfterValidator(_type_of_documents),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 100,
            "pattern": f"^({_MEDIA_TYPE}|{_REQUIREMENT})$",
        }
    ),
]
"""A requirement that documents are linked to, or their media type."""


@dataclass(frozen=True, slots=True)
class DocumentScope:
    """Which documents are searched; `None` means any."""

    product_id: UUID | None = None
    item: int | None = None
    document_type: str | None = None
    """A requirement that a document is linked to, or its media type."""
    document_ids: tuple[UUID, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether every document is searched."""
        wanted = (self.product_id, self.item, self.document_type, self.document_ids)
        return all(each is None for each in wanted)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A question, and where to look for what answers it."""

    text: str
    limit: int = DEFAULT_LIMIT
    product_id: UUID | None = None
    item: int | None = None
    document_type: str | None = None
    language: str | None = None
    document_ids: tuple[UUID, ...] | None = None

    @property
    def scope(self) -> DocumentScope:
        """Return which documents are searched."""
        return DocumentScope(
            self.product_id, self.item, self.document_type, self.document_ids
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """What a hit's score is made of; `None` where a part had no say."""

    lexical: float | None = None
    """BM25."""
    dense: float | None = None
    """Cosine of the angle between the question's vector and the passage's."""
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may answer, with its place."""

    chunk_id: UUID
    document_id: UUID
    filename: str
    page: int
    label: str
    kind: str
    text: str
    context: str
    places: Sequence[Mapping[str, Any]]
    language: str
    score: float
    """0 to 1 within one search; never to be compared with another search's."""
    parts: Parts


@dataclass(frozen=True, slots=True)
class CentralPassage:
    """A passage of the central service; it is none of the organisation's papers."""

    title: ShownText
    text: ShownText
    score: float
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class NotReady:
    """A document that a search cannot see yet, or never will."""

    document_id: UUID
    filename: str
    state: NotReadyState


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits, the best first, and how they were found."""

    hits: Sequence[Hit]
    mode: Mode
    why: str | None
    """Why vectors, or a part that settings ask for, were left out."""
    corpus_version: int
    not_ready: Sequence[NotReady]
    idf: Mapping[str, float] = field(default_factory=dict)
    """How telling each term of the question is in this organisation's papers."""
    central: Sequence[CentralPassage] = ()


class PartsResponse(ResponseModel):
    """What a score is made of."""

    lexical: float | None
    dense: float | None
    rerank: float | None


class PlaceResponse(ResponseModel):
    """Where a piece of a passage stands in the text of its document."""

    page: int
    label: ShownText
    start: int
    end: int
    box: list[float] | None


class HitResponse(ResponseModel):
    """A passage, and the stretch of it that speaks of the question."""

    chunk_id: UUID
    document_id: UUID
    filename: str
    page: int
    label: ShownText
    kind: str
    quote: ShownText
    text: ShownText
    places: list[PlaceResponse] = Field(
        description="Where each piece stands in the document's text as it came, with "
        "the signs that nobody sees; `text` and `quote` are without them."
    )
    language: str
    score: float
    parts: PartsResponse


class CentralResponse(ResponseModel):
    """A passage of the central service; it is none of the organisation's papers."""

    title: str
    text: str
    score: float
    reference: str | None


class NotReadyResponse(ResponseModel):
    """A document that a search cannot see yet, or never will."""

    document_id: UUID
    filename: str
    state: NotReadyState


class SearchResponse(ResponseModel):
    """The hits, the best first, and how they were found."""

    query: str
    mode: Mode
    why: str | None
    corpus_version: int
    took_ms: float
    items: list[HitResponse]
    central: list[CentralResponse]
    not_ready: list[NotReadyResponse]
