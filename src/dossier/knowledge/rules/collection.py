"""Reads a judged collection in BEIR's layout: corpus, questions, judgements."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from dossier.knowledge.exceptions import CollectionInvalidError

_COLUMNS: Final = 3


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of a collection."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, the questions that have a judgement, and the judgements."""

    papers: tuple[Paper, ...]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class NamedLines:
    """Lines of a file, under the name that faults are told with."""

    name: str
    lines: Iterable[bytes]

    def fault(self, number: int, reason: str) -> CollectionInvalidError:
        """Return what is wrong with a line."""
        return CollectionInvalidError(f"{self.name}, line {number}: {reason}")

    def empty(self) -> CollectionInvalidError:
        """Return that there is nothing in the file."""
        return CollectionInvalidError(f"{self.name}: nothing in it")

    def irrelevant(self) -> CollectionInvalidError:
        """Return what to raise when no document answers anything."""
        return CollectionInvalidError(f"{self.name}: no score above 0 in it")


def read_collection(
    corpus: NamedLines, queries: NamedLines, qrels: NamedLines
) -> Collection:
    """Return a collection, or raise with the first line that cannot be used."""
    papers = tuple(
        Paper(
            id_, _string(corpus, number, row, "title", ""), _text(corpus, number, row)
        )
        for number, id_, row in _rows(corpus)
    )
    texts = {id_: _text(queries, n, row) for n, id_, row in _rows(queries)}
    grades = _grades(qrels, texts.keys(), {paper.id for paper in papers})
    questions = {id_: text for id_, text in texts.items() if id_ in grades}
    return Collection(papers, questions, grades)


def _rows(source: NamedLines) -> Iterator[tuple[int, str, dict[str, Any]]]:
    seen: set[str] = set()
    for number, line in _filled(source):
        row = _object(source, number, line)
        id_ = _string(source, number, row, "_id")
        if not id_ or id_ in seen:
            told = f"`_id` {id_} stands twice" if id_ else "`_id` is empty"
            raise source.fault(number, told)
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


def _object(source: NamedLines, number: int, line: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise source.fault(number, f"not JSON ({exc.msg})") from exc
    if not isinstance(row, dict):
        raise source.fault(number, "not a JSON object")
    return row


def _text(source: NamedLines, number: int, row: dict[str, Any]) -> str:
    return _string(source, number, row, "text")


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
    source: NamedLines, queries: Iterable[str], papers: Iterable[str]
) -> dict[str, dict[str, int]]:
    known_queries, known_papers = set(queries), set(papers)
    grades: dict[str, dict[str, int]] = {}
    for number, line in _filled(source):
        cells = line.rstrip("\r\n").split("\t")
        if number == 1 and cells[0] == "query-id":
            continue
        query, paper, grade = _judgement(source, number, cells)
        _refuse_unknown(source, number, "query", query, known_queries)
        _refuse_unknown(source, number, "document", paper, known_papers)
        grades.setdefault(query, {})[paper] = grade
    if not grades:
        raise source.empty()
    return _with_an_answer(source, grades)


def _with_an_answer(
    source: NamedLines, grades: Mapping[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    """Return the grades of queries that have a relevant document, above zero."""
    kept = {id_: each for id_, each in grades.items() if max(each.values()) > 0}
    if not kept:
        raise source.irrelevant()
    return kept


def _judgement(
    source: NamedLines, number: int, cells: list[str]
) -> tuple[str, str, int]:
    if len(cells) != _COLUMNS:
        raise source.fault(number, "not three columns between tabs")
    try:
        return cells[0], cells[1], int(cells[2])
    except ValueError as exc:
        raise source.fault(number, "the score is not a whole number") from exc


def _refuse_unknown(
    source: NamedLines, number: int, kind: str, id_: str, known: set[str]
) -> None:
    if id_ not in known:
        raise source.fault(number, f"there is no {kind} {id_}")
