"""Cells that list several ingredients, one per line, with or without their shares."""

import re
from dataclasses import replace
from typing import Final

from dossier.products.formula_import.columns import Column
from dossier.products.formula_import.numbers import half_width
from dossier.products.formula_import.types import SourceRow

_SHARE: Final = r"[<≤~]?\s*\d+(?:[.,]\d+)?(?:\s*-\s*\d+(?:[.,]\d+)?)?\s*%"
_NAMED_SHARE: Final = re.compile(
    rf"(?P<name>.*\w\)?)(?:\s*[(\[:]\s*|\s+-?\s*)(?P<share>{_SHARE})\s*[)\]]?"
)


def split_stacked_row(row: SourceRow) -> list[SourceRow]:
    """Return one row for each ingredient that the cells of a row list line by line.

    A name that is merely wrapped has no quantity for each of its lines.
    """
    name = Column.INCI if row.text(Column.INCI) else Column.NAME
    count = len(_cell_lines(row.texts.get(name, "")))
    stacked = {
        column: _cell_lines(cell.text)
        for column, cell in row.quantities.items()
        if cell.number is None and len(_cell_lines(cell.text)) == count
    }
    if count == 1 or not stacked:
        return [row]
    return [_row_of_line(row, index, count, stacked) for index in range(count)]


def lists_shares(text: str) -> bool:
    """Return whether a cell lists several ingredients, each with its share."""
    return len(_cell_lines(text)) > 1 and split_listed_shares(text) is not None


def split_listed_shares(text: str) -> tuple[str, str] | None:
    """Return the names and the shares of a cell that states both, line by line."""
    pairs = [_NAMED_SHARE.fullmatch(half_width(line)) for line in _cell_lines(text)]
    known = [pair for pair in pairs if pair is not None]
    if len(known) < len(pairs):
        return None
    names, shares = ([pair[group] for pair in known] for group in ("name", "share"))
    return "\n".join(names), "\n".join(shares)


def line_of(text: str, index: int, count: int) -> str | None:
    """Return one line of a cell that is merged over as many rows as it has lines."""
    lines = _cell_lines(text)
    return lines[index] if len(lines) == count else None


def _cell_lines(text: str) -> list[str]:
    return [each.strip() for each in text.split("\n") if each.strip()] or [""]


def _row_of_line(
    row: SourceRow, index: int, count: int, stacked: dict[Column, list[str]]
) -> SourceRow:
    texts = {
        column: _cell_lines(text)[index] if len(_cell_lines(text)) == count else text
        for column, text in row.texts.items()
    }
    # A quantity that is not stacked counts once, with the first ingredient.
    quantities = {
        column: replace(cell, text=stacked[column][index])
        if column in stacked
        else cell
        for column, cell in row.quantities.items()
        if column in stacked or index == 0
    }
    return replace(
        row,
        index_in_row=index,
        texts=texts,
        quantities=quantities,
        starts_material=row.starts_material and index == 0,
    )
