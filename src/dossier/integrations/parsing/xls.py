"""Reads the old xls format by xlrd, the one reader that gives number formats."""

import struct
from io import StringIO
from pathlib import Path
from typing import Any, Final

import xlrd
from xlrd.biffh import XLRDError
from xlrd.book import Book
from xlrd.compdoc import CompDocError
from xlrd.sheet import Sheet as XlsSheet

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import (
    Position,
    check_sheet_count,
    check_size,
    corrupt_on,
    covered_cells,
    typed_cell,
)
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_DAMAGES: Final = (
    XLRDError,
    CompDocError,
    struct.error,
    IndexError,
    KeyError,
    ValueError,
    AssertionError,
    UnicodeDecodeError,
)
_EMPTY: Final = frozenset({xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR})


def read(path: str) -> Workbook:
    """Read every sheet of an xls file."""
    content = Path(path).read_bytes()
    if _ENCRYPTED_STREAM in content:
        raise _encrypted()
    with corrupt_on(*_DAMAGES):
        try:
            book = xlrd.open_workbook(
                file_contents=content, formatting_info=True, logfile=StringIO()
            )
        except XLRDError as error:
            if "encrypted" in str(error).lower():
                raise _encrypted() from error
            raise
        check_sheet_count(book.nsheets)
        sheets = [_sheet(book, sheet) for sheet in book.sheets()]
    return Workbook(kind="xls", sheets=sheets)


def _encrypted() -> UnreadableFileError:
    detail = "the workbook is protected by a password; save it without one"
    return UnreadableFileError(UnreadableReason.ENCRYPTED, detail)


def _sheet(book: Book, sheet: XlsSheet) -> Sheet:
    check_size(sheet.name, sheet.nrows, sheet.ncols)
    cells = {
        (row + 1, column + 1): _cell(book, sheet, (row, column))
        for row in range(sheet.nrows)
        for column in range(sheet.row_len(row))
        if sheet.cell_type(row, column) not in _EMPTY
    }
    # xlrd's ranges exclude their last row and column.
    merged = [
        ((top, left), (bottom - 1, right - 1))
        for top, bottom, left, right in sheet.merged_cells
    ]
    cells |= covered_cells(merged, set(cells))
    return Sheet(
        name=sheet.name,
        is_hidden=sheet.visibility != 0,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=sorted(
            row + 1 for row, about in sheet.rowinfo_map.items() if about.hidden
        ),
    )


def _cell(book: Book, sheet: XlsSheet, position: Position) -> Cell:
    row, column = position
    style = book.xf_list[sheet.cell_xf_index(row, column)]
    number_format = book.format_map[style.format_key].format_str
    kind = sheet.cell_type(row, column)
    value: Any = sheet.cell_value(row, column)
    if kind == xlrd.XL_CELL_DATE:
        value = xlrd.xldate_as_datetime(value, book.datemode).isoformat()
    elif kind == xlrd.XL_CELL_BOOLEAN:
        value = bool(value)
    return typed_cell((row + 1, column + 1), value, number_format, None)
