"""Answers without a model: do the best sentences answer, and do they fall silent?

The collection says which paragraph answers a question, not which words of it. So three
things are told apart: whether a sentence of that paragraph is among the first three;
whether the words of the answer are, for the questions whose answers were marked by hand
(`drcd_answers.json`: offsets in the paragraph); and what is wrongly answered when the
paragraph is taken away.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from dossier.knowledge.extraction import (
    ANSWER_SHARE,
    CLOSEST_SHARE,
    Extraction,
    Picked,
    QuotablePassage,
    extract,
    ranked_sentences,
)
from dossier.knowledge.rules.evaluation import Collection
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import SearchHit, SearchQuery

PASSAGES = 8
MARKED = Path(__file__).with_name("drcd_answers.json")
THRESHOLDS = (0.25, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: its sentences, with and without the paragraph that answers."""

    present: Extraction
    ranked: Sequence[Picked]
    """The first three sentences, whatever they are worth."""
    absent_share: float
    is_gold: tuple[bool, ...]
    """For each sentence, whether the paragraph that answers holds it."""
    answer: str | None
    """The answer's words, where somebody marked them."""

    def has_answer(self, among: int) -> bool:
        """Tell whether the first sentences hold the answer's words."""
        first = self.ranked[:among]
        return self.answer is not None and any(
            self.answer in picked.sentence.text for picked in first
        )

    def shows_answer(self) -> bool:
        """Tell whether what people see holds the answer's words."""
        return self.answer is not None and any(
            self.answer in picked.sentence.text for picked in self.present.picked
        )


async def measure(
    search: SearchService, collection: Collection, documents: Mapping[UUID, str]
) -> dict[str, Any]:
    """Return the table by which the thresholds were chosen."""
    marked = _marked(collection)
    judged = [
        await _judge(search, collection, documents, id_, marked.get(id_))
        for id_ in collection.questions
    ]
    return _table(judged)


async def _judge(
    search: SearchService,
    collection: Collection,
    documents: Mapping[UUID, str],
    id_: str,
    answer: str | None,
) -> Judged:
    question = collection.questions[id_]
    gold = set(collection.grades[id_])
    result = await search.search(SearchQuery(question, limit=2 * PASSAGES))
    hits = list(result.hits)
    others = [hit for hit in hits if documents[hit.document_id] not in gold]
    present = _extract(question, hits[:PASSAGES], result.idf)
    ranked = ranked_sentences(question, _passages(hits[:PASSAGES]), result.idf)[:3]
    return Judged(
        present=present,
        ranked=ranked,
        absent_share=_extract(question, others[:PASSAGES], result.idf).share,
        is_gold=tuple(
            documents[hits[picked.passage].document_id] in gold for picked in ranked
        ),
        answer=answer,
    )


def _extract(
    question: str, hits: list[SearchHit], idf: Mapping[str, float]
) -> Extraction:
    return extract(question, _passages(hits), idf)


def _passages(hits: list[SearchHit]) -> list[QuotablePassage]:
    return [QuotablePassage(hit.text, hit.context, hit.kind == "table") for hit in hits]


def _marked(collection: Collection) -> dict[str, str]:
    """Return the marked answers of a collection; none, where it is another one."""
    texts = {paper.id: paper.text for paper in collection.documents}
    places: dict[str, list[int]] = json.loads(MARKED.read_text())
    return {
        id_: texts[next(iter(collection.grades[id_]))][start:end]
        for id_, (start, end) in places.items()
        if id_ in collection.grades
    }


def _table(judged: list[Judged]) -> dict[str, Any]:
    marked = [each for each in judged if each.answer is not None]
    return {
        "questions": len(judged),
        "marked": len(marked),
        "gold_paragraph_in_first": _share(judged, lambda j: any(j.is_gold[:1])),
        "gold_paragraph_in_three": _share(judged, lambda j: any(j.is_gold)),
        "marked_answer_in_first": _share(marked, lambda j: j.has_answer(1)),
        "marked_answer_in_three": _share(marked, lambda j: j.has_answer(3)),
        "marked_answer_shown": _share(marked, lambda j: j.shows_answer()),
        "shipped": {"answer": ANSWER_SHARE, "closest": CLOSEST_SHARE},
        "by_threshold": [_row(judged, marked, each) for each in THRESHOLDS],
    }


def _row(judged: list[Judged], marked: list[Judged], at: float) -> dict[str, float]:
    def answers_rightly(one: Judged) -> bool:
        return one.present.share >= at and one.has_answer(3)

    return {
        "threshold": at,
        "answered": _share(judged, lambda j: j.present.share >= at),
        "marked_answered_rightly": _share(marked, answers_rightly),
        "falsely_answered": _share(judged, lambda j: j.absent_share >= at),
    }


def _share(judged: list[Judged], holds: Callable[[Judged], bool]) -> float:
    return round(sum(1 for one in judged if holds(one)) / max(1, len(judged)), 4)
