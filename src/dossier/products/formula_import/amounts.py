"""Converts the quantity cells of each column into per cent, and records how."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from dossier.products.formula_import.columns import QUANTITIES, Column
from dossier.products.formula_import.numbers import DecimalMark, column_mark, folded
from dossier.products.formula_import.quantities import (
    Quantity,
    QuantityKind,
    at_most,
    exact,
    is_blank,
    parse_quantity,
)
from dossier.products.formula_import.types import (
    HUNDRED,
    ZERO,
    Interval,
    RowKey,
    SourceRow,
    StatedCell,
)

_PER_CENT: Final[Mapping[str, Decimal]] = {
    "%": Decimal(1),
    "percent": Decimal(1),
    "pct": Decimal(1),
    "w/w": Decimal(1),
    "wt%": Decimal(1),
    "%w/w": Decimal(1),
    "%(w/w)": Decimal(1),
    "g/100g": Decimal(1),
    "‰": Decimal("0.1"),
    "g/kg": Decimal("0.1"),
    "mg/g": Decimal("0.1"),
    "mg/kg": Decimal("0.0001"),
    "μg/g": Decimal("0.0001"),
    "ppm": Decimal("0.0001"),
    "ppb": Decimal("0.0000001"),
}
_BATCH_UNITS: Final = frozenset({"g", "kg", "公克", "公斤", "克"})
_MINUS: Final = frozenset("-\u2212\uff0d\u2013")
# A number format that shows an upper limit: `"≤ "0.0`, `\\<0.0`.
_LITERAL_LIMIT: Final = re.compile(r'"[^"]*[<≤≦][^"]*"|\\[<≤≦]|^[<≤≦]')
_FRACTION_TOTAL: Final = (Decimal("0.95"), Decimal("1.05"))
"""Bounds of the sum of a column that is written in fractions of 1."""
_BATCH_TOTALS: Final = (HUNDRED, Decimal(1000))
_MIN_FRACTION_LINES: Final = 2
_WHOLE_MARGIN: Final = Decimal("0.05")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A quantity in per cent, with the cell that states it."""

    quantity: Quantity
    cell: StatedCell

    @property
    def is_rest(self) -> bool:
        """Return whether it takes what the other lines leave (`q.s.`)."""
        return self.quantity.kind is QuantityKind.REST

    @property
    def interval(self) -> Interval:
        """Return its bounds; a trace counts as 0, a missing upper bound as 100."""
        if self.quantity.kind is QuantityKind.TRACE:
            return Interval(ZERO, ZERO)
        upper = self.quantity.upper
        return Interval(self.quantity.lower, HUNDRED if upper is None else upper)

    @property
    def fills(self) -> bool:
        """Return whether it brings the formula to 100, which a pH adjuster does not."""
        return self.is_rest and not self.quantity.is_adjuster

    @property
    def largest(self) -> Decimal:
        """Return the largest number that it states."""
        return max(self.quantity.lower, self.quantity.upper or ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDecision:
    """How a column's numbers became per cent; the factor is 0 for an unknown unit."""

    column: Column
    unit: str
    factor: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountTable:
    """Every amount by row and column, and the cells that could not be parsed.

    `contradictions` are cells outside the range that their row states.
    """

    amounts: Mapping[tuple[RowKey, Column], Amount]
    decisions: tuple[UnitDecision, ...]
    unreadable: tuple[StatedCell, ...]
    unknown_units: tuple[tuple[str, StatedCell], ...]
    contradictions: tuple[StatedCell, ...] = ()

    def at(self, row: SourceRow, column: Column) -> Amount | None:
        """Return the amount of a row in a column."""
        return self.amounts.get((row.key, column))

    def total_in(self, column: Column, cell: StatedCell) -> Amount | None:
        """Return a stated total in per cent, in the unit of its column."""
        decision = next((d for d in self.decisions if d.column is column), None)
        quantity = quantity_of(cell, None)
        if decision is None or quantity is None:
            return None
        factor = _factor(quantity.unit, decision)
        if factor is None:
            return None
        return Amount(quantity=_scaled(quantity, factor), cell=cell)


@dataclass(slots=True)
class _ColumnReading:
    """The quantities of one column in the units of their cells."""

    column: Column
    header_unit: str | None
    stated: dict[RowKey, tuple[StatedCell, Quantity]]
    unreadable: list[StatedCell]
    material_starts: frozenset[RowKey]


def read_amounts(
    rows: Sequence[SourceRow],
    units: Mapping[Column, str | None],
    *,
    is_alone: bool = True,
) -> AmountTable:
    """Parse every quantity of the table and convert it into per cent.

    Minimum and maximum become one range in the column of shares. Only a table that is
    the whole formula (`is_alone`) can be recognised as written in fractions of 1.
    """
    readings = [
        _read_column(rows, column, units[column])
        for column in sorted(QUANTITIES & units.keys())
    ]
    decisions = {each.column: _decide_unit(each, is_alone) for each in readings}
    amounts: dict[tuple[RowKey, Column], Amount] = {}
    unknown: list[tuple[str, StatedCell]] = []
    for reading in readings:
        decision = decisions[reading.column]
        for row, (cell, quantity) in reading.stated.items():
            factor = _factor(quantity.unit, decision)
            if factor is None:
                unknown.append((quantity.unit or decision.unit, cell))
            scaled = _scaled(quantity, factor or Decimal(1))
            amounts[row, reading.column] = Amount(quantity=scaled, cell=cell)
    contradictions = _join_bounds(amounts)
    return AmountTable(
        amounts=amounts,
        contradictions=tuple(contradictions),
        decisions=tuple(decisions.values()),
        unreadable=tuple(cell for each in readings for cell in each.unreadable),
        unknown_units=tuple(unknown),
    )


def _join_bounds(amounts: dict[tuple[RowKey, Column], Amount]) -> list[StatedCell]:
    """Replace minimum and maximum by ranges; return cells that contradict them."""
    bounded = {row for row, column in amounts if column in {Column.MIN, Column.MAX}}
    wrong: list[StatedCell] = []
    for row in sorted(bounded):
        low = amounts.pop((row, Column.MIN), None)
        high = amounts.pop((row, Column.MAX), None)
        exactly = amounts.get((row, Column.PERCENT))
        rest = next((a for a in (exactly, low, high) if a and a.is_rest), None)
        if rest is not None:
            amounts[row, Column.PERCENT] = rest
            continue
        lower = low.quantity.lower if low else ZERO
        # "≤ 5" below "maximum" is 5; a minimum alone has no upper bound.
        upper = high.quantity.upper if high else None
        nominal = exactly.quantity.upper if exactly else None
        first = next(each for each in (exactly, low, high) if each)
        is_inside = nominal is None or (
            lower <= nominal and (upper is None or nominal <= upper)
        )
        if not is_inside or (upper is not None and lower > upper):
            amounts.pop((row, Column.PERCENT), None)
            wrong.append(first.cell)
            continue
        kind = QuantityKind.RANGE if upper is not None else QuantityKind.AT_LEAST
        if low is None and upper is not None:
            kind = QuantityKind.AT_MOST
        elif upper == lower:
            kind = QuantityKind.EXACT
        quantity = Quantity(kind=kind, lower=lower, upper=upper, nominal=nominal)
        amounts[row, Column.PERCENT] = Amount(quantity=quantity, cell=first.cell)
    return wrong


def _read_column(
    rows: Sequence[SourceRow], column: Column, header_unit: str | None
) -> _ColumnReading:
    cells = {
        row.key: row.quantities[column] for row in rows if column in row.quantities
    }
    mark = column_mark(cell.text for cell in cells.values() if cell.number is None)
    if mark is None and header_unit == "mg/kg":
        # "940,000" ppm is written in thousands.
        mark = DecimalMark.POINT
    starts = frozenset(row.key for row in rows if row.starts_material)
    reading = _ColumnReading(column, header_unit, {}, [], starts)
    for row, cell in cells.items():
        quantity = quantity_of(cell, mark)
        if quantity is not None:
            reading.stated[row] = (cell, quantity)
        elif not is_blank(cell.text) or cell.formula:
            reading.unreadable.append(cell)
    return reading


def quantity_of(cell: StatedCell, mark: DecimalMark | None) -> Quantity | None:
    """Return the quantity of a cell: its number if it holds one, else its text."""
    if cell.number is None:
        return None if is_blank(cell.text) else parse_quantity(cell.text, mark)
    if cell.number < ZERO:
        return None
    unit: str | None = "%"
    if cell.factor == 1:
        # A format such as `0.0" g/kg"` shows the unit beside the number.
        literals = re.findall(r'"([^"]*)"', cell.number_format or "")
        texts = (folded(each).replace(" ", "") for each in literals)
        unit = next((text for text in texts if text in _PER_CENT), None)
    if _LITERAL_LIMIT.search(cell.number_format or ""):
        return at_most(cell.number, unit=unit)
    return exact(cell.number, unit=unit)


def is_negative(cell: StatedCell) -> bool:
    """Return whether a cell states a number below 0."""
    if cell.number is not None:
        return cell.number < ZERO
    sign, bare = cell.text.strip()[:1], cell.text.strip()[1:]
    return sign in _MINUS and parse_quantity(bare) is not None


def _decide_unit(
    reading: _ColumnReading,
    is_alone: bool,  # noqa: FBT001 - passed on
) -> UnitDecision:
    unit = reading.header_unit
    if not unit:
        # The unit of weight that every cell states, else `%`.
        units = {quantity.unit for _, quantity in reading.stated.values()}
        stated = units.pop() if len(units) == 1 else None
        unit = stated if stated in _BATCH_UNITS else "%"
    unit = unit.replace(" ", "")
    may_be_fraction = is_alone or reading.column is Column.SUB_PERCENT
    if may_be_fraction and _holds_fractions(reading):
        return UnitDecision(column=reading.column, unit="fraction", factor=HUNDRED)
    if unit in _BATCH_UNITS:
        factor = _batch_factor(reading)
    else:
        factor = _PER_CENT.get(unit, ZERO)
    return UnitDecision(column=reading.column, unit=unit, factor=factor)


def _holds_fractions(reading: _ColumnReading) -> bool:
    """Return whether the column totals 1: its shares are written from 0 to 1."""
    if reading.column is Column.SUB_PERCENT:
        return _compositions_total_one(reading)
    if reading.column in {Column.MIN, Column.MAX}:
        return False
    bare = [q for _, q in reading.stated.values() if q.unit is None]
    if len(bare) < _MIN_FRACTION_LINES or len(bare) != len(reading.stated):
        return False
    if any(each.fills_to == Decimal(1) for each in bare):
        return True
    total = Interval.sum(each.interval or Interval(ZERO, ZERO) for each in bare)
    low, high = _FRACTION_TOTAL
    has_rest = any(each.kind is QuantityKind.REST for each in bare)
    return not has_rest and total.lower <= high and low <= total.upper <= high


def _compositions_total_one(reading: _ColumnReading) -> bool:
    """Return whether the composition of each raw material totals 1."""
    totals: list[Interval] = []
    for row, (_, quantity) in reading.stated.items():
        share = quantity.interval
        if share is None or quantity.unit is not None or share.upper > 1:
            return False
        is_full = bool(totals) and totals[-1].lower >= 1 - _WHOLE_MARGIN
        if row in reading.material_starts or is_full or not totals:
            totals.append(share)
        else:
            totals[-1] = Interval.sum((totals[-1], share))
    return all(each.distance(Decimal(1)) <= _WHOLE_MARGIN for each in totals)


def _batch_factor(reading: _ColumnReading) -> Decimal:
    """Return the factor for weights of a batch of 100 or 1000; 0 for another batch."""
    quantities = [quantity for _, quantity in reading.stated.values()]
    total = Interval.sum(each.interval or Interval(ZERO, ZERO) for each in quantities)
    for batch in _BATCH_TOTALS:
        is_filled_to = any(each.fills_to == batch for each in quantities)
        if is_filled_to or total.distance(batch) <= batch / HUNDRED:
            return HUNDRED / batch
    return ZERO


def _factor(unit: str | None, decision: UnitDecision) -> Decimal | None:
    if unit in {None, decision.unit}:
        return decision.factor or None
    return _PER_CENT.get(unit)


def _scaled(quantity: Quantity, factor: Decimal) -> Quantity:
    return replace(
        quantity,
        lower=quantity.lower * factor,
        upper=None if quantity.upper is None else quantity.upper * factor,
    )
