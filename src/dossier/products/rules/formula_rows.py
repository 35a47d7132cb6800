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
from dossier.products.rules.intervals import HUNDRED
from dossier.products.rules.quantities import exact, parse_quantity
from dossier.products.rules.source_rows import SourceRow, StatedCell, StatedTotal
from dossier.products.rules.stacks import shares_of, unstacked

_MAX_GAP_ROWS: Final = 6
_PHASE: Final = re.compile(
    r"(?:phase|part)\s*[:.\-]?\s*(?P<en>[a-z0-9]{1,3}\b.*)"
    r"|(?P<zh>[a-z0-9]{1,3}\s*相.*|[油水粉]\s*相.*|相\s*[:]?\s*[a-z0-9]{1,3})"
    r"|(?P<letter>[a-z][0-9]?)[.:)]?",
    re.IGNORECASE,
)
_TOTAL: Final = re.compile(
    r"^(?:grand )?total\b|^sum\b|合計|總計|總和|總量|^共計|^total"
)
_SUBTOTAL: Final = re.compile(
    r"sub-?\s?total|小計|^total (?:of |for )?(?:phase |part )?[a-f][0-9]?$"
    r"|^(?:phase|part) [a-z0-9]{1,2}\b.*total"
    r"|[a-z0-9油水粉] ?相 ?(?:合計|總計|總和|總量)"
)
_REMARK: Final = re.compile(
    r"(?:ph(?: value)?|viscosity|specific gravity|density|黏度|比重|密度"
    r"|(?:prepared|checked|approved|reviewed|signed|issued) by|date"
    r"|製表|製作|審核|核准|覆核|簽名|日期)人?\s*(?:[:(@].*)?"
)


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
        read.rows.extend(unstacked(line))
        return line.phase
    if kind is RowKind.TOTAL:
        read.totals = list(_totals(table, row))
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


def _body(table: FormulaTable) -> list[int]:
    """Return the rows of the table, up to its total."""
    rows = list(_reach(table))
    totals = [row for row in rows if _is_total(table, row)]
    values = [_total_value(table, row) for row in totals]
    for place, row in enumerate(totals):
        # A total that a later and larger one takes in is a subtotal.
        if values[place] >= max(values[place:]):
            return rows[: rows.index(row) + 1]
    return rows


def _reach(table: FormulaTable) -> Iterator[int]:
    """Yield the rows that say something, up to a wide gap or another table."""
    last = table.first_row
    for row in (each for each in table.grid.rows if each >= table.first_row):
        if row - last > _MAX_GAP_ROWS or _is_other_header(table, row):
            return
        if table.grid.own(row):
            yield row
            last = row


def _is_total(table: FormulaTable, row: int) -> bool:
    is_part = _label_matches(table, row, _SUBTOTAL)
    return not is_part and _label_matches(table, row, _TOTAL)


def _total_value(table: FormulaTable, row: int) -> Decimal:
    stated = (each.cell for each in _totals(table, row))
    quantities = (
        exact(cell.number) if cell.number is not None else parse_quantity(cell.text)
        for cell in stated
    )
    bounds = (each.upper for each in quantities if each is not None)
    return max((each for each in bounds if each is not None), default=HUNDRED)


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
        (RowKind.NOTE, _is_remark(table, row)),
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


def _is_remark(table: FormulaTable, row: int) -> bool:
    """Return whether the row tells of the product as a whole, or who signed."""
    return _REMARK.fullmatch(folded(table.grid.own(row)[0].text)) is not None


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
    _part_listed_shares(table, words, quantities)
    return SourceRow(
        row=row,
        phase=words.get(Column.PHASE) or phase,
        words=words,
        quantities=quantities,
        cells=cells,
        opens=_opens(table, row),
        is_hidden=row in grid.sheet.hidden_rows,
    )


def _part_listed_shares(
    table: FormulaTable,
    words: dict[Column, str],
    quantities: dict[Column, StatedCell],
) -> None:
    """Part the names from the shares that stand in the same cells, if they do."""
    shared = table.columns.get(Column.SUB_PERCENT)
    names = (each for each in words if table.columns[each] == shared)
    for role in list(names):
        cell = quantities.pop(Column.SUB_PERCENT)
        listed = shares_of(cell.text)
        if listed is not None:
            words[role] = listed[0]
            quantities[Column.SUB_PERCENT] = replace(cell, text=listed[1])


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
