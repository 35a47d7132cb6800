"""Reads the rows below a formula's header: phases, ingredients, totals, remarks.

Every row gets a kind, so that no cell is left without a meaning or a finding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile
from typing import Final

from dossier.core.spreadsheets import Cell
from dossier.products.formula_import.columns import (
    NAMES,
    QUANTITIES,
    Column,
    column_of,
)
from dossier.products.formula_import.identifiers import states_identifier
from dossier.products.formula_import.labels import (
    is_other_table,
    is_part_of_above,
    is_phase_letter,
    is_property,
    is_subtotal,
    is_total,
    may_be_figure,
    names_part,
    names_substance,
    phase_name,
)
from dossier.products.formula_import.quantities import (
    QuantityKind,
    exact,
    parse_quantity,
    states_quantity,
)
from dossier.products.formula_import.row_content import (
    joined_repeats,
    listed_line,
    source_row,
    split_stacked_row,
    stated_cell,
)
from dossier.products.formula_import.types import (
    HUNDRED,
    ZERO,
    FormulaTable,
    SourceRow,
    StatedTotal,
)

_SUM_MARGIN: Final = Decimal("0.05")
_DETAILS: Final = frozenset(
    {
        Column.NUMBER,
        Column.PHASE,
        Column.TRADE_NAME,
        Column.SUPPLIER,
        Column.CAS,
        Column.EC,
        Column.FUNCTION,
    }
)
_MIN_FULL_ROWS: Final = 2
_MIN_COMMON_DETAILS: Final = 2
_MIN_NAMED_SHARE: Final = Decimal("0.6")
_WHOLES: Final = (Decimal(1), HUNDRED, Decimal(1000), Decimal(1_000_000))


class RowKind(StrEnum):
    """The kinds of rows of a formula table.

    `ASIDE` belongs to a table of another kind below the formula. `FIGURE` may be an
    ingredient or a figure, `UNREAD` names a substance and a quantity outside the
    formula, `WIDE` has more cells than the header of delimited text, `BARE` is a number
    without a name: these are reported and not taken.
    """

    PHASE = "phase"
    TOTAL = "total"
    SUBTOTAL = "subtotal"
    REMARK = "remark"
    ASIDE = "aside"
    PROPERTY = "property"
    HEADER = "header"
    INGREDIENT = "ingredient"
    FIGURE = "figure"
    UNREAD = "unread"
    WIDE = "wide"
    BARE = "bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """The content below a header, with the kind of each row.

    `foreign_rows` stand below a header that names something else than the formula.
    """

    rows: list[SourceRow]
    totals: list[StatedTotal]
    kinds: dict[int, RowKind]
    foreign_rows: frozenset[int] = frozenset()


def read_rows(table: FormulaTable) -> TableRows:
    """Return the ingredient rows, the stated total and the kind of every row."""
    kinds, foreign_rows = _kinds(table)
    for row in (*_bare_last_rows(table, kinds), *_wrong_phase_sums(table, kinds)):
        kinds[row] = RowKind.FIGURE
    rows: list[SourceRow] = []
    totals: list[StatedTotal] = []
    phase = phase_name(table.title) if names_part(table.title) else None
    for row, kind in kinds.items():
        if kind is RowKind.PHASE:
            text = table.cells_of(row)[0].text
            phase = phase_name(text) or text
        elif kind is RowKind.INGREDIENT:
            ingredient_row = source_row(table, row, phase)
            phase = ingredient_row.phase
            rows.extend(split_stacked_row(ingredient_row))
        elif kind is RowKind.TOTAL:
            totals = _stated_totals(table, row)
    return TableRows(
        rows=joined_repeats(rows),
        totals=totals,
        kinds=kinds,
        foreign_rows=frozenset(foreign_rows),
    )


def _kinds(table: FormulaTable) -> tuple[dict[int, RowKind], set[int]]:
    """Return the kind of each row, and the rows of tables of another kind."""
    rows = table.rows()
    end = _row_of_total(table, rows)
    kinds: dict[int, RowKind] = {}
    foreign_rows: set[int] = set()
    running = ZERO
    above = table.header_rows[1]
    is_foreign, is_aside_table, is_detached = False, False, False
    for row in rows:
        is_after_gap = row - above > 1
        is_after_total = end is not None and row > end
        above = row
        if is_after_gap:
            is_foreign, is_aside_table = False, False
            is_detached = True
        is_outside = is_after_gap or is_after_total
        if is_outside and _is_aside_title(table, row):
            is_aside_table = True
        elif is_outside and _is_foreign_header(table, row):
            is_foreign, is_detached = True, True
            cells = table.cells_of(row)
            is_aside_table = is_aside_table or any(
                is_other_table(c.text) for c in cells
            )
            kinds[row] = RowKind.ASIDE if is_aside_table else RowKind.REMARK
            continue
        if is_foreign:
            foreign_rows.add(row)
        kind = _kind(table, row, running, is_detached=is_detached or is_after_total)
        if is_aside_table:
            kind = RowKind.ASIDE
        elif kind is RowKind.INGREDIENT and (is_foreign or is_after_total):
            is_named = _has_name(table, row) or _identifiers(table, row)
            kind = RowKind.UNREAD if is_named else RowKind.REMARK
        elif kind is RowKind.TOTAL and is_after_total:
            kind = RowKind.REMARK
        if kind is RowKind.INGREDIENT:
            is_detached = False
            numbers = (cell.number for cell in _quantity_cells(table, row))
            running += max((number or ZERO for number in numbers), default=ZERO)
        kinds[row] = kind
    return kinds, foreign_rows


def _bare_last_rows(table: FormulaTable, kinds: dict[int, RowKind]) -> list[int]:
    """Return the last rows that may be figures of the product.

    They have a name that is no substance's and a quantity alone, where the rows above
    state more (such as phase and function), or name substances and need no more to
    come to 100.
    """
    rows = [row for row, kind in kinds.items() if kind is RowKind.INGREDIENT]
    stated = {row: _stated_details(table, row) for row in rows}
    bare: list[int] = []
    while rows and not stated[rows[-1]] and not _names_substance(table, rows[-1]):
        bare.append(rows.pop())
    if not bare or len(rows) < _MIN_FULL_ROWS:
        return []
    common = frozenset.intersection(*(stated[row] for row in rows))
    if len(common) >= _MIN_COMMON_DETAILS:
        return bare
    named = sum(_names_substance(table, row) for row in rows)
    if named < len(rows) * _MIN_NAMED_SHARE:
        return []
    total = _sum_of(table, [*rows, *bare])
    is_needed = total is not None and any(
        abs(total - whole) * HUNDRED <= whole for whole in _WHOLES
    )
    return [] if is_needed else bare


def _wrong_phase_sums(table: FormulaTable, kinds: dict[int, RowKind]) -> list[int]:
    """Return rows that look like the sum of a phase and are not: `Oil phase 5`.

    The sum stands above the rows of its phase, or below them. Where one of these is no
    single value (a rest), another sum of the table must be right.
    """
    borders = {RowKind.SUBTOTAL, RowKind.PHASE, RowKind.TOTAL, RowKind.HEADER}
    rows = list(kinds)
    right, wrong, unknown = 0, [], []
    for index, row in enumerate(rows):
        is_sum = kinds[row] is RowKind.SUBTOTAL and _is_sum_of_phase(table, row)
        if not is_sum or _label_says(table, row, is_subtotal):
            continue
        stated = _sum_of(table, [row])
        sums: list[Decimal | None] = []
        for side in (rows[index + 1 :], rows[:index][::-1]):
            group = takewhile(lambda each: kinds[each] not in borders, side)
            found = [each for each in group if kinds[each] is RowKind.INGREDIENT]
            sums += [_sum_of(table, found)] if found else []
        known = [each for each in sums if each is not None]
        if stated is not None and any(abs(e - stated) <= _SUM_MARGIN for e in known):
            right += 1
        elif stated is None or len(known) < len(sums):
            unknown.append(row)
        else:
            wrong.append(row)
    return wrong if right else [*wrong, *unknown]


def _names_substance(table: FormulaTable, row: int) -> bool:
    return names_substance(_label(table, row)) or _identifiers(table, row)


def _sum_of(table: FormulaTable, rows: Sequence[int]) -> Decimal | None:
    """Return the sum of the rows, `None` where one of them is no single value."""
    values: list[Decimal] = []
    for row in rows:
        found = [cell for cell in _quantity_cells(table, row) if cell.text]
        if len(found) != 1:
            return None
        number, quantity = found[0].number, parse_quantity(found[0].text)
        if number is None and quantity and quantity.kind is QuantityKind.EXACT:
            number = quantity.upper
        if number is None:
            return None
        values.append(number)
    return sum(values, ZERO)


def _stated_details(table: FormulaTable, row: int) -> frozenset[Column]:
    return frozenset(
        role
        for role, column in table.columns.items()
        if role in _DETAILS
        and (cell := table.grid.shown_at(row, column)) is not None
        and cell.text
    )


def _row_of_total(table: FormulaTable, rows: Sequence[int]) -> int | None:
    """Return the row of the total that ends the formula, `None` without one."""
    # One directly below the header heads the formula.
    totals = [
        row
        for row in rows[1:]
        if _label_says(table, row, is_total)
        and not _label_says(table, row, is_subtotal)
    ]
    values = [_total_value(table, row) for row in totals]
    for index, row in enumerate(totals):
        # A total that a later and larger one includes is a subtotal.
        if values[index] >= max(values[index:]):
            return row
    return None


def _label_says(table: FormulaTable, row: int, says: Callable[[str], bool]) -> bool:
    """Return whether the first text of a row says so, and no INCI name follows it."""
    cells = [cell for cell in table.cells_of(row) if cell.number is None]
    if table.columns.get(Column.INCI) in {cell.column for cell in cells[1:]}:
        # A phase or a number may stand before "Total" in the column of names.
        cells = [c for c in cells if c.column == table.columns.get(Column.INCI)]
        return says(cells[0].text) and not _identifiers(table, row)
    return bool(cells) and says(cells[0].text)


def _total_value(table: FormulaTable, row: int) -> Decimal:
    """Return the largest value of a total row, 100 where it states none."""
    cells = [each.cell for each in _stated_totals(table, row)]
    quantities = (
        exact(cell.number) if cell.number is not None else parse_quantity(cell.text)
        for cell in cells
    )
    bounds = (each.upper for each in quantities if each is not None)
    return max((each for each in bounds if each is not None), default=HUNDRED)


def _is_foreign_header(table: FormulaTable, row: int) -> bool:
    """Return whether a row heads another kind of table: texts alone, one per column."""
    cells = table.cells_of(row)
    quantities = {table.columns[role] for role in QUANTITIES & table.columns.keys()}
    if len(cells) < 2 or any(states_quantity(cell) for cell in cells):  # noqa: PLR2004
        return False
    if _is_own_header(table, row) or _identifiers(table, row):
        return False
    is_over_quantities = any(cell.column in quantities for cell in cells)
    return is_over_quantities and not is_property(_label(table, row))


def _is_aside_title(table: FormulaTable, row: int) -> bool:
    """Return whether a row is the title of another kind of table: one text alone."""
    cells = table.cells_of(row)
    return (
        len(cells) == 1
        and cells[0].number is None
        and is_other_table(cells[0].text)
        and bool(table.cells_of(row + 1))
    )


def _is_own_header(table: FormulaTable, row: int) -> bool:
    """Return whether a row repeats the header of the table."""
    cells = table.cells_of(row)
    if any(states_quantity(cell) for cell in cells):
        return False
    found = ((column_of(cell.text), cell.column) for cell in cells)
    named = {role: column for role, column in found if role is not None}
    return bool(named.keys() & QUANTITIES) and bool(named.keys() & NAMES)


def _kind(
    table: FormulaTable, row: int, running: Decimal, *, is_detached: bool
) -> RowKind:
    label = _label(table, row)
    first = next((c.text for c in table.cells_of(row) if c.number is None), "")
    names_property = is_property(first) or is_property(label)
    has_identifiers = _identifiers(table, row)
    checks = (
        (RowKind.SUBTOTAL, _label_says(table, row, is_subtotal)),
        (RowKind.TOTAL, _label_says(table, row, is_total)),
        (RowKind.HEADER, _is_own_header(table, row)),
        (RowKind.WIDE, _is_wide(table, row)),
        (RowKind.PROPERTY, names_property and not has_identifiers),
        (RowKind.SUBTOTAL, _is_sum_of_phase(table, row) and not has_identifiers),
        (RowKind.SUBTOTAL, _is_bare_sum(table, row, running)),
        (RowKind.BARE, _is_bare(table, row)),
    )
    kind = next((kind for kind, holds in checks if holds), None)
    if kind is not None:
        return kind
    if is_part_of_above(label):
        return RowKind.FIGURE if _has_readable(table, row) else RowKind.REMARK
    if _has_quantity(table, row) and not has_identifiers:
        # Two columns of texts below the formula are no ingredients without quantities.
        if is_detached and not _has_readable(table, row):
            return RowKind.REMARK
        return RowKind.FIGURE if may_be_figure(label) else RowKind.INGREDIENT
    if _is_phase_row(table, row):
        return RowKind.PHASE
    is_named = _has_ingredient(table, row) and not is_detached
    is_ingredient = is_named or _has_quantity(table, row)
    return RowKind.INGREDIENT if is_ingredient else RowKind.REMARK


def _label(table: FormulaTable, row: int) -> str:
    """Return the name of a row, else its first text."""
    for role in (Column.INCI, Column.NAME, Column.TRADE_NAME):
        column = table.columns.get(role)
        cell = table.grid.at(row, column) if column is not None else None
        if cell is not None and cell.text and cell.number is None:
            return cell.text
    return next((c.text for c in table.cells_of(row) if c.number is None), "")


def _identifiers(table: FormulaTable, row: int) -> bool:
    """Return whether a row states a CAS or EC number with a right check digit."""
    return any(states_identifier(cell.text) for cell in table.cells_of(row))


def _quantity_cells(table: FormulaTable, row: int) -> list[Cell]:
    cells = (
        table.grid.at(row, column)
        for role, column in table.columns.items()
        if role in QUANTITIES
    )
    return [cell for cell in cells if cell is not None and (cell.text or cell.formula)]


def _has_quantity(table: FormulaTable, row: int) -> bool:
    """Return whether the row has a quantity cell and any other text."""
    cells = _quantity_cells(table, row)
    addresses = {cell.address for cell in cells}
    others = [c for c in table.cells_of(row) if c.address not in addresses]
    return bool(cells) and (bool(others) or len(addresses) > 1)


def _has_readable(table: FormulaTable, row: int) -> bool:
    return any(states_quantity(cell) for cell in _quantity_cells(table, row))


def _is_sum_of_phase(table: FormulaTable, row: int) -> bool:
    """Return whether a row states a quantity beside the name of a phase alone."""
    texts = [cell.text for cell in table.cells_of(row) if cell.number is None]
    names = [text for text in texts if parse_quantity(text) is None]
    return (
        len(names) == 1
        and phase_name(names[0]) is not None
        and not is_phase_letter(names[0])
        and _has_readable(table, row)
    )


def _has_name(table: FormulaTable, row: int) -> bool:
    """Return whether a column of names holds a text in this row."""
    cells = (
        table.grid.shown_at(row, column)
        for role, column in table.columns.items()
        if role in NAMES
    )
    return any(cell is not None and cell.number is None and cell.text for cell in cells)


def _is_bare(table: FormulaTable, row: int) -> bool:
    """Return whether a row has nothing but numbers, one of them a quantity."""
    cells = table.cells_of(row)
    has_text = any(cell.number is None and not states_quantity(cell) for cell in cells)
    covered = any(
        table.grid.shown_at(row, column) is not None
        for role, column in table.columns.items()
        if role in NAMES
    )
    return not has_text and not covered and _has_readable(table, row)


def _is_bare_sum(table: FormulaTable, row: int, running: Decimal) -> bool:
    """Return whether a row without a label states the sum of the rows above, or 100."""
    if not _is_bare(table, row) or len(table.cells_of(row)) > 1:
        return False
    value = _total_value(table, row)
    return abs(value - running) <= _SUM_MARGIN or value in {Decimal(1), HUNDRED}


def _is_wide(table: FormulaTable, row: int) -> bool:
    """Return whether delimited text has a cell here that no header covers."""
    widths = table.grid.sheet.row_widths
    if not widths or not _has_quantity(table, row):
        return False
    return any(cell.column not in table.headers for cell in table.cells_of(row))


def _has_ingredient(table: FormulaTable, row: int) -> bool:
    """Return whether the row names an ingredient and has another cell of the table."""
    is_named = any(
        table.grid.at(row, column) is not None
        for role, column in table.columns.items()
        if role in NAMES
    )
    shown = [
        column
        for column in table.grid.columns_of(row)
        if column in table.columns.values() and table.grid.shown_at(row, column)
    ]
    return (is_named and len(shown) > 1) or listed_line(table, row) is not None


def _is_phase_row(table: FormulaTable, row: int) -> bool:
    cells = table.cells_of(row)
    if len(cells) != 1 or phase_name(cells[0].text) is None:
        return False
    # A letter alone is a phase only where the table has no column for phases.
    return not is_phase_letter(cells[0].text) or Column.PHASE not in table.columns


def _stated_totals(table: FormulaTable, row: int) -> list[StatedTotal]:
    found: list[StatedTotal] = []
    for role, column in table.columns.items():
        cell = table.grid.at(row, column)
        if role in QUANTITIES and cell is not None and cell.text:
            found.append(StatedTotal(cell=stated_cell(cell), column=role))
    return found
