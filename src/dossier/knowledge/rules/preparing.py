"""Makes passages ready to be stored: context, language, terms, weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import Any

from dossier.knowledge.constants import ITEM_WORDS
from dossier.knowledge.rules.analyser import term_ids, terms
from dossier.knowledge.rules.chunking import Passage
from dossier.knowledge.rules.language import language_of
from dossier.knowledge.rules.weights import count_terms, weighed_text

_MAX_CONTEXT_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Served:
    """What a paper serves: a product by its names, and an item of its file."""

    names: tuple[str, ...]
    item: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """One passage with all that is stored of it but its weights."""

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
        """Return its weights where passages have so many terms on average."""
        return weighed_text(self.counts, self.length_terms, average_terms)


def context_head(filename: str, served: Iterable[Served]) -> str:
    """Return what the context of all passages of a paper begins with."""
    served = list(served)
    names = [name for each in served for name in each.names]
    items = [ITEM_WORDS.get(each.item, "") for each in served]
    return _joined([*names, *items, PurePath(filename).stem.replace("_", " ")])


def prepare(passages: Sequence[Passage], head: str, first: int) -> list[Prepared]:
    """Return passages ready to be stored; the first has the position `first`."""
    return [_prepared(each, head, first + n) for n, each in enumerate(passages)]


def analysed(context: str, text: str) -> tuple[dict[int, int], int]:
    """Return how often each term occurs, and how many there are in all."""
    found = terms(indexed_text(context, text))
    return count_terms(term_ids(found)), len(found)


def indexed_text(context: str, text: str) -> str:
    """Return what is indexed and embedded of a passage."""
    return f"{context}\n{text}"


def _prepared(passage: Passage, head: str, position: int) -> Prepared:
    text = passage.text
    context = _joined([head, *passage.headings, passage.part.label])
    counts, length_terms = analysed(context, text)
    return Prepared(
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


def _joined(words: Iterable[str]) -> str:
    whole = " · ".join(dict.fromkeys(filter(None, words)))
    return whole[:_MAX_CONTEXT_CHARACTERS]
