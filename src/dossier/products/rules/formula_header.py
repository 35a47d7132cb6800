"""Finds the table of a formula: which sheet, which header rows, which columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.products.exceptions import FormulaSheetNotFoundError, NoFormulaFoundError
from dossier.products.rules.formula_words import (
    NAMES,
    QUANTITIES,
    Column,
    column_of,
    unit_of,
    word_column_of,
)
from dossier.products.rules.grid import Grid, GridCell, GridWorkbook
from dossier.products.rules.quantities import parse_quantity
from dossier.products.rules.stacks import lists_shares

_MAX_HEADER_ROWS: Final = 3
_MAX_SEARCHED_ROWS: Final = 300
_SAMPLED_ROWS: Final = 60
_WHOLE: Final = (Decimal(90), Decimal(110))
_FRACTION: Final = (Decimal("0.9"), Decimal("1.1"))


@dataclass(frozen=True, slots=True)
class FormulaTable:
    """Where a formula stands in a file."""

    grid: Grid
    columns: Mapping[Column, int]
    units: Mapping[Column, str | None]
    header: Mapping[Column, str]
    first_row: int
    is_quantity_inferred: bool
    other_sheets: tuple[str, ...] = ()
    other_quantities: tuple[str, ...] = ()

    @property
    def sheet(self) -> str:
        """Return the name of the sheet."""
        return self.grid.sheet.name


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One reading of some rows as a header."""

    grid: Grid
    roles: Mapping[Column, tuple[int, str]]
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
            2 * (Column.INCI in self.roles) + (Column.NAME in self.roles),
            len(self.roles),
            self.filled,
            -self.depth,
        )


def find_table(
    workbook: GridWorkbook, filename: str, sheet: str | None = None
) -> FormulaTable:
    """Return the most convincing formula of the file, or of the named sheet."""
    names = [each.name for each in workbook.sheets]
    if sheet is not None and sheet not in names:
        raise FormulaSheetNotFoundError(filename, sheet, names)
    grids = [Grid(each) for each in workbook.sheets if sheet in {None, each.name}]
    best = [found for grid in grids if (found := _best(_candidates(grid)))]
    chosen = _best(iter(best))
    if chosen is None:
        raise NoFormulaFoundError(filename, names)
    return _table(chosen, [each.grid for each in best])


def _best(candidates: Iterator[_Candidate]) -> _Candidate | None:
    return max(candidates, key=lambda each: each.rank, default=None)


def _table(chosen: _Candidate, grids: list[Grid]) -> FormulaTable:
    others = tuple(g.sheet.name for g in grids if g is not chosen.grid)
    places = chosen.roles
    return FormulaTable(
        grid=chosen.grid,
        columns={role: column for role, (column, _) in places.items()},
        units={r: unit_of(text) for r, (_, text) in places.items() if r in QUANTITIES},
        header={
            role: _header_address(chosen, column)
            for role, (column, _) in places.items()
        },
        first_row=chosen.first_row,
        is_quantity_inferred=chosen.is_inferred,
        other_sheets=others,
        other_quantities=tuple(_other_quantities(chosen)),
    )


def _other_quantities(chosen: _Candidate) -> Iterator[str]:
    """Yield the headers of quantities that give way to another column's."""
    row = chosen.first_row - chosen.depth
    read = {column for column, _ in chosen.roles.values()}
    for column in sorted(set(chosen.grid.columns(chosen.first_row - 1)) - read):
        text = _header_text(chosen.grid, row, chosen.depth, column)
        if _role(chosen.grid, chosen.first_row, column, text) in QUANTITIES:
            yield f"{_header_address(chosen, column)} {' '.join(text.split())}"


def _header_address(chosen: _Candidate, column: int) -> str:
    rows = range(chosen.first_row - 1, chosen.first_row - 1 - chosen.depth, -1)
    seen = (chosen.grid.seen(row, column) for row in rows)
    return next((cell.address for cell in seen if cell is not None), "")


def _candidates(grid: Grid) -> Iterator[_Candidate]:
    searched = grid.rows[:_MAX_SEARCHED_ROWS]
    for row in (each for each in searched if _may_head(grid, each)):
        for depth in range(1, _MAX_HEADER_ROWS + 1):
            if depth > 1 and _holds_numbers(grid, row + depth - 1):
                break
            candidate = _candidate(grid, row, depth)
            if candidate is not None:
                yield candidate


def _may_head(grid: Grid, row: int) -> bool:
    """Return whether any cell of the row names a column; most rows need no more."""
    return any(column_of(cell.text) is not None for cell in grid.own(row))


def _holds_numbers(grid: Grid, row: int) -> bool:
    cells = grid.own(row)
    return not cells or any(states_quantity(cell) for cell in cells)


def states_quantity(cell: GridCell) -> bool:
    """Return whether a cell holds a number or says a quantity: no header does."""
    return cell.number is not None or parse_quantity(cell.text) is not None


def _candidate(grid: Grid, row: int, depth: int) -> _Candidate | None:
    roles = _roles(grid, row, depth)
    if len(roles) < 2 or not NAMES & roles.keys():  # noqa: PLR2004 - a name and a quantity
        return None
    first_row = row + depth
    inferred = None
    if not QUANTITIES & roles.keys():
        inferred = _inferred_quantity(grid, first_row, roles)
        if inferred is None:
            return None
        roles[Column.PERCENT] = (inferred, "")
    roles = _with_listed_shares(grid, first_row, roles)
    filled = max(
        _filled(grid, first_row, roles[role][0]) for role in QUANTITIES & roles.keys()
    )
    return _Candidate(grid, roles, first_row, depth, filled, inferred is not None)


def _with_listed_shares(
    grid: Grid, first_row: int, roles: dict[Column, tuple[int, str]]
) -> dict[Column, tuple[int, str]]:
    """Let the column of names be that of sub-percentages too, where its cells are."""
    named = roles.get(Column.INCI) or roles.get(Column.NAME)
    if named is None or Column.SUB_PERCENT in roles:
        return roles
    cells = (grid.at(row, named[0]) for row in grid.rows if row >= first_row)
    if not any(cell is not None and lists_shares(cell.text) for cell in cells):
        return roles
    return roles | {Column.SUB_PERCENT: (named[0], "%")}


def _roles(grid: Grid, row: int, depth: int) -> dict[Column, tuple[int, str]]:
    columns = sorted({c for r in range(row, row + depth) for c in grid.columns(r)})
    roles: dict[Column, tuple[int, str]] = {}
    for column in columns:
        text = _header_text(grid, row, depth, column)
        role = _role(grid, row + depth, column, text)
        if role is not None and _is_better(role, text, roles.get(role)):
            roles[role] = (column, text)
    return roles


def _role(grid: Grid, first_row: int, column: int, text: str) -> Column | None:
    if parse_quantity(text) is not None:
        return None
    role = column_of(text)
    if role in QUANTITIES and not _filled(grid, first_row, column):
        return word_column_of(text)
    return role


def _is_better(role: Column, text: str, taken: tuple[int, str] | None) -> bool:
    """Return whether a column serves better than an earlier one of the same role.

    Where a batch is weighed out beside its percentages, the percentages count.
    """
    if taken is None:
        return True
    return role in QUANTITIES and unit_of(text) == "%" and unit_of(taken[1]) != "%"


def _header_text(grid: Grid, row: int, depth: int, column: int) -> str:
    seen = (grid.seen(each, column) for each in range(row, row + depth))
    addressed = {cell.address: cell.text for cell in seen if cell is not None}
    return " ".join(addressed.values())


def _filled(grid: Grid, first_row: int, column: int) -> int:
    rows = [row for row in grid.rows if row >= first_row]
    return sum(_is_quantity(grid, row, column) for row in rows[:_SAMPLED_ROWS])


def _is_quantity(grid: Grid, row: int, column: int) -> bool:
    cell = grid.at(row, column)
    if cell is None:
        return False
    # Cells of several lines hold the shares of several ingredients.
    return cell.number is not None or any(map(parse_quantity, cell.text.split("\n")))


def _inferred_quantity(
    grid: Grid, first_row: int, roles: Mapping[Column, tuple[int, str]]
) -> int | None:
    """Return the unnamed column whose numbers make a whole."""
    taken = {column for column, _ in roles.values()}
    free = {c for row in grid.rows if row >= first_row for c in grid.columns(row)}
    return next(
        (c for c in sorted(free - taken) if _makes_a_whole(grid, first_row, c)), None
    )


def _makes_a_whole(grid: Grid, first_row: int, column: int) -> bool:
    cells = [grid.at(row, column) for row in grid.rows if row >= first_row]
    values = [
        quantity.upper
        for cell in cells
        if cell is not None and (quantity := parse_quantity(cell.text)) is not None
        if quantity.upper is not None
    ]
    # A total row below doubles the sum.
    total = sum(values, Decimal(0))
    wholes = (total, total - values[-1]) if len(values) > 1 else ()
    return any(
        low <= whole <= high for whole in wholes for low, high in (_WHOLE, _FRACTION)
    )
