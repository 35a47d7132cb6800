"""The content of one ingredient row: texts and quantities, merged cells resolved.

Cells that list several ingredients, one per line, are divided; rows that repeat a raw
material continue it.
"""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Final

from dossier.core.spreadsheets import Cell
from dossier.products.formula_import.columns import NAMES, QUANTITIES, Column
from dossier.products.formula_import.identifiers import without_cas
from dossier.products.formula_import.numbers import half_width
from dossier.products.formula_import.quantities import is_blank, is_error_value
from dossier.products.formula_import.types import FormulaTable, SourceRow, StatedCell

_SHARE: Final = r"[<≤~]?\s*\d+(?:[.,]\d+)?(?:\s*-\s*\d+(?:[.,]\d+)?)?\s*%"
_NAMED_SHARE: Final = re.compile(
    rf"(?P<name>.*\w\)?)(?:\s*[(\[:]\s*|\s+-?\s*)(?P<share>{_SHARE})\s*[)\]]?"
)


def source_row(table: FormulaTable, row: int, phase: str | None) -> SourceRow:
    """Return what the columns of a table hold in one row."""
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
            quantities[role] = stated_cell(cell)
        elif not is_error_value(cell.text):
            texts[role] = cell.text.strip()
    _separate_listed_shares(table, row, texts, quantities)
    for role in NAMES & texts.keys():
        if table.columns[role] == table.columns.get(Column.CAS):
            texts[role] = without_cas(texts[role])
    material_column = table.columns.get(Column.TRADE_NAME)
    return SourceRow(
        table=table.index,
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
    row: int,
    texts: dict[Column, str],
    quantities: dict[Column, StatedCell],
) -> None:
    """Separate names and shares where one column holds both."""
    shared = table.columns.get(Column.SUB_PERCENT)
    for role in [each for each in texts if table.columns[each] == shared]:
        cell = quantities.pop(Column.SUB_PERCENT, None)
        anchor = table.grid.shown_at(row, table.columns[role])
        listed = split_listed_shares(texts[role])
        if listed is None or anchor is None:
            continue
        # A list that is merged over as many rows as it has lines is one per row.
        listed = listed_line(table, row) or listed
        if cell is None and row != anchor.row and listed_line(table, row) is None:
            # The whole list belongs to the first of the rows.
            del texts[role]
            continue
        texts[role] = listed[0]
        stated = cell or stated_cell(anchor)
        quantities[Column.SUB_PERCENT] = replace(stated, text=listed[1], number=None)


def listed_line(table: FormulaTable, row: int) -> tuple[str, str] | None:
    """Return the name and share of a row from a list that is merged over the rows."""
    column = table.columns.get(Column.SUB_PERCENT)
    if column is None:
        return None
    anchor = table.grid.shown_at(row, column)
    if anchor is None:
        return None
    covered = [
        each
        for each in table.grid.covered_rows(anchor, column)
        if table.first_row <= each <= table.last_row
    ]
    listed = split_listed_shares(anchor.text)
    # Rows without a cell of their own are not read one by one.
    if listed is None or not covered or not all(map(table.cells_of, covered)):
        return None
    count, index = len(covered) + 1, row - anchor.row
    names, shares = map(_cell_lines, listed)
    return (names[index], shares[index]) if len(names) == count else None


def stated_cell(cell: Cell) -> StatedCell:
    """Return a quantity cell with what its value is derived from."""
    return StatedCell(
        address=cell.address,
        text=cell.text,
        number=cell.number,
        number_format=cell.number_format,
        factor=cell.factor,
        formula=cell.formula,
    )


def joined_repeats(rows: list[SourceRow]) -> list[SourceRow]:
    """Make rows that repeat the raw material above, with a share of it, continue it.

    The raw material begins anew where its own share is stated again after rows
    without, or in another phase.
    """
    joined = rows[:1]
    for above, row in pairwise(rows):
        name = row.text(Column.TRADE_NAME)
        is_repeat = (
            name is not None
            and name == above.text(Column.TRADE_NAME)
            and Column.SUB_PERCENT in row.quantities
            and not states_share_anew(row, above)
        )
        joined.append(replace(row, starts_material=False) if is_repeat else row)
    return joined


def states_share_anew(row: SourceRow, above: SourceRow) -> bool:
    """Return whether a row begins another addition of the raw material above it.

    It states a share that the row above leaves to the rows before, or the share of
    another phase.
    """
    shares = {Column.RAW_PERCENT, Column.PERCENT}
    own = {role for role in row.quantities if role in shares and _is_stated(row, role)}
    earlier = {role for role in above.quantities if _is_stated(above, role)}
    if not own:
        return False
    return bool(own - earlier) or row.phase != above.phase


def _is_stated(row: SourceRow, role: Column) -> bool:
    return not is_blank(row.quantities[role].text)


def split_stacked_row(row: SourceRow) -> list[SourceRow]:
    """Return one row for each ingredient that the cells of a row list line by line.

    A name that is merely wrapped has no quantity for each of its lines.
    """
    name = Column.INCI if row.text(Column.INCI) else Column.NAME
    count = len(_cell_lines(row.texts.get(name, "")))
    stacked = {
        column: _cell_lines(cell.text)
        for column, cell in row.quantities.items()
        if cell.number is None and len(_cell_lines(cell.text)) == count
    }
    if count == 1 or not stacked:
        return [row]
    return [_row_of_line(row, index, count, stacked) for index in range(count)]


def lists_shares(text: str) -> bool:
    """Return whether a cell lists several ingredients, each with its share."""
    return len(_cell_lines(text)) > 1 and split_listed_shares(text) is not None


def split_listed_shares(text: str) -> tuple[str, str] | None:
    """Return the names and the shares of a cell that states both, line by line."""
    pairs = [_NAMED_SHARE.fullmatch(half_width(line)) for line in _cell_lines(text)]
    known = [pair for pair in pairs if pair is not None]
    if len(known) < len(pairs):
        return None
    names, shares = ([pair[group] for pair in known] for group in ("name", "share"))
    return "\n".join(names), "\n".join(shares)


def _cell_lines(text: str) -> list[str]:
    return [each.strip() for each in text.split("\n") if each.strip()] or [""]


def _row_of_line(
    row: SourceRow, index: int, count: int, stacked: dict[Column, list[str]]
) -> SourceRow:
    texts = {
        column: _cell_lines(text)[index] if len(_cell_lines(text)) == count else text
        for column, text in row.texts.items()
    }
    # A quantity that is not stacked counts once, with the first ingredient.
    quantities = {
        column: replace(cell, text=stacked[column][index])
        if column in stacked
        else cell
        for column, cell in row.quantities.items()
        if column in stacked or index == 0
    }
    return replace(
        row,
        index_in_row=index,
        texts=texts,
        quantities=quantities,
        starts_material=row.starts_material and index == 0,
    )
