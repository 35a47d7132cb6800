"""Cells that list several ingredients, line by line, with or without their shares."""

import re
from dataclasses import replace
from typing import Final

from dossier.products.rules.folding import half_width
from dossier.products.rules.formula_words import Column
from dossier.products.rules.source_rows import SourceRow

_SHARE: Final = r"[<≤~]?\s*\d+(?:[.,]\d+)?(?:\s*-\s*\d+(?:[.,]\d+)?)?\s*%"
_NAMED_SHARE: Final = re.compile(
    rf"(?P<name>.*\w\)?)(?:\s*[(\[:]\s*|\s+-?\s*)(?P<share>{_SHARE})\s*[)\]]?"
)


def unstacked(line: SourceRow) -> list[SourceRow]:
    """Return one row for each ingredient of cells that list several, line by line.

    A name that is merely wrapped has no quantity for each of its lines.
    """
    name = Column.INCI if line.word(Column.INCI) else Column.NAME
    count = len(_stack(line.words.get(name, "")))
    stacked = {
        column: _stack(cell.text)
        for column, cell in line.quantities.items()
        if cell.number is None and len(_stack(cell.text)) == count
    }
    if count == 1 or not stacked:
        return [line]
    return [_layer(line, part, count, stacked) for part in range(count)]


def lists_shares(text: str) -> bool:
    """Return whether a cell lists several ingredients, each with its share."""
    return len(_stack(text)) > 1 and shares_of(text) is not None


def shares_of(text: str) -> tuple[str, str] | None:
    """Return the names and the shares of a cell that states both, line by line."""
    pairs = [_NAMED_SHARE.fullmatch(half_width(line)) for line in _stack(text)]
    known = [pair for pair in pairs if pair is not None]
    if len(known) < len(pairs):
        return None
    names, shares = ([pair[group] for pair in known] for group in ("name", "share"))
    return "\n".join(names), "\n".join(shares)


def _stack(text: str) -> list[str]:
    return [each.strip() for each in text.split("\n") if each.strip()] or [""]


def _layer(
    line: SourceRow, part: int, count: int, stacked: dict[Column, list[str]]
) -> SourceRow:
    words = {
        column: _stack(text)[part] if len(_stack(text)) == count else text
        for column, text in line.words.items()
    }
    quantities = {
        column: replace(cell, text=stacked[column][part]) if column in stacked else cell
        for column, cell in line.quantities.items()
        if column in stacked or part == 0
    }
    opens = line.opens and part == 0
    return replace(line, part=part, words=words, quantities=quantities, opens=opens)
