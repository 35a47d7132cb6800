"""Rows of tables, each told with the names of its columns."""

import re
from collections.abc import Sequence
from typing import Final

from dossier.knowledge.rules.extract_sentences import Sentence

_CELL: Final = re.compile(r"\t|\s\|\s")
_NUMBER: Final = re.compile(r"[\d\s.,:/%<>≤≥±+-]*\d[\d\s.,:/%<>≤≥±+-]*")
_MIN_STEM: Final = 5
"""Of two words that are of one stem though they are not cut alike: `supplies` and
`supplier`."""


def header_of(rows: Sequence[Sentence]) -> Sentence | None:
    """Return the first row where it names the columns: it holds no values."""
    if len(rows) <= 1:
        return None
    first, second = (_cells(row.text) for row in rows[:2])
    if not any(map(_has_digit, first)):
        return rows[0]
    is_named = not any(map(_NUMBER.fullmatch, first))
    is_barer = sum(map(_has_digit, first)) < sum(map(_has_digit, second))
    return rows[0] if is_named and is_barer else None


def labelled(row: Sentence, header: Sentence | None, rows: Sequence[Sentence]) -> str:
    """Return a row with the name of each column, where they are sure to fit.

    Empty cells are not kept: only a row with all its cells has each at its place.
    """
    if header is None:
        return row.text
    names, values = _cells(header.text), _cells(row.text)
    widest = max(len(_cells(each.text)) for each in rows)
    if not len(names) == len(values) == widest:
        return row.text
    pairs = zip(names, values, strict=True)
    return "; ".join(f"{name}: {value}" for name, value in pairs)


def named_by(asked: frozenset[str], names: frozenset[str]) -> frozenset[str]:
    """Return what of a question the names of columns hold, endings aside."""
    return frozenset(
        term for term in asked if any(_is_alike(term, name) for name in names)
    )


def is_identifier(term: str) -> bool:
    """Say whether a term is a CAS number or a code, which names one thing."""
    is_mixed = "-" in term or any(map(str.isalpha, term))
    return len(term) >= _MIN_STEM and is_mixed and _has_digit(term)


def _is_alike(term: str, name: str) -> bool:
    short, long = sorted((term, name), key=len)
    return term == name or (len(short) >= _MIN_STEM and long.startswith(short))


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _cells(line: str) -> list[str]:
    return [each.strip() for each in _CELL.split(line)]
