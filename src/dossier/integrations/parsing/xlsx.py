"""Reads xlsx: values by calamine; formats, formulas, hidden rows by openpyxl."""

import warnings
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import Workbook as StyledBook
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import (
    Position,
    check_sheet_count,
    check_size,
    corrupt_on,
    covered_cells,
    typed_cell,
)


def read(path: str) -> Workbook:
    """Read every worksheet of an xlsx file."""
    with corrupt_on(CalamineError), CalamineWorkbook.from_path(path) as book:
        about_sheets = [
            about
            for about in book.sheets_metadata
            if about.typ == SheetTypeEnum.WorkSheet
        ]
        check_sheet_count(len(about_sheets))
        values = [book.get_sheet_by_name(about.name) for about in about_sheets]
        # Before openpyxl loads the file, which takes far more time and memory.
        for sheet in values:
            last_row, last_column = sheet.end or (-1, -1)
            check_size(sheet.name, last_row + 1, last_column + 1)
        styled = _styled_book(path)
        sheets = [
            _sheet(
                sheet,
                styled[about.name],
                is_hidden=about.visible != SheetVisibleEnum.Visible,
            )
            for sheet, about in zip(values, about_sheets, strict=True)
        ]
    return Workbook(kind="xlsx", sheets=sheets)


def _styled_book(path: str) -> StyledBook:
    # Drawings, validations and other contents that are not kept are warned of.
    with (
        warnings.catch_warnings(action="ignore"),
        corrupt_on(ValueError, KeyError, TypeError, BadZipFile, ParseError),
    ):
        # By content: given a path, the library would judge the file by its name.
        return load_workbook(BytesIO(Path(path).read_bytes()), keep_links=False)


def _sheet(values: CalamineSheet, styles: Worksheet, *, is_hidden: bool) -> Sheet:
    rows = values.to_python(skip_empty_area=False) if values.end else []
    cells: dict[Position, Cell] = {}
    for row, line in enumerate(rows, start=1):
        for column, value in enumerate(line, start=1):
            styled = styles.cell(row, column)
            formula = str(styled.value) if styled.data_type == "f" else None
            if value != "" or formula:
                number_format = str(styled.number_format)
                position = (row, column)
                cells[position] = typed_cell(position, value, number_format, formula)
    cells |= covered_cells(values.merged_cell_ranges or [], set(cells))
    return Sheet(
        name=values.name,
        is_hidden=is_hidden,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=sorted(
            row for row, about in styles.row_dimensions.items() if about.hidden
        ),
    )
