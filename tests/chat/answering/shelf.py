"""Papers in memory, searched by shared terms: what answers need of a search."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from dossier.core.tenancy import Actor
from dossier.knowledge.rules.analyser import terms
from dossier.knowledge.types import (
    NotReady,
    ScoreParts,
    SearchHit,
    SearchQuery,
    SearchResult,
)

SPACE = UUID("018f0000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class Paper:
    """One passage of one document."""

    filename: str
    text: str
    page: int = 1
    product_id: UUID | None = None

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
            score=score,
            parts=ScoreParts(lexical=score),
        )


@dataclass
class Shelf:
    """The papers of each organisation."""

    papers: dict[UUID, list[Paper]] = field(default_factory=dict)
    late: list[NotReady] = field(default_factory=list)
    asked: list[SearchQuery] = field(default_factory=list)
    version: int = 1

    def put(self, org_id: UUID, *papers: Paper) -> None:
        """Add papers; the corpus is another one from then on."""
        self.papers.setdefault(org_id, []).extend(papers)
        self.version += 1

    def searcher_of(self, actor: Actor) -> "ShelfSearcher":
        """Return what searches the papers of an actor's organisation."""
        return ShelfSearcher(self, actor)


@dataclass(frozen=True, slots=True)
class ShelfSearcher:
    """Satisfies the port of answers."""

    shelf: Shelf
    actor: Actor

    async def search(self, query: SearchQuery) -> SearchResult:
        """Return the papers that share terms with the question."""
        self.shelf.asked.append(query)
        wanted = set(terms(query.text))
        papers = self._papers(query)
        scored = [(len(wanted & set(terms(p.text))), p) for p in papers]
        scored.sort(key=lambda pair: -pair[0])
        return SearchResult(
            hits=self._hits(scored, query.limit),
            mode="lexical",
            why=None,
            corpus_version=self.shelf.version,
            not_ready=self.shelf.late,
            idf=dict.fromkeys(wanted, 1.0),
        )

    async def read(self, chunk_ids: Sequence[UUID]) -> list[SearchHit]:
        """Return the papers of these ids."""
        papers = self.shelf.papers.get(self.actor.org_id, [])
        hits = [paper.hit(0) for paper in papers]
        return [hit for hit in hits if hit.chunk_id in chunk_ids]

    def _papers(self, query: SearchQuery) -> list[Paper]:
        found = self.shelf.papers.get(self.actor.org_id, [])
        if query.product_id is not None:
            found = [p for p in found if p.product_id == query.product_id]
        if query.document_ids is not None:
            found = [p for p in found if p.document_id in query.document_ids]
        return found

    def _hits(self, scored: Sequence[tuple[int, Paper]], limit: int) -> list[SearchHit]:
        return [paper.hit(score) for score, paper in scored if score][:limit]
