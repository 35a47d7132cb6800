"""Prepares passages for storage: context, language, terms, weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import Any

from dossier.knowledge.constants import ITEM_WORDS
from dossier.knowledge.rules.analyser import language_of, term_ids, terms
from dossier.knowledge.rules.chunking import Passage
from dossier.knowledge.rules.weights import count_terms, weighed_text

_MAX_CONTEXT_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class ServedItem:
    """An item of a product's file that a document is linked to."""

    product_names: tuple[str, ...]
    item: int


@dataclass(frozen=True, slots=True)
class PreparedPassage:
    """One passage with all that is stored of it except its weights."""

    position: int
    page: int
    label: str
    kind: str
    text: str
    context: str
    places: list[dict[str, Any]]
    language: str
    content_sha256: str
    counts: dict[int, int]
    length_terms: int

    def sparse(self, average_terms: float) -> str:
        """Return its BM25 weights, given the average number of terms of a passage."""
        return weighed_text(self.counts, self.length_terms, average_terms)


def context_head(filename: str, served: Iterable[ServedItem]) -> str:
    """Return the beginning of the context of all passages of a document."""
    served = list(served)
    names = [name for each in served for name in each.product_names]
    items = [ITEM_WORDS.get(each.item, "") for each in served]
    return _joined([*names, *items, PurePath(filename).stem.replace("_", " ")])


def prepare(
    passages: Sequence[Passage], head: str, first: int
) -> list[PreparedPassage]:
    """Return passages ready to be stored; the first has the position `first`."""
    prepared: list[PreparedPassage] = []
    for position, passage in enumerate(passages, first):
        text = passage.text
        context = _joined([head, *passage.headings, passage.part.label])
        counts, length_terms = analysed(context, text)
        prepared.append(
            PreparedPassage(
                position=position,
                page=passage.part.position,
                label=passage.part.label,
                kind=passage.kind,
                text=text,
                context=context,
                places=passage.places(),
                language=language_of(text),
                content_sha256=sha256(indexed_text(context, text).encode()).hexdigest(),
                counts=counts,
                length_terms=length_terms,
            )
        )
    return prepared


def analysed(context: str, text: str) -> tuple[dict[int, int], int]:
    """Return how often each term occurs, and the number of all terms."""
    found = terms(indexed_text(context, text))
    return count_terms(term_ids(found)), len(found)


def indexed_text(context: str, text: str) -> str:
    """Return the text of a passage that is indexed and embedded."""
    return f"{context}\n{text}"


def _joined(words: Iterable[str]) -> str:
    whole = " · ".join(dict.fromkeys(filter(None, words)))
    return whole[:_MAX_CONTEXT_CHARACTERS]
