"""Documents in memory, searched by shared terms instead of an index."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from typing_extensions import override

from dossier.core.tenancy import Actor
from dossier.knowledge.rules.analyser import terms
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import (
    NotReady,
    ScoreParts,
    SearchHit,
    SearchQuery,
    SearchResult,
)

SPACE = UUID("018f0000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """One passage of one document."""

    filename: str
    text: str
    page: int = 1
    product_id: UUID | None = None
    is_partly_read: bool = False
    is_draft: bool = False

    @property
    def document_id(self) -> UUID:
        return uuid5(SPACE, self.filename)

    def hit(self, score: float) -> SearchHit:
        place = {"page": self.page, "label": "", "start": 100, "end": 0, "box": None}
        place["end"] = 100 + len(self.text)
        return SearchHit(
            chunk_id=uuid5(self.document_id, self.text),
            document_id=self.document_id,
            filename=self.filename,
            page=self.page,
            label="",
            kind="text",
            text=self.text,
            context=self.filename,
            places=[place],
            language="en",
            is_partly_read=self.is_partly_read,
            is_draft=self.is_draft,
            score=score,
            parts=ScoreParts(lexical=score),
        )


@dataclass
class InMemoryDocuments:
    """The passages of each organisation."""

    passages: dict[UUID, list[StoredPassage]] = field(default_factory=dict)
    not_ready: list[NotReady] = field(default_factory=list)
    queries: list[SearchQuery] = field(default_factory=list)
    version: int = 1

    def add(self, org_id: UUID, *passages: StoredPassage) -> None:
        """Add passages; the corpus has another version from then on."""
        self.passages.setdefault(org_id, []).extend(passages)
        self.version += 1

    def searcher_of(self, actor: Actor) -> "InMemorySearch":
        """Return the search in an actor's organisation."""
        return InMemorySearch(self, actor)


class InMemorySearch(SearchService):
    """Finds passages without a database."""

    def __init__(self, documents: InMemoryDocuments, actor: Actor) -> None:
        self._documents = documents
        self._found = documents.passages.get(actor.org_id, [])

    @override
    async def search(self, query: SearchQuery) -> SearchResult:
        """Return the passages that share terms with the question."""
        self._documents.queries.append(query)
        wanted = set(terms(query.text))
        found = self._found
        if query.product_id is not None:
            found = [each for each in found if each.product_id == query.product_id]
        if query.document_ids is not None:
            found = [each for each in found if each.document_id in query.document_ids]
        scored = [(len(wanted & set(terms(each.text))), each) for each in found]
        scored.sort(key=lambda pair: -pair[0])
        hits = [passage.hit(score) for score, passage in scored if score]
        return SearchResult(
            hits=hits[: query.limit],
            mode="lexical",
            why=None,
            corpus_version=self._documents.version,
            not_ready=self._documents.not_ready,
            idf=dict.fromkeys(sorted(wanted), 1.0),
        )

    @override
    async def corpus_version(self) -> int:
        """Return the version of the documents."""
        return self._documents.version

    @override
    async def read(self, chunk_ids: Sequence[UUID]) -> list[SearchHit]:
        """Return the passages of these ids."""
        hits = [passage.hit(0) for passage in self._found]
        return [hit for hit in hits if hit.chunk_id in chunk_ids]
