"""Reads the rows below a formula's header: phases, lines, totals, notes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from dossier.products.rules.folding import folded
from dossier.products.rules.formula_header import FormulaTable, states_quantity
from dossier.products.rules.formula_words import NAMES, QUANTITIES, Column, column_of
from dossier.products.rules.grid import GridCell

_MAX_GAP_ROWS: Final = 6
_PHASE: Final = re.compile(
    r"(?:phase|part)\s*[:.\-]?\s*(?P<en>[a-z0-9]{1,3}\b.*)"
    r"|(?P<zh>[a-z0-9]{1,3}\s*相.*|[油水粉]\s*相.*|相\s*[:]?\s*[a-z0-9]{1,3})"
    r"|(?P<letter>[a-z][0-9]?)",
    re.IGNORECASE,
)
_TOTAL: Final = re.compile(
    r"^(?:grand )?total\b|^sum\b|合計|總計|總和|總量|^共計|^total"
)
_SUBTOTAL: Final = re.compile(r"sub-?\s?total|小計")


RowKey = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCell:
    """A quantity cell as it stands: its text, its number, its place."""

    address: str
    text: str
    number: Decimal | None
    number_format: str | None
    factor: int
    has_formula: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One line of the table, merged cells resolved, nothing computed yet.

    `opens` says that the row names its raw material itself, instead of continuing one.
    `part` counts the ingredients that one row lists in cells of several lines.
    """

    row: int
    phase: str | None
    words: dict[Column, str]
    quantities: dict[Column, StatedCell]
    cells: dict[Column, str]
    opens: bool
    is_hidden: bool = False
    part: int = 0

    @property
    def key(self) -> RowKey:
        """Return what tells this line from all others of the table."""
        return (self.row, self.part)

    def word(self, column: Column) -> str | None:
        """Return what the row says in a column, `None` where it says nothing."""
        return self.words.get(column) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTotal:
    """The total that the sheet itself states."""

    cell: StatedCell
    column: Column


@dataclass(slots=True)
class TableRows:
    """All that stands below a header."""

    rows: list[SourceRow] = field(default_factory=list)
    totals: list[StatedTotal] = field(default_factory=list)
    notes: list[GridCell] = field(default_factory=list)


def read_rows(table: FormulaTable) -> TableRows:
    """Return the lines, the stated total and the remarks of a table."""
    read = TableRows()
    phase: str | None = None
    for row in _body(table):
        phase = _take(table, row, phase, read)
    return _continued(read)


def _take(
    table: FormulaTable, row: int, phase: str | None, read: TableRows
) -> str | None:
    """Put a row where it belongs and return the phase that holds after it."""
    kind = _kind(table, row)
    if kind is RowKind.PHASE:
        return _phase_name(table.grid.own(row)[0].text)
    if kind is RowKind.LINE:
        line = _line(table, row, phase)
        read.rows.extend(_unstacked(line))
        return line.phase
    if kind is RowKind.TOTAL:
        read.totals.extend(_totals(table, row))
    elif kind is RowKind.NOTE:
        read.notes.extend(table.grid.own(row))
    return phase


class RowKind(StrEnum):
    """What a row of the table is."""

    PHASE = "phase"
    TOTAL = "total"
    SUBTOTAL = "subtotal"
    NOTE = "note"
    HEADER = "header"
    LINE = "line"


def _body(table: FormulaTable) -> Iterator[int]:
    """Yield the rows of the table, up to a wide gap, another table or the total."""
    last = table.first_row
    for row in (each for each in table.grid.rows if each >= table.first_row):
        if row - last > _MAX_GAP_ROWS or _is_other_header(table, row):
            return
        if table.grid.own(row):
            yield row
            last = row
        if _label_matches(table, row, _TOTAL):
            return


def _is_other_header(table: FormulaTable, row: int) -> bool:
    roles = _header_roles(table, row)
    return _looks_like_header(roles) and not _is_own_header(table, roles)


def _header_roles(table: FormulaTable, row: int) -> dict[Column, int]:
    cells = table.grid.own(row)
    if any(states_quantity(cell) for cell in cells):
        return {}
    found = ((column_of(cell.text), cell.column) for cell in cells)
    return {role: column for role, column in found if role is not None}


def _looks_like_header(roles: dict[Column, int]) -> bool:
    return bool(roles.keys() & QUANTITIES) and bool(roles.keys() & NAMES)


def _is_own_header(table: FormulaTable, roles: dict[Column, int]) -> bool:
    return all(table.columns.get(role) == column for role, column in roles.items())


def _kind(table: FormulaTable, row: int) -> RowKind:
    checks = (
        (RowKind.SUBTOTAL, _label_matches(table, row, _SUBTOTAL)),
        (RowKind.TOTAL, _label_matches(table, row, _TOTAL)),
        (RowKind.HEADER, _looks_like_header(_header_roles(table, row))),
        (RowKind.LINE, _has_quantity(table, row)),
        (RowKind.PHASE, _is_phase_row(table, row)),
        (RowKind.LINE, _has_ingredient(table, row)),
    )
    return next((kind for kind, holds in checks if holds), RowKind.NOTE)


def _label_matches(table: FormulaTable, row: int, words: re.Pattern[str]) -> bool:
    cells = [cell for cell in table.grid.own(row) if cell.number is None]
    labels = [folded(cell.text) for cell in cells]
    if table.columns.get(Column.INCI) in {cell.column for cell in cells[1:]}:
        return False
    return bool(labels) and words.search(labels[0]) is not None


def _has_quantity(table: FormulaTable, row: int) -> bool:
    return any(
        table.grid.at(row, column) is not None
        for role, column in table.columns.items()
        if role in QUANTITIES
    ) and (len(table.grid.own(row)) > 1)


def _has_ingredient(table: FormulaTable, row: int) -> bool:
    """Return whether the row names an ingredient and more than that."""
    named = any(
        table.grid.at(row, column) is not None
        for role, column in table.columns.items()
        if role in NAMES
    )
    others = [
        column
        for column in table.grid.columns(row)
        if column in table.columns.values() and table.grid.seen(row, column)
    ]
    return named and len(others) > 1


def _is_phase_row(table: FormulaTable, row: int) -> bool:
    cells = table.grid.own(row)
    if len(cells) != 1:
        return False
    match = _PHASE.fullmatch(cells[0].text.strip())
    if match is None:
        return False
    # A letter alone is a phase only where the table has no column for phases.
    return match["letter"] is None or Column.PHASE not in table.columns


def _phase_name(text: str) -> str:
    match = _PHASE.fullmatch(text.strip())
    named = match and (match["en"] or match["zh"] or match["letter"])
    return (named or text).strip()


def _totals(table: FormulaTable, row: int) -> Iterator[StatedTotal]:
    for role, column in table.columns.items():
        cell = table.grid.at(row, column)
        if role in QUANTITIES and cell is not None and cell.text:
            yield StatedTotal(cell=_stated(cell), column=role)


def _line(table: FormulaTable, row: int, phase: str | None) -> SourceRow:
    grid = table.grid
    words: dict[Column, str] = {}
    quantities: dict[Column, StatedCell] = {}
    cells: dict[Column, str] = {}
    for role, column in table.columns.items():
        cell = grid.at(row, column) if role in QUANTITIES else grid.seen(row, column)
        if cell is None or not (cell.text or cell.formula):
            continue
        cells[role] = cell.address
        if role in QUANTITIES:
            quantities[role] = _stated(cell)
        else:
            words[role] = cell.text.strip()
    return SourceRow(
        row=row,
        phase=words.get(Column.PHASE) or phase,
        words=words,
        quantities=quantities,
        cells=cells,
        opens=_opens(table, row),
        is_hidden=row in grid.sheet.hidden_rows,
    )


def _unstacked(line: SourceRow) -> list[SourceRow]:
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


def _opens(table: FormulaTable, row: int) -> bool:
    column = table.columns.get(Column.TRADE_NAME)
    return column is None or table.grid.at(row, column) is not None


def _stated(cell: GridCell) -> StatedCell:
    return StatedCell(
        address=cell.address,
        text=cell.text,
        number=cell.number,
        number_format=cell.number_format,
        factor=cell.factor,
        has_formula=cell.formula is not None,
    )


def _continued(read: TableRows) -> TableRows:
    """Let rows that repeat the raw material above continue it."""
    rows: list[SourceRow] = []
    for row in read.rows:
        repeats = bool(rows) and _repeats(row, rows[-1])
        rows.append(replace(row, opens=False) if repeats else row)
    return TableRows(rows=rows, totals=read.totals, notes=read.notes)


def _repeats(row: SourceRow, above: SourceRow) -> bool:
    name = row.word(Column.TRADE_NAME)
    return (
        name is not None
        and name == above.word(Column.TRADE_NAME)
        and Column.SUB_PERCENT in row.quantities
    )
