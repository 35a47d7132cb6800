"""Finds the table of a formula: which sheet, which header rows, which columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.core.spreadsheets import Workbook
from dossier.products.exceptions import FormulaSheetNotFoundError, NoFormulaFoundError
from dossier.products.formula_import.columns import (
    NAMES,
    QUANTITIES,
    Column,
    column_of,
    text_column_of,
    unit_of,
)
from dossier.products.formula_import.quantities import parse_quantity, states_quantity
from dossier.products.formula_import.stacked_cells import lists_shares
from dossier.products.formula_import.types import FormulaTable, Grid

_MAX_HEADER_ROWS: Final = 3
_MAX_SEARCHED_ROWS: Final = 300
_SAMPLED_ROWS: Final = 60
_WHOLE: Final = (Decimal(90), Decimal(110))
_FRACTION: Final = (Decimal("0.9"), Decimal("1.1"))


@dataclass(frozen=True, slots=True)
class _HeaderCandidate:
    """Some rows of a sheet, interpreted as the header of a formula.

    `columns` holds the number and the header text of each column; `filled` counts the
    quantities below.
    """

    grid: Grid
    columns: Mapping[Column, tuple[int, str]]
    first_row: int
    depth: int
    filled: int
    is_inferred: bool

    @property
    def rank(self) -> tuple[bool, bool, int, int, int, int]:
        """Rank: visible, a named quantity, names, more columns, rows, a flat header."""
        return (
            not self.grid.sheet.is_hidden,
            not self.is_inferred,
            2 * (Column.INCI in self.columns) + (Column.NAME in self.columns),
            len(self.columns),
            self.filled,
            -self.depth,
        )

    def address_of(self, column: int) -> str:
        """Return the lowest header cell of a column."""
        rows = range(self.first_row - 1, self.first_row - 1 - self.depth, -1)
        shown = (self.grid.shown_at(row, column) for row in rows)
        return next((cell.address for cell in shown if cell is not None), "")


def find_table(
    workbook: Workbook, filename: str, sheet: str | None = None
) -> FormulaTable:
    """Return the best ranked formula of the file, or of the named sheet."""
    names = [each.name for each in workbook.sheets]
    if sheet is not None and sheet not in names:
        raise FormulaSheetNotFoundError(filename, sheet, names)
    grids = [Grid(each) for each in workbook.sheets if sheet in {None, each.name}]
    best_of_sheets = [best for grid in grids if (best := _best(_candidates(grid)))]
    chosen = _best(iter(best_of_sheets))
    if chosen is None:
        raise NoFormulaFoundError(filename, names)
    return FormulaTable(
        grid=chosen.grid,
        columns={role: column for role, (column, _) in chosen.columns.items()},
        units={
            role: unit_of(text)
            for role, (_, text) in chosen.columns.items()
            if role in QUANTITIES
        },
        header={
            role: chosen.address_of(column)
            for role, (column, _) in chosen.columns.items()
        },
        first_row=chosen.first_row,
        is_quantity_inferred=chosen.is_inferred,
        other_sheets=tuple(
            each.grid.sheet.name
            for each in best_of_sheets
            if each.grid is not chosen.grid
        ),
        other_quantities=tuple(_other_quantities(chosen)),
    )


def _best(candidates: Iterator[_HeaderCandidate]) -> _HeaderCandidate | None:
    return max(candidates, key=lambda each: each.rank, default=None)


def _other_quantities(chosen: _HeaderCandidate) -> Iterator[str]:
    """Yield the headers of quantity columns that are not read."""
    grid, first_row = chosen.grid, chosen.first_row
    read = {column for column, _ in chosen.columns.values()}
    for column in sorted(set(grid.columns_of(first_row - 1)) - read):
        text = _header_text(grid, first_row - chosen.depth, chosen.depth, column)
        if _role(grid, first_row, column, text) in QUANTITIES:
            yield f"{chosen.address_of(column)} {' '.join(text.split())}"


def _candidates(grid: Grid) -> Iterator[_HeaderCandidate]:
    for row in grid.rows[:_MAX_SEARCHED_ROWS]:
        # Most rows name no column at all; only the others are worth more work.
        if not any(column_of(cell.text) is not None for cell in grid.cells_of(row)):
            continue
        for depth in range(1, _MAX_HEADER_ROWS + 1):
            added = grid.cells_of(row + depth - 1)
            if depth > 1 and (not added or any(map(states_quantity, added))):
                break
            candidate = _candidate(grid, row, depth)
            if candidate is not None:
                yield candidate


def _candidate(grid: Grid, row: int, depth: int) -> _HeaderCandidate | None:
    columns = _named_columns(grid, row, depth)
    if len(columns) < 2 or not NAMES & columns.keys():  # noqa: PLR2004 - a name and a quantity
        return None
    first_row = row + depth
    inferred = None
    if not QUANTITIES & columns.keys():
        inferred = _inferred_quantity(grid, first_row, columns)
        if inferred is None:
            return None
        columns[Column.PERCENT] = (inferred, "")
    named = columns.get(Column.INCI) or columns.get(Column.NAME)
    if named is not None and Column.SUB_PERCENT not in columns:
        # Some sheets write the shares of a composition beside the names.
        cells = (grid.at(each, named[0]) for each in grid.rows if each >= first_row)
        if any(cell is not None and lists_shares(cell.text) for cell in cells):
            columns[Column.SUB_PERCENT] = (named[0], "%")
    filled = max(
        _filled(grid, first_row, columns[role][0])
        for role in QUANTITIES & columns.keys()
    )
    is_inferred = inferred is not None
    return _HeaderCandidate(grid, columns, first_row, depth, filled, is_inferred)


def _named_columns(grid: Grid, row: int, depth: int) -> dict[Column, tuple[int, str]]:
    """Return the number and the header text of each column that the rows name."""
    rows = range(row, row + depth)
    found: dict[Column, tuple[int, str]] = {}
    for column in sorted({c for each in rows for c in grid.columns_of(each)}):
        text = _header_text(grid, row, depth, column)
        role = _role(grid, row + depth, column, text)
        if role is None:
            continue
        # Where a batch is weighed out beside its percentages, the percentages count.
        is_better = (
            role in found
            and role in QUANTITIES
            and unit_of(text) == "%"
            and unit_of(found[role][1]) != "%"
        )
        if role not in found or is_better:
            found[role] = (column, text)
    return found


def _role(grid: Grid, first_row: int, column: int, text: str) -> Column | None:
    """Return what a column holds by its header text and the cells below."""
    if parse_quantity(text) is not None:
        return None
    role = column_of(text)
    if role in QUANTITIES and not _filled(grid, first_row, column):
        return text_column_of(text)
    return role


def _header_text(grid: Grid, row: int, depth: int, column: int) -> str:
    shown = (grid.shown_at(each, column) for each in range(row, row + depth))
    # By address: a header cell that is merged over several rows counts once.
    texts = {cell.address: cell.text for cell in shown if cell is not None}
    return " ".join(texts.values())


def _filled(grid: Grid, first_row: int, column: int) -> int:
    """Count the quantities in the first rows of a column."""
    rows = [row for row in grid.rows if row >= first_row]
    cells = (grid.at(row, column) for row in rows[:_SAMPLED_ROWS])
    # Cells of several lines hold the shares of several ingredients.
    return sum(
        cell.number is not None or any(map(parse_quantity, cell.text.split("\n")))
        for cell in cells
        if cell is not None
    )


def _inferred_quantity(
    grid: Grid, first_row: int, columns: Mapping[Column, tuple[int, str]]
) -> int | None:
    """Return the unnamed column whose numbers total 100 or 1."""
    taken = {column for column, _ in columns.values()}
    rows = [row for row in grid.rows if row >= first_row]
    free = {column for row in rows for column in grid.columns_of(row)} - taken
    return next((c for c in sorted(free) if _makes_a_whole(grid, rows, c)), None)


def _makes_a_whole(grid: Grid, rows: list[int], column: int) -> bool:
    cells = (grid.at(row, column) for row in rows)
    values = [
        quantity.upper
        for cell in cells
        if cell is not None and (quantity := parse_quantity(cell.text)) is not None
        if quantity.upper is not None
    ]
    if len(values) < 2:  # noqa: PLR2004 - one number is no column of shares
        return False
    # A total row below doubles the sum.
    total = sum(values, Decimal(0))
    return any(
        low <= whole <= high
        for whole in (total, total - values[-1])
        for low, high in (_WHOLE, _FRACTION)
    )
