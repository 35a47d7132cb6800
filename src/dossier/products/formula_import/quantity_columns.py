"""Chooses the columns that state the quantities of a formula.

Percentages of something else (cost, natural origin, a legal maximum) never count. Of
several columns that may state the same thing, the headers, visibility and sums decide;
where they leave two as plausible, both are named and none is trusted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from dossier.core.spreadsheets import column_letters
from dossier.products.formula_import.columns import (
    QUANTITIES,
    Column,
    bound_of,
    standing,
    unit_of,
)
from dossier.products.formula_import.labels import is_property, is_subtotal, is_total
from dossier.products.formula_import.numbers import column_mark, folded
from dossier.products.formula_import.quantities import (
    Quantity,
    QuantityKind,
    exact,
    parse_quantity,
)
from dossier.products.formula_import.types import (
    HUNDRED,
    ZERO,
    Grid,
    QuantityColumn,
)

_CLEAR_LEAD: Final = 2
"""Points by which the best column must lead the second to be taken unasked."""
_HIDDEN_PENALTY: Final = 20
_WHOLE: Final = (Decimal(99), Decimal(101))
_NEARLY_WHOLE: Final = (Decimal(90), Decimal(110))
_FRACTION: Final = (Decimal("0.99"), Decimal("1.01"))
_MIN_COMMON_ROWS: Final = Decimal("0.8")
_RATIO_MARGIN: Final = Decimal("0.01")
_MIN_LINES: Final = 2

RowRange = tuple[int, int]
"""The first and the last row of a table's body."""


@dataclass(slots=True)
class ChosenQuantities:
    """The quantity columns of a table by role, and those that were not taken."""

    read: dict[Column, QuantityColumn] = field(default_factory=dict)
    rivals: tuple[QuantityColumn, ...] = ()
    left_out: tuple[QuantityColumn, ...] = ()
    is_inferred: bool = False


@dataclass(slots=True)
class _QuantityCandidate:
    """A column with the quantities of its rows."""

    column: QuantityColumn
    role: Column
    values: dict[int, Quantity]
    score: int = 0

    @property
    def total(self) -> Decimal:
        intervals = (each.interval for each in self.values.values())
        return sum((each.upper for each in intervals if each), ZERO)

    @property
    def has_rest(self) -> bool:
        kinds = {each.kind for each in self.values.values()}
        return QuantityKind.REST in kinds

    @property
    def is_whole(self) -> bool:
        """Return whether the column makes a formula by itself."""
        if self.has_rest:
            return self.total <= _WHOLE[1]
        wholes = (_WHOLE, _FRACTION)
        return any(low <= self.total <= high for low, high in wholes)


def choose_quantities(
    grid: Grid,
    rows: RowRange,
    headers: Mapping[int, QuantityColumn],
    roles: Mapping[int, Column | None],
    wanted: str | None,
) -> ChosenQuantities:
    """Return the quantity columns; those of `wanted` where the caller names one."""
    if wanted is not None:
        return _wanted_quantities(headers, roles, wanted)
    candidates = [
        _candidate(grid, rows, headers[column], role)
        for column, role in sorted(roles.items())
        if role in QUANTITIES and role is not None
    ]
    if not candidates:
        return _inferred(grid, rows, headers, roles)
    bounds, candidates = _bounded(candidates)
    by_role: dict[Column, list[_QuantityCandidate]] = {}
    for each in _without_purities(candidates):
        by_role.setdefault(each.role, []).append(each)
    chosen = ChosenQuantities(read=dict(bounds))
    for role, group in by_role.items():
        best, rivals = _best(group)
        chosen.read[role] = best.column
        chosen.rivals += tuple(each.column for each in rivals)
    _choose_between_shares(chosen, by_role)
    read = {each.number for each in (*chosen.read.values(), *chosen.rivals)}
    chosen.left_out = tuple(
        headers[column]
        for column, role in sorted(roles.items())
        if role in QUANTITIES and column not in read
    )
    return chosen


def _candidate(
    grid: Grid, rows: RowRange, column: QuantityColumn, role: Column
) -> _QuantityCandidate:
    candidate = _QuantityCandidate(
        column, role, column_values(grid, rows, column.number)
    )
    unit = unit_of(column.header)
    points = 3 * standing(column.header)
    points += 2 * (unit in {"%", "g/kg", "mg/g", "mg/kg"})
    points -= _HIDDEN_PENALTY * column.is_hidden
    if candidate.is_whole:
        points += 3
    elif _NEARLY_WHOLE[0] <= candidate.total <= _NEARLY_WHOLE[1]:
        points += 1
    candidate.score = points
    return candidate


def column_values(grid: Grid, rows: RowRange, column: int) -> dict[int, Quantity]:
    """Return the quantities of a column by row, without totals and properties."""
    first, last = rows
    start, end = bisect_left(grid.rows, first), bisect_right(grid.rows, last)
    cells = {
        row: cell
        for row in grid.rows[start:end]
        if (cell := grid.at(row, column)) is not None
    }
    mark = column_mark(cell.text for cell in cells.values() if cell.number is None)
    values: dict[int, Quantity] = {}
    for row, cell in cells.items():
        quantity = (
            exact(cell.number)
            if cell.number is not None
            else parse_quantity(cell.text, mark)
        )
        label = grid.label_of(row)
        is_no_line = is_total(label) or is_subtotal(label) or is_property(label)
        is_alone = len(grid.columns_of(row)) == 1
        if quantity is not None and not is_no_line and not is_alone:
            values[row] = quantity
    return values


def _best(
    group: Sequence[_QuantityCandidate],
) -> tuple[_QuantityCandidate, list[_QuantityCandidate]]:
    """Return the best column and those that are as plausible and say otherwise."""
    ranked = sorted(group, key=lambda each: -each.score)
    best = ranked[0]
    rivals = [
        each
        for each in ranked[1:]
        if best.score - each.score < _CLEAR_LEAD and not _agree(best, each)
    ]
    return best, rivals


def _agree(one: _QuantityCandidate, other: _QuantityCandidate) -> bool:
    """Return whether two columns state the same shares, in other units or ranges."""
    common = one.values.keys() & other.values.keys()
    longest = max(len(one.values), len(other.values))
    if not common or len(common) < longest * _MIN_COMMON_ROWS:
        return False
    pairs = [
        (first, second)
        for row in common
        if (first := one.values[row].interval) is not None
        and (second := other.values[row].interval) is not None
    ]
    if not pairs:
        return False
    if all(a.lower <= b.upper and b.lower <= a.upper for a, b in pairs):
        return True
    if any(not (a.upper and b.upper) for a, b in pairs):
        pairs = [(a, b) for a, b in pairs if a.upper or b.upper]
    if any(not a.upper or not b.upper for a, b in pairs):
        return False
    ratios = [a.upper / b.upper for a, b in pairs]
    return max(ratios) - min(ratios) <= _RATIO_MARGIN * max(ratios)


def _bounded(
    candidates: Sequence[_QuantityCandidate],
) -> tuple[dict[Column, QuantityColumn], list[_QuantityCandidate]]:
    """Take out the columns of minima and maxima; a maximum alone is a legal limit."""
    shares = {Column.SUB_PERCENT}
    bounds = {
        each.column.number: bound_of(each.column.header)
        for each in candidates
        if each.role not in shares
    }
    lows = [c for c in candidates if bounds.get(c.column.number) is Column.MIN]
    highs = [c for c in candidates if bounds.get(c.column.number) is Column.MAX]
    others = [each for each in candidates if each not in (*lows, *highs)]
    if not lows or not highs:
        return {}, others
    low, high = (max(each, key=lambda c: c.score) for each in (lows, highs))
    # Beside a range, "exact" and "actual" are shares of the same kind.
    for each in others:
        if bounds.get(each.column.number) is Column.PERCENT:
            each.role = Column.PERCENT
            each.score += 1
    return {Column.MIN: low.column, Column.MAX: high.column}, others


def _without_purities(
    candidates: Sequence[_QuantityCandidate],
) -> list[_QuantityCandidate]:
    """Leave out an "active %" that is more than the share it would be a part of."""
    shares = [each for each in candidates if "activ" not in folded(each.column.header)]

    def is_purity(one: _QuantityCandidate) -> bool:
        return "activ" in folded(one.column.header) and any(
            value.upper is not None
            and row in other.values
            and value.upper > (other.values[row].upper or HUNDRED)
            for other in shares
            for row, value in one.values.items()
        )

    return [each for each in candidates if not is_purity(each)] or list(candidates)


def _choose_between_shares(
    chosen: ChosenQuantities, by_role: Mapping[Column, Sequence[_QuantityCandidate]]
) -> None:
    """Compare a plain column with one of shares of the product, row by row.

    Where no column states compositions, both mean the same.
    """
    pair = (Column.PERCENT, Column.PRODUCT_PERCENT)
    if Column.SUB_PERCENT in by_role or not all(role in by_role for role in pair):
        return
    if Column.RAW_PERCENT in by_role:
        return
    best, rivals = _best([*by_role[pair[0]], *by_role[pair[1]]])
    for role in pair:
        chosen.read.pop(role)
    chosen.read[best.role] = best.column
    chosen.rivals = tuple(each.column for each in rivals)


def _wanted_quantities(
    headers: Mapping[int, QuantityColumn],
    roles: Mapping[int, Column | None],
    wanted: str,
) -> ChosenQuantities:
    number = wanted_column(headers, wanted)
    if number is None:
        return ChosenQuantities()
    column = headers.get(number, QuantityColumn(number, "", ""))
    chosen = ChosenQuantities(read={Column.PERCENT: column})
    others = [n for n, role in sorted(roles.items()) if role in QUANTITIES]
    for other in others:
        if roles[other] is Column.SUB_PERCENT and other != number:
            chosen.read.setdefault(Column.SUB_PERCENT, headers[other])
    read = {each.number for each in chosen.read.values()}
    chosen.left_out = tuple(headers[other] for other in others if other not in read)
    return chosen


def wanted_column(headers: Mapping[int, QuantityColumn], wanted: str) -> int | None:
    """Return the column that a caller names by its header or its letter."""
    name = folded(wanted)
    named = [n for n, each in headers.items() if folded(each.header) == name]
    if named:
        return named[0]
    lettered = [n for n in headers if column_letters(n) == wanted.strip().upper()]
    numbered = [n for n in headers if wanted.strip().upper() in {f"C{n}", str(n)}]
    return next(iter((*lettered, *numbered)), None)


def inferred_quantities(
    grid: Grid, first_row: int, roles: Mapping[int, Column | None]
) -> list[int]:
    """Return the columns without a meaning whose numbers make a whole."""
    rows = (first_row, grid.rows[-1])
    return list(_wholes(grid, rows, roles))


def _wholes(
    grid: Grid, rows: RowRange, roles: Mapping[int, Column | None]
) -> Iterator[int]:
    first, last = rows
    body = [row for row in grid.rows if first <= row <= last]
    taken = {column for column, role in roles.items() if role is not None}
    free = {column for row in body for column in grid.columns_of(row)} - taken
    for column in sorted(free):
        values = list(column_values(grid, rows, column).values())
        uppers = [each.upper for each in values if each.upper is not None]
        if len(uppers) < _MIN_LINES and not any(
            each.kind is QuantityKind.REST for each in values
        ):
            continue
        # A total row without a label doubles the sum.
        total = sum(uppers, ZERO)
        sums = (total, total - uppers[-1]) if uppers else (total,)
        has_rest = any(each.kind is QuantityKind.REST for each in values)
        if (has_rest and total <= HUNDRED) or any(
            low <= whole <= high
            for whole in sums
            for low, high in (_NEARLY_WHOLE, _FRACTION)
        ):
            yield column


def _inferred(
    grid: Grid,
    rows: RowRange,
    headers: Mapping[int, QuantityColumn],
    roles: Mapping[int, Column | None],
) -> ChosenQuantities:
    hidden = set(grid.sheet.hidden_columns)
    group = [
        _candidate(
            grid,
            rows,
            headers.get(
                column,
                QuantityColumn(column, "", "", is_hidden=column in hidden),
            ),
            Column.PERCENT,
        )
        for column in _wholes(grid, rows, roles)
    ]
    if not group:
        return ChosenQuantities(is_inferred=True)
    best, rivals = _best(group)
    return ChosenQuantities(
        read={Column.PERCENT: best.column},
        rivals=tuple(each.column for each in rivals),
        is_inferred=True,
    )
