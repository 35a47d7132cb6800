"""Reads the old xls format by xlrd, the one reader that tells number formats."""

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
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.sheet_limits import (
    check_sheet_count,
    check_size,
    corrupt_on,
)
from dossier.integrations.parsing.sheet_xlsx import (
    Position,
    covered_cells,
    typed_cell,
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


def read(path: str) -> Workbook:
    """Read every sheet of an xls file."""
    content = Path(path).read_bytes()
    if _ENCRYPTED_STREAM in content:
        raise _encrypted()
    with corrupt_on(*_DAMAGES):
        book = _opened(content)
        check_sheet_count(book.nsheets)
        return Workbook(
            kind="xls", sheets=[_sheet(book, sheet) for sheet in book.sheets()]
        )


def _encrypted() -> UnreadableFileError:
    detail = "the workbook is protected by a password; save it without one"
    return UnreadableFileError(UnreadableReason.ENCRYPTED, detail)


def _opened(content: bytes) -> Book:
    try:
        return xlrd.open_workbook(
            file_contents=content, formatting_info=True, logfile=StringIO()
        )
    except XLRDError as error:
        if "encrypted" in str(error).lower():
            raise _encrypted() from error
        raise


def _sheet(book: Book, sheet: XlsSheet) -> Sheet:
    check_size(sheet.name, sheet.nrows, sheet.ncols)
    cells = {
        (row + 1, column + 1): _cell(book, sheet, (row, column))
        for row in range(sheet.nrows)
        for column in range(sheet.row_len(row))
        if sheet.cell_type(row, column) not in _EMPTY
    }
    cells |= covered_cells(_merged(sheet), set(cells))
    return Sheet(
        name=sheet.name,
        is_hidden=sheet.visibility != 0,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=sorted(
            row + 1 for row, about in sheet.rowinfo_map.items() if about.hidden
        ),
    )


_EMPTY: Final = frozenset({xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR})


def _merged(sheet: XlsSheet) -> list[tuple[Position, Position]]:
    # xlrd's ranges exclude their last row and column.
    return [
        ((top, left), (bottom - 1, right - 1))
        for top, bottom, left, right in sheet.merged_cells
    ]


def _cell(book: Book, sheet: XlsSheet, position: Position) -> Cell:
    row, column = position
    style = book.xf_list[sheet.cell_xf_index(row, column)]
    number_format = book.format_map[style.format_key].format_str
    value = _value(book, sheet, position)
    return typed_cell((row + 1, column + 1), value, number_format, None)


def _value(book: Book, sheet: XlsSheet, position: Position) -> object:
    kind = sheet.cell_type(*position)
    value: Any = sheet.cell_value(*position)
    if kind == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(value, book.datemode).isoformat()
    return bool(value) if kind == xlrd.XL_CELL_BOOLEAN else value
