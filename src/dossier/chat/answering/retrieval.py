"""Retrieval: the passages of one answer, under the numbers that it cites them by."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from dossier.chat.answering.events import (
    SEARCH_STARTED,
    SEARCHED,
    SEARCHING,
    Replay,
)
from dossier.chat.rules.claims import Quote
from dossier.chat.rules.prompt_injection import injections_in
from dossier.chat.rules.prompting import PromptPassage
from dossier.chat.rules.questions import question_before
from dossier.chat.types import AnswerContext, AnswerScope
from dossier.jobs.context import JobContext
from dossier.knowledge.constants import MAX_QUESTION_CHARACTERS
from dossier.knowledge.extraction import Extraction, QuotablePassage, extract
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import (
    SearchHit,
    SearchQuery,
    SearchResult,
)

Emit = Callable[[str, Mapping[str, Any]], int]
"""Appends an event to the job's log and returns its number."""

MAX_PASSAGES = 8
FROM_ATTACHMENTS = 5
"""Of these, the most from the messages' attachments; they come first."""
FROM_SHORT = 4
"""Of these, the first that a short question finds by itself."""


_NAMED = (
    "number",
    "chunk_id",
    "document_id",
    "filename",
    "page",
    "label",
    "kind",
    "is_partly_read",
    "is_draft",
    "score",
)


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """One passage under the number that it is cited by."""

    number: int
    chunk_id: str
    document_id: str
    filename: str
    page: int
    label: str
    kind: str
    text: str
    context: str
    is_partly_read: bool
    is_draft: bool
    score: float
    places: list[dict[str, Any]] = field(repr=False)

    @classmethod
    def of(cls, number: int, hit: SearchHit, score: float | None = None) -> Self:
        """Return a hit under a number."""
        return cls(
            number=number,
            chunk_id=str(hit.chunk_id),
            document_id=str(hit.document_id),
            filename=hit.filename,
            page=hit.page,
            label=hit.label,
            kind=hit.kind,
            text=hit.text,
            context=hit.context,
            is_partly_read=hit.is_partly_read,
            is_draft=hit.is_draft,
            score=round(float(hit.score if score is None else score), 4),
            places=[
                {name: place[name] for name in ("page", "label", "start", "end")}
                for place in hit.places
            ],
        )

    def named(self) -> dict[str, Any]:
        """Return what identifies it, without its text."""
        return {name: getattr(self, name) for name in _NAMED}

    def citation(self, quote: Quote) -> dict[str, Any]:
        """Return a quote of this passage as messages keep it.

        `start` and `end` are offsets in the text of its page.
        """
        page, label, start = self._place_of(quote.start)
        end = self._place_of(quote.end - 1)[2] + 1
        return {
            "type": "file_citation",
            "number": self.number,
            "chunk_id": self.chunk_id,
            "document_id": self.document_id,
            "filename": self.filename,
            "page": page,
            "label": label,
            "quote": quote.text,
            "start": start,
            "end": end,
            "is_partly_read": self.is_partly_read,
            "is_draft": self.is_draft,
        }

    def _place_of(self, offset: int) -> tuple[int, str, int]:
        """Return page, label and offset there of a character of the passage.

        Its pieces stand one after the other, each as long as in its document.
        """
        at = 0
        for place in self.places:
            length = place["end"] - place["start"]
            if offset <= at + length:
                return place["page"], place["label"], place["start"] + offset - at
            at += length + 1
        return self.page, self.label, offset


@dataclass(frozen=True, slots=True)
class RetrievedPassages:
    """What was found for a question."""

    passages: tuple[CitedPassage, ...]
    idf: dict[str, float]
    corpus_version: int
    mode: str
    not_ready: list[dict[str, str]]

    def as_event(self) -> dict[str, Any]:
        """Return the data of the event that names them.

        It holds no text: the event log outlives the documents.
        """
        return {
            "results": [each.named() for each in self.passages],
            "term_weights": self.idf,
            "corpus_version": self.corpus_version,
            "mode": self.mode,
            "not_ready": self.not_ready,
        }

    @classmethod
    def from_event(
        cls, data: Mapping[str, Any], hits: Iterable[SearchHit]
    ) -> Self | None:
        """Return what an earlier attempt found; `None` where some of it is gone."""
        by_id = {str(hit.chunk_id): hit for hit in hits}
        named = data["results"]
        if any(each["chunk_id"] not in by_id for each in named):
            return None
        return cls(
            passages=tuple(
                CitedPassage.of(each["number"], by_id[each["chunk_id"]], each["score"])
                for each in named
            ),
            idf=dict(data["term_weights"]),
            corpus_version=data["corpus_version"],
            mode=data["mode"],
            not_ready=list(data["not_ready"]),
        )

    def for_prompt(self) -> list[PromptPassage]:
        """Return the passages for a prompt."""
        return [
            PromptPassage(each.number, each.filename, each.label, each.text)
            for each in self.passages
        ]

    def numbered(self) -> dict[int, CitedPassage]:
        """Return the passages by their numbers."""
        return {each.number: each for each in self.passages}

    def extraction(self, question: str) -> Extraction:
        """Return the sentences that answer, verbatim."""
        passages = [
            QuotablePassage(
                each.text,
                each.context,
                is_table=each.kind == "table",
                is_draft=each.is_draft,
                barred=tuple(injections_in(each.text)),
            )
            for each in self.passages
        ]
        return extract(question, passages, self.idf)


async def retrieve(
    searcher: SearchService, ctx: JobContext, context: AnswerContext, earlier: Replay
) -> tuple[RetrievedPassages, Replay]:
    """Return the passages of an earlier attempt, or search, with what still counts.

    Emits the events of a file search call. Where passages of an earlier attempt are
    gone or not in its log, its text is dropped, and with `run.restarted` before the
    search: a restart after it would drop the new passages as well.
    """
    if earlier.searched is not None:
        ids = [UUID(each["chunk_id"]) for each in earlier.searched["results"]]
        found = RetrievedPassages.from_event(earlier.searched, await searcher.read(ids))
        if found is not None:
            return found, earlier
    if earlier.searched is not None or earlier.added_through:
        ctx.restarted(earlier.announced_through)
        earlier = Replay(announced_through=earlier.announced_through)
    call = {"item_id": f"fs_{ctx.job_id.hex}", "output_index": 0}
    ctx.emit(SEARCH_STARTED, call)
    ctx.emit(SEARCHING, call)
    retrieved = await search(
        searcher,
        context.question,
        context.scope,
        before=question_before(context.question, context.history.turns),
    )
    ctx.emit(SEARCHED, call | retrieved.as_event())
    return retrieved, earlier


async def search(
    searcher: SearchService, question: str, scope: AnswerScope, *, before: str | None
) -> RetrievedPassages:
    """Search the messages' attachments first, then all documents of the room.

    `before` is the question that a short one follows up on: both together are searched
    as well, and fill the places behind what the short one finds by itself.
    """
    results: list[SearchResult] = []
    if scope.attached_ids:
        results.append(await searcher.search(_query(question, scope, attached=True)))
    last = await searcher.search(_query(question, scope, attached=False))
    results.append(last)
    found = [each.hits for each in results]
    if before is not None:
        both = _query(f"{question}\n{before}", scope, attached=False)
        joint = await searcher.search(both)
        found[-1] = last.hits[:FROM_SHORT]
        found += [joint.hits, last.hits[FROM_SHORT:]]
        results.append(joint)
    unique: dict[UUID, SearchHit] = {}
    for hits in found:
        for hit in hits:
            unique.setdefault(hit.chunk_id, hit)
    best = list(unique.values())[:MAX_PASSAGES]
    not_ready = {
        str(one.document_id): {
            "document_id": str(one.document_id),
            "filename": one.filename,
            "state": one.state,
        }
        for result in results
        for one in result.not_ready
    }
    return RetrievedPassages(
        passages=tuple(CitedPassage.of(n, hit) for n, hit in enumerate(best, start=1)),
        idf={term: weight for each in results for term, weight in each.idf.items()},
        corpus_version=last.corpus_version,
        mode=last.mode,
        not_ready=list(not_ready.values()),
    )


def _query(question: str, scope: AnswerScope, *, attached: bool) -> SearchQuery:
    return SearchQuery(
        text=question[:MAX_QUESTION_CHARACTERS],
        limit=FROM_ATTACHMENTS if attached else MAX_PASSAGES,
        product_id=None if attached else scope.product_id,
        document_ids=scope.attached_ids if attached else None,
    )
