"""Accounts for every cell of the chosen sheet: read, recognised or reported."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dossier.core.spreadsheets import Cell
from dossier.products.formula_import.identifiers import states_identifier
from dossier.products.formula_import.labels import (
    is_property,
    is_total,
    may_be_figure,
    names_substance,
    phase_name,
)
from dossier.products.formula_import.quantities import states_quantity
from dossier.products.formula_import.rows import RowKind
from dossier.products.formula_import.tables import (
    SheetReading,
    TableReading,
    TableStanding,
)
from dossier.products.formula_import.types import HUNDRED, ZERO, QuantityColumn

_SAMPLES: Final = 2
_MAX_NAME_CHARACTERS: Final = 80
_WORD: Final = re.compile(r"[^\W\d_]{3}|[\u4e00-\u9fff]")


class CellUse(StrEnum):
    """What a cell of the sheet was taken for."""

    LINE = "line"
    HEADER = "header"
    TITLE = "title"
    PHASE = "phase"
    SUBTOTAL = "subtotal"
    TOTAL = "total"
    PROPERTY = "property"
    NOTE = "note"
    OTHER_COLUMN = "other-column"
    OTHER_TABLE = "other-table"
    STRUCK_OUT = "struck-out"
    REPORTED = "reported"


_USE_OF_ROW: Final[Mapping[RowKind, CellUse]] = {
    RowKind.PHASE: CellUse.PHASE,
    RowKind.TOTAL: CellUse.TOTAL,
    RowKind.SUBTOTAL: CellUse.SUBTOTAL,
    RowKind.PROPERTY: CellUse.PROPERTY,
    RowKind.HEADER: CellUse.HEADER,
    RowKind.ASIDE: CellUse.OTHER_TABLE,
    RowKind.FIGURE: CellUse.REPORTED,
    RowKind.UNREAD: CellUse.REPORTED,
    RowKind.WIDE: CellUse.REPORTED,
    RowKind.BARE: CellUse.REPORTED,
}


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row that is reported: why, its cell, and its texts."""

    kind: RowKind
    cell: str
    text: str


@dataclass(slots=True)
class Accounting:
    """The use of every cell with content, and what has to be reported or noted."""

    uses: dict[str, CellUse] = field(default_factory=dict)
    rows: list[UnreadRow] = field(default_factory=list)
    numbers: list[Cell] = field(default_factory=list)
    remarks: list[Cell] = field(default_factory=list)
    struck: list[Cell] = field(default_factory=list)
    unknown_columns: list[tuple[QuantityColumn, list[Cell]]] = field(
        default_factory=list
    )


def account(reading: SheetReading, left_out_rows: Collection[int] = ()) -> Accounting:
    """Return the use of every cell; rows that are left out are reported elsewhere."""
    accounting = Accounting()
    for row in left_out_rows:
        _mark(accounting, reading.grid.cells_of(row), CellUse.REPORTED)
    for table, standing in zip(reading.tables, reading.standings, strict=True):
        first, last = table.table.header_rows
        for row in range(first, last + 1):
            _mark(accounting, table.table.cells_of(row), CellUse.HEADER)
        for row in table.table.title_rows:
            _mark(accounting, table.table.cells_of(row), CellUse.TITLE)
        if standing is TableStanding.PART:
            _account_rows(accounting, table)
            _account_unknown_columns(accounting, table)
        else:
            is_reported = standing in {TableStanding.UNREAD, TableStanding.OTHER}
            use = CellUse.REPORTED if is_reported else CellUse.OTHER_TABLE
            for row in table.table.rows():
                _mark(accounting, table.table.cells_of(row), use)
    _account_rest(accounting, reading)
    return accounting


def _mark(accounting: Accounting, cells: Iterable[Cell], use: CellUse) -> None:
    for cell in cells:
        accounting.uses.setdefault(cell.address, use)


def _account_rows(accounting: Accounting, reading: TableReading) -> None:
    table = reading.table
    for row, kind in reading.read.kinds.items():
        cells = table.cells_of(row)
        if kind is RowKind.INGREDIENT:
            _account_ingredient(accounting, reading, row)
        elif kind is RowKind.REMARK:
            is_foreign = row in reading.read.foreign_rows
            _account_remark(accounting, cells, may_be_line=not is_foreign)
        else:
            _mark(accounting, cells, _USE_OF_ROW[kind])
        if _USE_OF_ROW.get(kind) is CellUse.REPORTED:
            accounting.rows.append(_unread(kind, cells))


def _unread(kind: RowKind, cells: list[Cell]) -> UnreadRow:
    numbers = [cell for cell in cells if states_quantity(cell)]
    return UnreadRow(
        kind,
        (numbers or cells)[-1].address,
        " | ".join(" ".join(cell.text.split()) for cell in cells)[:200],
    )


def _account_ingredient(
    accounting: Accounting, reading: TableReading, row: int
) -> None:
    table = reading.table
    read = set(table.columns.values())
    for column in table.grid.columns_of(row):
        cell = table.grid.at(row, column)
        first, last = table.bounds
        if cell is None or not first <= column <= last:
            continue
        if column in read:
            if cell.text or cell.formula:
                _mark(accounting, [cell], CellUse.LINE)
        elif column in table.headers:
            _mark(accounting, [cell], CellUse.OTHER_COLUMN)


def _account_remark(
    accounting: Accounting, cells: list[Cell], *, may_be_line: bool
) -> None:
    """Report a row that states a substance and a number; keep the texts of others.

    `may_be_line`: a name and a share are enough, for a row that is no figure and stands
    where the formula could go on.
    """
    numbers = [cell for cell in cells if states_quantity(cell)]
    has_substance = any(states_identifier(cell.text) for cell in cells) or (
        may_be_line and _is_name_and_share(cells)
    )
    if numbers and has_substance:
        accounting.rows.append(_unread(RowKind.UNREAD, cells))
        _mark(accounting, cells, CellUse.REPORTED)
        return
    label = next((cell.text for cell in cells if cell.number is None), "")
    if numbers and not is_property(label):
        accounting.numbers.extend(numbers)
        _mark(accounting, numbers, CellUse.REPORTED)
    accounting.remarks.extend(cell for cell in cells if cell not in numbers)
    _mark(accounting, cells, CellUse.NOTE)


def _is_name_and_share(cells: list[Cell]) -> bool:
    """Return whether cells hold one name, and one number that may be a share."""
    numbers = [cell for cell in cells if states_quantity(cell)]
    names = [cell.text for cell in cells if cell not in numbers]
    if len(numbers) != 1 or not names or len(names[0]) > _MAX_NAME_CHARACTERS:
        return False
    value = numbers[0].number
    is_share = value is None or ZERO < value <= HUNDRED
    is_figure = is_property(names[0]) or may_be_figure(names[0])
    is_figure = is_figure or is_total(names[0]) or phase_name(names[0]) is not None
    has_word = _WORD.search(names[0]) is not None
    return is_share and has_word and not is_figure


def _account_unknown_columns(accounting: Accounting, reading: TableReading) -> None:
    """Report the columns whose headers name nothing that is known."""
    table = reading.table
    read = set(table.columns.values()) | {each.number for each in table.left_out}
    rows = [
        row for row, kind in reading.read.kinds.items() if kind is RowKind.INGREDIENT
    ]
    for number, column in table.headers.items():
        role = table.roles.get(number)
        if number in read or role is not None:
            continue
        found = (table.grid.at(row, number) for row in rows)
        cells = [cell for cell in found if cell is not None and cell.text]
        if cells:
            accounting.unknown_columns.append((column, cells[:_SAMPLES]))


def _account_rest(accounting: Accounting, reading: SheetReading) -> None:
    """Account for the cells outside of tables: titles, notes, figures, struck texts."""
    grid = reading.grid
    first_header = min(each.table.header_rows[0] for each in reading.tables)
    rest: dict[int, list[Cell]] = {}
    for cell in grid.contents():
        if cell.struck_text:
            accounting.struck.append(cell)
            if not cell.text and cell.address not in accounting.uses:
                accounting.uses[cell.address] = CellUse.STRUCK_OUT
        if cell.address not in accounting.uses:
            rest.setdefault(cell.row, []).append(cell)
    for row, cells in rest.items():
        is_title = row < first_header and not any(map(states_quantity, cells))
        if is_title:
            _mark(accounting, cells, CellUse.TITLE)
        else:
            label = next((cell.text for cell in cells if cell.number is None), "")
            may_be_line = row >= first_header or names_substance(label)
            _account_remark(accounting, cells, may_be_line=may_be_line)


def range_of(reading: TableReading) -> str:
    """Return the addresses of the corners of a table."""
    table = reading.table
    rows = table.rows() or [table.first_row]
    cells = [c for row in (table.header_rows[0], rows[-1]) for c in table.cells_of(row)]
    return f"{cells[0].address}:{cells[-1].address}"
