"""Spreadsheets for tests: the same rows in every format that is read."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

Rows = Sequence[Sequence[Any]]
NOTHING = (None, "")

PLAIN: Rows = (
    ("INCI Name", "CAS No.", "% w/w"),
    ("Aqua", "7732-18-5", 90),
    ("Glycerin", "56-81-5", 9.5),
    ("Phenoxyethanol", "122-99-6", 0.5),
)


def xlsx_bytes(
    rows: Rows = PLAIN,
    *,
    merged: Sequence[str] = (),
    formats: Mapping[str, str] | None = None,
    sheets: Mapping[str, Rows] | None = None,
    hidden_rows: Sequence[int] = (),
    hidden_sheets: Sequence[str] = (),
) -> bytes:
    """Return an xlsx; `sheets` come before the sheet `Formula` that holds `rows`."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, content in {**(sheets or {}), "Formula": rows}.items():
        sheet = book.create_sheet(name)
        for row, column, value in _values(content):
            sheet.cell(row + 1, column + 1, value)
        sheet.sheet_state = "hidden" if name in hidden_sheets else "visible"
    _format(book["Formula"], formats or {}, merged, hidden_rows)
    return _saved(book)


def _values(rows: Rows) -> Iterator[tuple[int, int, Any]]:
    for row, line in enumerate(rows):
        for column, value in enumerate(line):
            if value not in NOTHING:
                yield row, column, value


def _format(
    sheet: Any,
    formats: Mapping[str, str],
    merged: Sequence[str],
    hidden_rows: Sequence[int],
) -> None:
    for address, number_format in formats.items():
        sheet[address].number_format = number_format
    for area in merged:
        sheet.merge_cells(area)
    for row in hidden_rows:
        sheet.row_dimensions[row].hidden = True


def _saved(book: Any) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def xls_bytes(
    rows: Rows = PLAIN,
    *,
    formats: Mapping[tuple[int, int], str] | None = None,
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """Return an xls; positions count from 0, ranges are (top, bottom, left, right)."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Formula")
    for row, column, value in _values(rows):
        shape = (formats or {}).get((row, column), "General")
        sheet.write(row, column, value, xlwt.easyxf(num_format_str=shape))
    for area in merged:
        sheet.merge(*area)
    return _saved(book)


def ods_bytes(
    rows: Rows = PLAIN,
    *,
    percentages: Sequence[tuple[int, int]] = (),
    spans: Mapping[tuple[int, int], int] | None = None,
) -> bytes:
    """Return an ods; `spans` are rows that a cell covers, positions count from 0."""
    document = OpenDocumentSpreadsheet()
    table = Table(name="Formula")
    covered = {
        (top + offset, column)
        for (top, column), count in (spans or {}).items()
        for offset in range(1, count)
    }
    for row, line in enumerate(rows):
        element = TableRow()
        for column, value in enumerate(line):
            position = (row, column)
            if position in covered:
                element.addElement(CoveredTableCell())
                continue
            is_percentage = position in percentages
            span = (spans or {}).get(position, 1)
            element.addElement(_ods_cell(value, span, is_percentage=is_percentage))
        table.addElement(element)
    document.spreadsheet.addElement(table)
    return _saved(document)


def _ods_cell(value: Any, span: int, *, is_percentage: bool) -> Any:
    about: dict[str, Any] = {"numberrowsspanned": span} if span > 1 else {}
    if value in NOTHING:
        return TableCell(**about)
    if isinstance(value, int | float):
        kind = "percentage" if is_percentage else "float"
        about |= {"valuetype": kind, "value": value}
    else:
        about |= {"valuetype": "string"}
    cell = TableCell(**about)
    cell.addElement(P(text=str(value)))
    return cell


def csv_text(rows: Rows = PLAIN, delimiter: str = ",") -> str:
    """Return delimited text."""
    out = StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
