"""Reads xlsx: values by calamine; formats, formulas, hidden rows by openpyxl."""

import warnings
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import Workbook as StyledBook
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dossier.core.spreadsheets import Cell, Sheet, Workbook, address_of
from dossier.integrations.parsing.numerals import (
    exact_decimal,
    percent_factor,
    plain,
    shown,
)
from dossier.integrations.parsing.sheet_limits import (
    check_sheet_count,
    check_size,
    corrupt_on,
)

Position = tuple[int, int]


def read(path: str) -> Workbook:
    """Read every worksheet of an xlsx file."""
    with corrupt_on(CalamineError):
        sheets = _values_of(path)
    styled = _styled(path)
    return Workbook(kind="xlsx", sheets=[_sheet(values, styled) for values in sheets])


@dataclass(frozen=True, slots=True)
class _Values:
    """What calamine says of one sheet."""

    name: str
    is_hidden: bool
    rows: list[list[Any]]
    merged: list[tuple[Position, Position]]


def _values_of(path: str) -> list[_Values]:
    with CalamineWorkbook.from_path(path) as book:
        tables = [
            each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet
        ]
        check_sheet_count(len(tables))
        return [_values(book.get_sheet_by_name(each.name), each) for each in tables]


def _values(sheet: CalamineSheet, about: SheetMetadata) -> _Values:
    last_row, last_column = sheet.end or (-1, -1)
    check_size(sheet.name, last_row + 1, last_column + 1)
    return _Values(
        name=sheet.name,
        is_hidden=about.visible != SheetVisibleEnum.Visible,
        rows=sheet.to_python(skip_empty_area=False) if sheet.end else [],
        merged=sheet.merged_cell_ranges or [],
    )


def _styled(path: str) -> StyledBook:
    # Drawings, validations and other parts that are not kept are warned of.
    with (
        warnings.catch_warnings(action="ignore"),
        corrupt_on(ValueError, KeyError, TypeError, BadZipFile, ParseError),
    ):
        # By content: given a path, the library would judge the file by its name.
        return load_workbook(BytesIO(Path(path).read_bytes()), keep_links=False)


def _sheet(values: _Values, styled: StyledBook) -> Sheet:
    styles = styled[values.name]
    cells = {
        (row, column): _cell((row, column), value, styles)
        for row, line in enumerate(values.rows, start=1)
        for column, value in enumerate(line, start=1)
        if value != "" or _formula(styles, row, column)
    }
    cells |= covered_cells(values.merged, set(cells))
    return Sheet(
        name=values.name,
        is_hidden=values.is_hidden,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=sorted(
            row for row, about in styles.row_dimensions.items() if about.hidden
        ),
    )


def _formula(styles: Worksheet, row: int, column: int) -> str | None:
    cell = styles.cell(row, column)
    return str(cell.value) if cell.data_type == "f" else None


def _cell(position: Position, value: object, styles: Worksheet) -> Cell:
    row, column = position
    number_format = str(styles.cell(row, column).number_format)
    formula = _formula(styles, row, column)
    return typed_cell(position, value, number_format, formula)


def typed_cell(
    position: Position, value: object, number_format: str | None, formula: str | None
) -> Cell:
    """Return a cell from what a library read: a number, a word, a date or a boolean."""
    row, column = position
    number = _number(value)
    if number is None:
        text = "" if value is None else str(value).strip()
        return Cell(row=row, column=column, text=text, formula=formula)
    factor = percent_factor(number_format)
    return Cell(
        row=row,
        column=column,
        text=shown(plain(number * factor), factor),
        number=plain(number * factor),
        number_format=number_format,
        factor=factor,
        formula=formula,
    )


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return exact_decimal(value)


def covered_cells(
    merged: list[tuple[Position, Position]], filled: set[Position]
) -> dict[Position, Cell]:
    """Return the cells that merged ranges hide, each naming its anchor.

    Ranges count from 0 and include both corners.
    """
    return {
        (row + 1, column + 1): Cell(
            row=row + 1,
            column=column + 1,
            merged_from=address_of(top + 1, left + 1),
        )
        for (top, left), (bottom, right) in merged
        if (top + 1, left + 1) in filled
        for row, column in _inside(top, left, bottom, right)
    }


def _inside(top: int, left: int, bottom: int, right: int) -> list[Position]:
    check_size("merged range", bottom - top + 1, right - left + 1)
    return [
        (row, column)
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) != (top, left)
    ]
