"""Values of knowledge: what is searched and found, and what is indexed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dossier.integrations.llm.types import CallTag, EmbeddingModel
from dossier.integrations.rag.models import RemotePassage
from dossier.knowledge.constants import DEFAULT_HITS, NotReadyState, SearchMode
from dossier.knowledge.models import Chunk
from dossier.knowledge.rules.chunking import Part
from dossier.knowledge.rules.preparing import PreparedPassage

ProbeEmbedder = Callable[
    [EmbeddingModel, CallTag], Awaitable[tuple[int | None, tuple[str, ...]]]
]
"""Returns the size of an embedder's vectors and the languages that it distinguishes;
`None` as the size where it does not answer."""


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
        """Return whether every document is searched."""
        wanted = (self.product_id, self.item, self.document_type, self.document_ids)
        return all(each is None for each in wanted)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A question, and where to look for what answers it."""

    text: str
    limit: int = DEFAULT_HITS
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
class ScoreParts:
    """The components of a hit's score; `None` where one does not apply."""

    lexical: float | None = None
    """BM25."""
    dense: float | None = None
    """Cosine of the angle between the question's vector and the passage's."""
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
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
    is_partly_read: bool
    """Whether other parts of its document could not be read."""
    is_draft: bool
    """Whether its document calls itself a draft or unsigned."""
    score: float
    """0 to 1 within one search; never to be compared with another search's."""
    parts: ScoreParts


@dataclass(frozen=True, slots=True)
class NotReady:
    """A document that is not found yet, cannot be read, or was read partly."""

    document_id: UUID
    filename: str
    state: NotReadyState


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits, the best first, and how they were found."""

    hits: Sequence[SearchHit]
    mode: SearchMode
    why: str | None
    """Why the vectors, the reranker or the central service were left out."""
    corpus_version: int
    not_ready: Sequence[NotReady]
    idf: Mapping[str, float] = field(default_factory=dict)
    """Inverse document frequency of each term of the question."""
    central: Sequence[RemotePassage] = ()
    """Passages of the central service, of no document of the organisation."""


@dataclass(frozen=True, slots=True)
class IndexingInput:
    """What a document's passages are made of, as read at one revision."""

    document_id: UUID
    revision: int
    head: str
    parts: Sequence[Part]
    average_terms: float | None
    """Average length that the organisation's weights are computed with."""


@dataclass(frozen=True, slots=True)
class WeighedPassages:
    """Passages with their weights, ready to be written."""

    passages: Sequence[PreparedPassage]
    rows: Sequence[dict[str, Any]]
    average_terms: float | None


@dataclass(frozen=True, slots=True)
class ChunkPage:
    """Some passages, and the cursor of the next ones."""

    items: Sequence[Chunk]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class UnembeddedChunk:
    """A passage without a vector, and its text to be embedded."""

    id: UUID
    content_sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class ProbedModel:
    """An embedding model as it was probed."""

    model: str
    dimensions: int
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Orphans:
    """How many rows or files of a kind one organisation has without their parent."""

    kind: str
    organisation_id: UUID
    count: int
