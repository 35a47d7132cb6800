"""Reads the rows below a formula's header: phases, ingredients, totals, remarks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from dossier.core.spreadsheets import Cell
from dossier.products.formula_import.columns import (
    NAMES,
    QUANTITIES,
    Column,
    column_of,
)
from dossier.products.formula_import.numbers import folded
from dossier.products.formula_import.quantities import (
    exact,
    parse_quantity,
    states_quantity,
)
from dossier.products.formula_import.stacked_cells import (
    split_listed_shares,
    split_stacked_row,
)
from dossier.products.formula_import.types import (
    HUNDRED,
    FormulaTable,
    SourceRow,
    StatedCell,
    StatedTotal,
)

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
# Properties of the product as a whole, and signatures.
_REMARK: Final = re.compile(
    r"(?:ph(?: value)?|viscosity|specific gravity|density|黏度|比重|密度"
    r"|(?:prepared|checked|approved|reviewed|signed|issued) by|date"
    r"|製表|製作|審核|核准|覆核|簽名|日期)人?\s*(?:[:(@].*)?"
)


class RowKind(StrEnum):
    """The kinds of rows of a formula table."""

    PHASE = "phase"
    TOTAL = "total"
    SUBTOTAL = "subtotal"
    REMARK = "remark"
    HEADER = "header"
    INGREDIENT = "ingredient"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """The content below a header."""

    rows: list[SourceRow]
    totals: list[StatedTotal]
    remarks: list[Cell]


def read_rows(table: FormulaTable) -> TableRows:
    """Return the ingredient rows, the stated total and the remarks of a table."""
    rows: list[SourceRow] = []
    totals: list[StatedTotal] = []
    remarks: list[Cell] = []
    phase: str | None = None
    for row in _body(table):
        kind = _kind(table, row)
        if kind is RowKind.PHASE:
            phase = _phase_name(table.grid.cells_of(row)[0].text)
        elif kind is RowKind.INGREDIENT:
            ingredient_row = _source_row(table, row, phase)
            phase = ingredient_row.phase
            rows.extend(split_stacked_row(ingredient_row))
        elif kind is RowKind.TOTAL:
            totals = _stated_totals(table, row)
        elif kind is RowKind.REMARK:
            remarks.extend(table.grid.cells_of(row))
    return TableRows(rows=_joined_repeats(rows), totals=totals, remarks=remarks)


def _body(table: FormulaTable) -> list[int]:
    """Return the rows of the table, up to its total."""
    rows = list(_rows_in_reach(table))
    totals = [
        row
        for row in rows
        if not _label_matches(table, row, _SUBTOTAL)
        and _label_matches(table, row, _TOTAL)
    ]
    values = [_total_value(table, row) for row in totals]
    for index, row in enumerate(totals):
        # A total that a later and larger one includes is a subtotal.
        if values[index] >= max(values[index:]):
            return rows[: rows.index(row) + 1]
    return rows


def _rows_in_reach(table: FormulaTable) -> Iterator[int]:
    """Yield the rows with content, up to a wide gap or the header of another table."""
    last = table.first_row
    for row in (each for each in table.grid.rows if each >= table.first_row):
        if row - last > _MAX_GAP_ROWS:
            return
        named = _header_columns(table, row)
        is_own = all(table.columns.get(role) == each for role, each in named.items())
        if _is_header(named) and not is_own:
            return
        if table.grid.cells_of(row):
            yield row
            last = row


def _total_value(table: FormulaTable, row: int) -> Decimal:
    """Return the largest value of a total row, 100 where it states none."""
    cells = [each.cell for each in _stated_totals(table, row)]
    quantities = (
        exact(cell.number) if cell.number is not None else parse_quantity(cell.text)
        for cell in cells
    )
    bounds = (each.upper for each in quantities if each is not None)
    return max((each for each in bounds if each is not None), default=HUNDRED)


def _header_columns(table: FormulaTable, row: int) -> dict[Column, int]:
    """Return the columns that a row names; none where it states a quantity."""
    cells = table.grid.cells_of(row)
    if any(states_quantity(cell) for cell in cells):
        return {}
    found = ((column_of(cell.text), cell.column) for cell in cells)
    return {role: column for role, column in found if role is not None}


def _is_header(columns: dict[Column, int]) -> bool:
    return bool(columns.keys() & QUANTITIES) and bool(columns.keys() & NAMES)


def _kind(table: FormulaTable, row: int) -> RowKind:
    first_text = table.grid.cells_of(row)[0].text
    checks = (
        (RowKind.SUBTOTAL, _label_matches(table, row, _SUBTOTAL)),
        (RowKind.TOTAL, _label_matches(table, row, _TOTAL)),
        (RowKind.HEADER, _is_header(_header_columns(table, row))),
        (RowKind.REMARK, _REMARK.fullmatch(folded(first_text)) is not None),
        (RowKind.INGREDIENT, _has_quantity(table, row)),
        (RowKind.PHASE, _is_phase_row(table, row)),
        (RowKind.INGREDIENT, _has_ingredient(table, row)),
    )
    return next((kind for kind, holds in checks if holds), RowKind.REMARK)


def _label_matches(table: FormulaTable, row: int, words: re.Pattern[str]) -> bool:
    """Return whether the first text of a row matches, and no INCI name follows it."""
    cells = [cell for cell in table.grid.cells_of(row) if cell.number is None]
    if table.columns.get(Column.INCI) in {cell.column for cell in cells[1:]}:
        return False
    return bool(cells) and words.search(folded(cells[0].text)) is not None


def _has_quantity(table: FormulaTable, row: int) -> bool:
    """Return whether the row has a quantity cell and any other text."""
    has_cell = any(
        table.grid.at(row, column) is not None
        for role, column in table.columns.items()
        if role in QUANTITIES
    )
    return has_cell and len(table.grid.cells_of(row)) > 1


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
    return is_named and len(shown) > 1


def _is_phase_row(table: FormulaTable, row: int) -> bool:
    cells = table.grid.cells_of(row)
    match = _PHASE.fullmatch(cells[0].text.strip())
    if len(cells) != 1 or match is None:
        return False
    # A letter alone is a phase only where the table has no column for phases.
    return match["letter"] is None or Column.PHASE not in table.columns


def _phase_name(text: str) -> str:
    match = _PHASE.fullmatch(text.strip())
    named = match and (match["en"] or match["zh"] or match["letter"])
    return (named or text).strip()


def _stated_totals(table: FormulaTable, row: int) -> list[StatedTotal]:
    found: list[StatedTotal] = []
    for role, column in table.columns.items():
        cell = table.grid.at(row, column)
        if role in QUANTITIES and cell is not None and cell.text:
            found.append(StatedTotal(cell=_stated_cell(cell), column=role))
    return found


def _source_row(table: FormulaTable, row: int, phase: str | None) -> SourceRow:
    grid = table.grid
    texts: dict[Column, str] = {}
    quantities: dict[Column, StatedCell] = {}
    cells: dict[Column, str] = {}
    for role, column in table.columns.items():
        # A merged text counts for every row it covers, a merged quantity only once.
        is_quantity = role in QUANTITIES
        cell = grid.at(row, column) if is_quantity else grid.shown_at(row, column)
        if cell is None or not (cell.text or cell.formula):
            continue
        cells[role] = cell.address
        if is_quantity:
            quantities[role] = _stated_cell(cell)
        else:
            texts[role] = cell.text.strip()
    _separate_listed_shares(table, texts, quantities)
    material_column = table.columns.get(Column.TRADE_NAME)
    return SourceRow(
        row=row,
        phase=texts.get(Column.PHASE) or phase,
        texts=texts,
        quantities=quantities,
        cells=cells,
        starts_material=(
            material_column is None or grid.at(row, material_column) is not None
        ),
        is_hidden=row in grid.sheet.hidden_rows,
    )


def _separate_listed_shares(
    table: FormulaTable,
    texts: dict[Column, str],
    quantities: dict[Column, StatedCell],
) -> None:
    """Separate names and shares where one column holds both."""
    shared = table.columns.get(Column.SUB_PERCENT)
    for role in [each for each in texts if table.columns[each] == shared]:
        cell = quantities.pop(Column.SUB_PERCENT)
        listed = split_listed_shares(cell.text)
        if listed is not None:
            texts[role] = listed[0]
            quantities[Column.SUB_PERCENT] = replace(cell, text=listed[1])


def _stated_cell(cell: Cell) -> StatedCell:
    return StatedCell(
        address=cell.address,
        text=cell.text,
        number=cell.number,
        number_format=cell.number_format,
        factor=cell.factor,
        has_formula=cell.formula is not None,
    )


def _joined_repeats(rows: list[SourceRow]) -> list[SourceRow]:
    """Make rows that repeat the raw material above, with a share of it, continue it."""
    joined = rows[:1]
    for above, row in pairwise(rows):
        name = row.text(Column.TRADE_NAME)
        is_repeat = (
            name is not None
            and name == above.text(Column.TRADE_NAME)
            and Column.SUB_PERCENT in row.quantities
        )
        joined.append(replace(row, starts_material=False) if is_repeat else row)
    return joined
