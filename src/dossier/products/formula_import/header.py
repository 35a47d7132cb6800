"""Finds the tables of a sheet: which header rows, which columns, which quantities."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dossier.products.formula_import.columns import (
    NAMES,
    QUANTITIES,
    UNUSED,
    Column,
    bound_of,
    column_of,
    name_column_of,
    standing,
    text_column_of,
    unit_of,
)
from dossier.products.formula_import.identifiers import find_cas, without_cas
from dossier.products.formula_import.labels import names_part
from dossier.products.formula_import.numbers import folded
from dossier.products.formula_import.quantities import parse_quantity, states_quantity
from dossier.products.formula_import.quantity_columns import (
    ChosenQuantities,
    choose_quantities,
    inferred_quantities,
    wanted_column,
)
from dossier.products.formula_import.row_content import lists_shares
from dossier.products.formula_import.types import FormulaTable, Grid, QuantityColumn

_MAX_HEADER_ROWS: Final = 3
_MAX_SEARCHED_ROWS: Final = 1000
_MAX_INFERRED_ROWS: Final = 20
_SAMPLED_ROWS: Final = 60
_MAX_TITLE_ROWS: Final = 3
_MAX_TABLES: Final = 20
_LIMIT_WORD: Final = re.compile(r"[上下]限|[상하]한")


@dataclass(frozen=True, slots=True)
class _HeaderCandidate:
    """Some rows of a sheet, interpreted as the header of a formula.

    `headers` and `roles` hold text and meaning of each column; `filled` counts the
    quantities below.
    """

    grid: Grid
    headers: Mapping[int, str]
    roles: Mapping[int, Column | None]
    first_row: int
    depth: int
    filled: int
    is_inferred: bool

    @property
    def named(self) -> set[Column]:
        """Return what its columns hold."""
        return {role for role in self.roles.values() if role is not None} - UNUSED

    @property
    def rank(self) -> tuple[int, bool, int, int, int, int, int, int]:
        """Rank: in force, quantity, names, columns, distinct, rows, units, flat."""
        named = self.named
        quantities = [c for c, role in self.roles.items() if role in QUANTITIES]
        return (
            standing(self.title),
            not self.is_inferred,
            2 * (Column.INCI in named) + (Column.NAME in named),
            len(named),
            len({self.headers[c] for c in quantities}),
            self.filled,
            # A row of units below the header belongs to it.
            sum(unit_of(self.headers[c]) is not None for c in quantities),
            -self.depth,
        )

    @property
    def title_rows(self) -> list[int]:
        """Return the rows directly above it that hold one text each."""
        return _title_rows(self.grid, self.first_row - self.depth, self.span)

    @property
    def title(self) -> str:
        """Return the texts directly above it."""
        return title_above(self.grid, self.first_row - self.depth, self.span)

    @property
    def span(self) -> tuple[int, int]:
        """Return the first and the last of its columns."""
        return min(self.headers), max(self.headers)

    def quantity_columns(self) -> dict[int, QuantityColumn]:
        """Return every column with its header and its lowest header cell."""
        hidden = set(self.grid.sheet.hidden_columns)
        return {
            column: QuantityColumn(
                number=column,
                header=text,
                address=self.address_of(column),
                is_hidden=column in hidden,
            )
            for column, text in self.headers.items()
        }

    def address_of(self, column: int) -> str:
        """Return the lowest header cell of a column."""
        rows = range(self.first_row - 1, self.first_row - 1 - self.depth, -1)
        shown = (self.grid.shown_at(row, column) for row in rows)
        return next((cell.address for cell in shown if cell is not None), "")


def find_tables(grid: Grid, wanted: str | None = None) -> list[FormulaTable]:
    """Return the tables of a sheet that name ingredients and quantities.

    The best ranked is the first, the others follow in the order of the sheet. A header
    that repeats the columns of the best one (after a page break) makes no table.
    """
    found = list(_candidates(grid, grid.rows[:_MAX_SEARCHED_ROWS]))
    if not found:
        # No header names a quantity: a column without a meaning may hold them.
        rows = grid.rows[:_MAX_INFERRED_ROWS]
        found = list(_candidates(grid, rows, may_infer=True))
    candidates = sorted(found, key=lambda each: each.rank, reverse=True)
    chosen: list[_HeaderCandidate] = []
    for candidate in candidates:
        if len(chosen) == _MAX_TABLES:
            break
        if not any(_collides(candidate, other) for other in chosen):
            chosen.append(candidate)
    chosen[1:] = sorted(chosen[1:], key=lambda each: (each.first_row, each.span))
    if wanted is not None:
        chosen.sort(key=lambda e: wanted_column(e.quantity_columns(), wanted) is None)
    return [
        _table(grid, index, candidate, chosen, wanted if index == 0 else None)
        for index, candidate in enumerate(chosen)
    ]


def _collides(candidate: _HeaderCandidate, other: _HeaderCandidate) -> bool:
    """Return whether two headers share cells, or the later one repeats the other."""
    if candidate.span[1] < other.span[0] or other.span[1] < candidate.span[0]:
        return False
    ends = sorted(
        (each.first_row - each.depth, each.first_row) for each in (candidate, other)
    )
    if ends[0][1] > ends[1][0]:
        return True
    return candidate.first_row > other.first_row and _continues(candidate, other)


def _continues(candidate: _HeaderCandidate, other: _HeaderCandidate) -> bool:
    """Return whether a header repeats another one above it, as after a page break.

    Under a title of its own, or where most of the names below stand above it as well,
    it heads another table.
    """
    used = {column: role for column, role in candidate.roles.items() if role}
    if candidate.is_inferred or any(
        other.roles.get(column) != role for column, role in used.items()
    ):
        return False
    title = candidate.title
    if title and title != other.title and not names_part(title):
        return False
    above = _names(other, candidate.first_row - candidate.depth)
    below = _names(candidate, candidate.grid.rows[-1])
    return 2 * len(above & below) < max(len(below), 1)


def _names(candidate: _HeaderCandidate, last_row: int) -> set[str]:
    """Return the folded names in the first rows below a header."""
    columns = [c for c, role in candidate.roles.items() if role in NAMES]
    rows = candidate.grid.rows
    start = bisect_left(rows, candidate.first_row)
    end = bisect_left(rows, last_row)
    cells = (
        candidate.grid.at(row, column)
        for row in rows[start : min(end + 1, start + _SAMPLED_ROWS)]
        for column in columns
    )
    return {folded(cell.text) for cell in cells if cell is not None and cell.text}


def _candidates(
    grid: Grid, rows: Sequence[int], *, may_infer: bool = False
) -> Iterator[_HeaderCandidate]:
    for row in rows:
        # Most rows name no column at all; only the others are worth more work.
        if not any(column_of(cell.text) is not None for cell in grid.cells_of(row)):
            continue
        for depth in range(1, _MAX_HEADER_ROWS + 1):
            added = grid.cells_of(row + depth - 1)
            if depth > 1 and (not added or any(map(states_quantity, added))):
                break
            yield from _candidates_at(grid, row, depth, may_infer=may_infer)


def _candidates_at(
    grid: Grid, row: int, depth: int, *, may_infer: bool
) -> Iterator[_HeaderCandidate]:
    rows = range(row, row + depth)
    columns = sorted({c for each in rows for c in grid.columns_of(each)})
    headers = {column: _header_text(grid, row, depth, column) for column in columns}
    headers = {column: text for column, text in headers.items() if text}
    roles = {
        column: _role(grid, row + depth, column, text)
        for column, text in headers.items()
    }
    if _has_quantities(roles):
        # An empty column of maxima beside one of minima belongs to the range.
        roles |= {
            column: column_of(text)
            for column, text in headers.items()
            if roles[column] is None and bound_of(text) in {Column.MIN, Column.MAX}
        }
        roles |= _upper_bounds(headers, roles)
    segments = _segments(grid, roles)
    for segment in segments:
        part_roles = {column: roles[column] for column in segment}
        candidate = _HeaderCandidate(
            grid=grid,
            headers={column: headers[column] for column in segment},
            roles=part_roles,
            first_row=row + depth,
            depth=depth,
            filled=max(
                (
                    _filled(grid, row + depth, column)
                    for column, role in part_roles.items()
                    if role in QUANTITIES
                ),
                default=0,
            ),
            is_inferred=not _has_quantities(part_roles),
        )
        if len(candidate.named) < 1 or not NAMES & candidate.named:
            continue
        if not candidate.is_inferred or (
            may_infer
            and len(segments) == 1
            and (len(candidate.named) > 1 or Column.INCI in candidate.named)
            and inferred_quantities(grid, row + depth, part_roles)
        ):
            yield candidate


def _has_quantities(roles: Mapping[int, Column | None]) -> bool:
    return any(role in QUANTITIES for role in roles.values())


def _upper_bounds(
    headers: Mapping[int, str], roles: Mapping[int, Column | None]
) -> dict[int, Column | None]:
    """Return columns such as 上限 that bound the shares beside a column of minima.

    Alone, the same word means what a law allows.
    """
    quantities = [headers[c] for c, role in roles.items() if role in QUANTITIES]
    lows = {_LIMIT_WORD.sub("", folded(each)) for each in quantities}
    return {
        column: Column.PERCENT
        for column, text in headers.items()
        if roles[column] is Column.OTHER
        and _LIMIT_WORD.search(folded(text))
        and bound_of(text) is Column.MAX
        and any(bound_of(each) is Column.MIN for each in quantities)
        and _LIMIT_WORD.sub("", folded(text)) in lows
    }


def _segments(grid: Grid, roles: Mapping[int, Column | None]) -> list[list[int]]:
    """Divide the columns of a header row into tables that stand side by side.

    A new table begins where a column of text returns, or after an empty column, once
    the columns before name ingredients and quantities; each part must do so.
    """
    segments: list[list[int]] = [[]]
    seen: set[Column] = set()
    for column, role in sorted(roles.items()):
        is_complete = bool(seen & NAMES) and bool(seen & QUANTITIES)
        # The composition of a raw material may stand apart from its trade name.
        names_ingredients = bool(seen & {Column.INCI, Column.NAME})
        returns = role in seen and role not in QUANTITIES | UNUSED
        is_apart = (
            names_ingredients
            and role is not None
            and role not in QUANTITIES | UNUSED
            and bool(segments[-1])
            and column - segments[-1][-1] > 1
            and not any(grid.at(row, column - 1) for row in grid.rows)
        )
        if is_complete and (returns or is_apart):
            segments.append([])
            seen = set()
        segments[-1].append(column)
        if role is not None:
            seen.add(role)
    whole = [
        segment
        for segment in segments
        if NAMES & {roles[column] for column in segment}
        and QUANTITIES & {roles[column] for column in segment}
    ]
    return whole if len(whole) == len(segments) else [sorted(roles)]


def _role(grid: Grid, first_row: int, column: int, text: str) -> Column | None:
    """Return what a column holds by its header text and the cells below."""
    if parse_quantity(text) is not None:
        return None
    role = column_of(text)
    named = name_column_of(text)
    if role is Column.CAS and named and _names_beside_cas(grid, first_row, column):
        return named
    if role in QUANTITIES and not _filled(grid, first_row, column):
        return text_column_of(text)
    return role


def _names_beside_cas(grid: Grid, first_row: int, column: int) -> bool:
    """Return whether most cells of a column hold a name and a CAS number."""
    start = bisect_left(grid.rows, first_row)
    found = (grid.at(row, column) for row in grid.rows[start : start + _SAMPLED_ROWS])
    texts = [cell.text for cell in found if cell is not None and find_cas(cell.text)]
    return sum(any(map(str.isalpha, without_cas(each))) for each in texts) * 2 > len(
        texts
    )


def _header_text(grid: Grid, row: int, depth: int, column: int) -> str:
    shown = (grid.shown_at(each, column) for each in range(row, row + depth))
    # By address: a header cell that is merged over several rows counts once.
    texts = {cell.address: cell.text for cell in shown if cell is not None}
    return " ".join(" ".join(texts.values()).split())


def _filled(grid: Grid, first_row: int, column: int) -> int:
    """Count the quantities in the first rows of a column."""
    start = bisect_left(grid.rows, first_row)
    rows = grid.rows[start : start + _SAMPLED_ROWS]
    cells = (grid.at(row, column) for row in rows)
    # Cells of several lines hold the shares of several ingredients.
    return sum(
        cell.number is not None
        or (cell.formula is not None and not cell.text)
        or any(map(parse_quantity, cell.text.split("\n")))
        for cell in cells
        if cell is not None
    )


def _table(
    grid: Grid,
    index: int,
    candidate: _HeaderCandidate,
    chosen: Sequence[_HeaderCandidate],
    wanted: str | None,
) -> FormulaTable:
    hidden = set(grid.sheet.hidden_columns)
    headers = candidate.quantity_columns()
    first_row = candidate.first_row
    last_row, bounds = _extent(candidate, chosen)
    quantities = choose_quantities(
        grid, (first_row, last_row), headers, candidate.roles, wanted
    )
    columns = _text_columns(candidate, hidden, quantities)
    read = {**columns, **{role: each.number for role, each in quantities.read.items()}}
    return FormulaTable(
        grid=grid,
        index=index,
        columns=read,
        units={
            role: "%" if role not in quantities.read else unit_of(each.header)
            for role, each in _columns_by_role(read, headers, quantities).items()
            if role in QUANTITIES
        },
        header=_columns_by_role(read, headers, quantities),
        headers=headers,
        roles=dict(candidate.roles),
        header_rows=(first_row - candidate.depth, first_row - 1),
        last_row=last_row,
        bounds=bounds,
        is_quantity_inferred=quantities.is_inferred,
        title=title_above(grid, first_row - candidate.depth, bounds),
        title_rows=tuple(_title_rows(grid, first_row - candidate.depth, bounds)),
        rivals=quantities.rivals,
        left_out=quantities.left_out,
    )


def _extent(
    candidate: _HeaderCandidate, chosen: Sequence[_HeaderCandidate]
) -> tuple[int, tuple[int, int]]:
    """Return the last row and the bounds that other tables leave to this one."""
    grid = candidate.grid
    last_row = grid.rows[-1]
    left, right = candidate.span
    first_column, last_column = 1, max(cell.column for cell in grid.sheet.cells)
    for other in chosen:
        if other is candidate:
            continue
        other_left, other_right = other.span
        if other_left > right:
            last_column = min(last_column, other_left - 1)
        elif other_right < left:
            first_column = max(first_column, other_right + 1)
        elif other.first_row > candidate.first_row:
            # The title above a table belongs to it.
            above = other.first_row - other.depth - 1 - len(other.title_rows)
            last_row = min(last_row, above)
    return last_row, (first_column, last_column)


def _text_columns(
    candidate: _HeaderCandidate, hidden: set[int], quantities: ChosenQuantities
) -> dict[Column, int]:
    """Return the first visible column of each kind of text.

    A column of names may hold shares or CAS numbers as well.
    """
    taken = {each.number for each in quantities.read.values()}
    columns: dict[Column, int] = {}
    for column, role in sorted(candidate.roles.items()):
        if role is None or role in QUANTITIES | UNUSED or column in taken:
            continue
        is_better = columns.get(role) in hidden and column not in hidden
        if role not in columns or is_better:
            columns[role] = column
    named = columns.get(Column.INCI) or columns.get(Column.NAME)
    if named is None or Column.SUB_PERCENT in columns:
        return columns
    # Shares of a composition, or else CAS numbers, may be written beside the names.
    grid, first_row = candidate.grid, candidate.first_row
    cells = (grid.at(row, named) for row in grid.rows if row >= first_row)
    if any(cell is not None and lists_shares(cell.text) for cell in cells):
        columns[Column.SUB_PERCENT] = named
    elif Column.CAS not in columns and _names_beside_cas(grid, first_row, named):
        columns[Column.CAS] = named
    return columns


def _columns_by_role(
    read: Mapping[Column, int],
    headers: Mapping[int, QuantityColumn],
    quantities: ChosenQuantities,
) -> dict[Column, QuantityColumn]:
    """Return the header of every column that is read, in the order of the sheet."""
    ordered = sorted(read.items(), key=lambda pair: pair[1])
    return {
        role: quantities.read.get(role)
        or headers.get(number, QuantityColumn(number, "", ""))
        for role, number in ordered
    }


def title_above(grid: Grid, first_row: int, bounds: tuple[int, int]) -> str:
    """Return the texts directly above a header, each alone in its row."""
    first, last = bounds
    texts = [
        cell.text
        for row in _title_rows(grid, first_row, bounds)
        for cell in grid.cells_of(row)
        if first <= cell.column <= last
    ]
    return " ".join(" ".join(texts).split())


def _title_rows(grid: Grid, first_row: int, bounds: tuple[int, int]) -> list[int]:
    first, last = bounds
    rows: list[int] = []
    for row in range(first_row - 1, max(first_row - 1 - _MAX_TITLE_ROWS, 0), -1):
        cells = [each for each in grid.cells_of(row) if first <= each.column <= last]
        if len(cells) != 1 or states_quantity(cells[0]):
            break
        rows.insert(0, row)
    return rows
