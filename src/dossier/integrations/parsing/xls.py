"""Reads the old xls format by xlrd, the one reader that gives number formats."""

import struct
from decimal import Decimal
from io import StringIO
from typing import Any, BinaryIO, Final

import xlrd
from xlrd.biffh import XLRDError
from xlrd.book import Book
from xlrd.compdoc import CompDocError
from xlrd.sheet import Sheet as XlsSheet

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import (
    MAX_COLUMNS,
    Position,
    check_sheet_count,
    check_size,
    corrupt_on,
    covered_cells,
    crossed_out,
    day_text,
    exact_decimal,
    number_cell,
    superscript,
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
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
_EMPTY: Final = frozenset({xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK})
_SUPERSCRIPT: Final = 1


def read(file: BinaryIO) -> Workbook:
    """Read every sheet of an xls file."""
    file.seek(0)
    content = file.read()
    if _ENCRYPTED_STREAM in content:
        raise _encrypted()
    with corrupt_on(*_DAMAGES):
        try:
            book = _opened(content, with_formats=True)
        except XLRDError as error:
            if "encrypted" in str(error).lower():
                raise _encrypted() from error
            raise
        except _DAMAGES:
            # Damaged formats: the values alone.
            book = _opened(content, with_formats=False)
        check_sheet_count(book.nsheets)
        sheets = [_sheet(book, sheet) for sheet in book.sheets()]
    return Workbook(kind="xls", sheets=sheets, has_formats=bool(book.formatting_info))


def _opened(content: bytes, *, with_formats: bool) -> Book:
    return xlrd.open_workbook(
        file_contents=content, formatting_info=with_formats, logfile=StringIO()
    )


def _encrypted() -> UnreadableFileError:
    detail = "the workbook is protected by a password; save it without one"
    return UnreadableFileError(UnreadableReason.ENCRYPTED, detail)


def _sheet(book: Book, sheet: XlsSheet) -> Sheet:
    check_size(sheet.name, sheet.nrows, sheet.ncols)
    found = (
        _cell(book, sheet, (row, column))
        for row in range(sheet.nrows)
        for column in range(sheet.row_len(row))
        if sheet.cell_type(row, column) not in _EMPTY
    )
    cells = {
        (cell.row, cell.column): cell for cell in found if cell.text or cell.struck_text
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
        is_active=bool(sheet.sheet_visible),
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=sorted(
            row + 1 for row, about in sheet.rowinfo_map.items() if about.hidden
        ),
        hidden_columns=sorted(
            column + 1
            for column, about in sheet.colinfo_map.items()
            if (about.hidden or about.width == 0) and column < MAX_COLUMNS
        ),
    )


def _cell(book: Book, sheet: XlsSheet, position: Position) -> Cell:
    row, column = position
    number_format, is_struck = None, False
    if book.formatting_info:
        style = book.xf_list[sheet.cell_xf_index(row, column)]
        number_format = book.format_map[style.format_key].format_str
        is_struck = bool(book.font_list[style.font_index].struck_out)
    kind = sheet.cell_type(row, column)
    value: Any = sheet.cell_value(row, column)
    place = (row + 1, column + 1)
    if kind == xlrd.XL_CELL_NUMBER:
        cell = number_cell(place, exact_decimal(value), number_format)
        return crossed_out(cell) if is_struck else cell
    kept: list[str] = []
    struck: list[str] = []
    if kind == xlrd.XL_CELL_DATE:
        value = _day(book, value)
    elif kind == xlrd.XL_CELL_BOOLEAN:
        value = "TRUE" if value else "FALSE"
    elif kind == xlrd.XL_CELL_ERROR:
        value = xlrd.error_text_from_code.get(value, "#N/A")
    for text, is_run_struck in _runs(book, sheet, position, str(value), is_struck):
        (struck if is_run_struck else kept).append(text)
    return Cell(
        row=row + 1,
        column=column + 1,
        text="".join(kept).strip(),
        struck_text="".join(struck).strip(),
    )


def _day(book: Book, value: float) -> str:
    try:
        return day_text(xlrd.xldate_as_datetime(value, book.datemode))
    except (ValueError, OverflowError):
        return f"{Decimal(str(value)):f}"


def _runs(
    book: Book,
    sheet: XlsSheet,
    position: Position,
    text: str,
    is_struck: bool,  # noqa: FBT001 - the cell's own font
) -> list[tuple[str, bool]]:
    """Return the pieces of a text, raised ones as superscripts, with being struck."""
    starts = [(0, None), *sheet.rich_text_runlist_map.get(position, [])]
    runs: list[tuple[str, bool]] = []
    for index, (start, font_index) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(text)
        piece = text[start:end]
        if font_index is None:
            runs.append((piece, is_struck))
            continue
        font = book.font_list[font_index]
        if font.escapement == _SUPERSCRIPT:
            piece = superscript(piece)
        runs.append((piece, bool(font.struck_out)))
    return runs
