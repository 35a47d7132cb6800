"""Reads a judged collection in BEIR's layout, and measures rankings against it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from dossier.knowledge.exceptions import CollectionInvalidError

_COLUMNS: Final = 3


@dataclass(frozen=True, slots=True)
class CollectionDocument:
    """One document of a collection."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, the questions that have a judgement, and the judgements."""

    documents: tuple[CollectionDocument, ...]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class NamedLines:
    """Lines of a file, with its name for error messages."""

    name: str
    lines: Iterable[bytes]

    def fault(self, number: int, reason: str) -> CollectionInvalidError:
        """Return the error for a line."""
        return CollectionInvalidError(f"{self.name}, line {number}: {reason}")

    def empty(self) -> CollectionInvalidError:
        """Return the error for a file without any line."""
        return CollectionInvalidError(f"{self.name}: nothing in it")


def read_collection(
    corpus: NamedLines, queries: NamedLines, qrels: NamedLines
) -> Collection:
    """Return a collection, or raise with the first line that cannot be used."""
    documents = tuple(
        CollectionDocument(
            id_,
            _string(corpus, number, row, "title", ""),
            _string(corpus, number, row, "text"),
        )
        for number, id_, row in _rows(corpus)
    )
    texts = {id_: _string(queries, n, row, "text") for n, id_, row in _rows(queries)}
    grades = _grades(qrels, texts.keys(), {each.id for each in documents})
    questions = {id_: text for id_, text in texts.items() if id_ in grades}
    return Collection(documents, questions, grades)


def _rows(source: NamedLines) -> Iterator[tuple[int, str, dict[str, Any]]]:
    seen: set[str] = set()
    for number, line in _filled(source):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            raise source.fault(number, f"not JSON ({exc.msg})") from exc
        if not isinstance(row, dict):
            raise source.fault(number, "not a JSON object")
        id_ = _string(source, number, row, "_id")
        if not id_ or id_ in seen:
            reason = f"`_id` {id_} stands twice" if id_ else "`_id` is empty"
            raise source.fault(number, reason)
        seen.add(id_)
        yield number, id_, row
    if not seen:
        raise source.empty()


def _filled(source: NamedLines) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as exc:
            raise source.fault(number, "not UTF-8") from exc
        if text.strip():
            yield number, text


def _string(
    source: NamedLines,
    number: int,
    row: dict[str, Any],
    name: str,
    default: str | None = None,
) -> str:
    value = row.get(name, default)
    if not isinstance(value, str):
        raise source.fault(number, f"`{name}` is not a string")
    if "\x00" in value:
        raise source.fault(number, f"`{name}` holds U+0000, which cannot be stored")
    return value


def _grades(
    source: NamedLines, queries: Iterable[str], documents: Iterable[str]
) -> dict[str, dict[str, int]]:
    """Return the grades of queries that have a relevant document: one above zero."""
    known_queries, known_documents = set(queries), set(documents)
    grades: dict[str, dict[str, int]] = {}
    for number, line in _filled(source):
        cells = line.rstrip("\r\n").split("\t")
        if number == 1 and cells[0] == "query-id":
            continue
        if len(cells) != _COLUMNS:
            raise source.fault(number, "not three columns between tabs")
        query, document, score = cells
        try:
            grade = int(score)
        except ValueError as exc:
            raise source.fault(number, "the score is not a whole number") from exc
        if query not in known_queries:
            raise source.fault(number, f"there is no query {query}")
        if document not in known_documents:
            raise source.fault(number, f"there is no document {document}")
        grades.setdefault(query, {})[document] = grade
    if not grades:
        raise source.empty()
    relevant = {id_: each for id_, each in grades.items() if max(each.values()) > 0}
    if not relevant:
        message = f"{source.name}: no score above 0 in it"
        raise CollectionInvalidError(message)
    return relevant


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Return the normalised discounted gain of the first `depth` of a ranking.

    Gains are the grades themselves, as in `trec_eval`; none is below zero.
    """
    ideal = _discounted(sorted(grades.values(), reverse=True)[:depth])
    found = _discounted([grades.get(each, 0) for each in ranked[:depth]])
    return found / ideal if ideal else 0.0


def recall(ranked: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Return the share of relevant documents among the first `depth`."""
    wanted = {each for each, grade in grades.items() if grade > 0}
    return len(wanted.intersection(ranked[:depth])) / len(wanted) if wanted else 0.0


def percentile(values: Sequence[float], rank: int) -> float:
    """Return the value that `rank` percent of the values do not exceed."""
    ordered = sorted(values)
    place = math.ceil(rank / 100 * len(ordered))
    return ordered[max(place - 1, 0)]


def _discounted(gains: Sequence[int]) -> float:
    return sum(max(gain, 0) / math.log2(place + 2) for place, gain in enumerate(gains))
