"""Reads ods from its own XML: values are exact decimal text, percentages typed."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import (
    MAX_COLUMNS,
    MAX_ROWS,
    Position,
    check_sheet_count,
    check_size,
    corrupt_on,
    covered_cells,
    number_text,
    plain,
)
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MANIFEST: Final = "META-INF/manifest.xml"
_SKIPPED: Final = frozenset({f"{_OFFICE}annotation"})
_NUMBERS: Final = {"float": 1, "percentage": 100, "currency": 1}


def read(path: str) -> Workbook:
    """Read every table of an ods file."""
    with (
        corrupt_on(BadZipFile, KeyError, ParseError, DefusedXmlException, ValueError),
        ZipFile(path) as archive,
    ):
        names = archive.namelist()
        if _MANIFEST in names and b"encryption-data" in archive.read(_MANIFEST):
            detail = "the workbook is protected by a password; save it without one"
            raise UnreadableFileError(UnreadableReason.ENCRYPTED, detail)
        with archive.open("content.xml") as content:
            root = parse(content).getroot()
    if root is None:
        raise UnreadableFileError(UnreadableReason.CORRUPT, "content.xml is empty")
    tables = list(root.iter(f"{_TABLE}table"))
    check_sheet_count(len(tables))
    hidden_styles = frozenset(
        style.get(f"{_STYLE}name", "")
        for style in root.iter(f"{_STYLE}style")
        for properties in style.iter(f"{_STYLE}table-properties")
        if properties.get(f"{_TABLE}display") == "false"
    )
    sheets = [_sheet(table, hidden_styles) for table in tables]
    return Workbook(kind="ods", sheets=sheets)


def _sheet(table: Element, hidden_styles: frozenset[str]) -> Sheet:
    name = table.get(f"{_TABLE}name", "")
    cells: dict[Position, Cell] = {}
    merged: list[tuple[Position, Position]] = []
    hidden_rows: list[int] = []
    for row, row_element in _rows(table):
        if row_element.get(f"{_TABLE}visibility") in {"collapse", "filter"}:
            hidden_rows.append(row)
        for column, element in _cells(row_element):
            cell = _cell((row, column), element)
            if cell is None:
                continue
            check_size(name, row, column)
            cells[row, column] = cell
            rows = _count(element, "number-rows-spanned")
            columns = _count(element, "number-columns-spanned")
            if rows * columns > 1:
                last = (row + rows - 2, column + columns - 2)
                merged.append(((row - 1, column - 1), last))
    cells |= covered_cells(merged, set(cells))
    return Sheet(
        name=name,
        is_hidden=table.get(f"{_TABLE}style-name") in hidden_styles,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=hidden_rows,
    )


def _rows(table: Element) -> Iterator[tuple[int, Element]]:
    row = 0
    for element in table.iter(f"{_TABLE}table-row"):
        repeat = _count(element, "number-rows-repeated")
        # Empty space is written as one row that repeats to the end of the sheet.
        if any(_has_content(cell) for cell in element):
            for offset in range(min(repeat, MAX_ROWS)):
                yield row + offset + 1, element
        row += repeat


def _cells(row: Element) -> Iterator[tuple[int, Element]]:
    column = 0
    for element in row:
        if not element.tag.endswith("table-cell"):
            continue
        repeat = _count(element, "number-columns-repeated")
        if _has_content(element):
            for offset in range(min(repeat, MAX_COLUMNS + 1)):
                yield column + offset + 1, element
        column += repeat


def _has_content(cell: Element) -> bool:
    return bool(cell.tag == f"{_TABLE}table-cell" and len(cell))


def _count(element: Element, attribute: str) -> int:
    return max(int(element.get(f"{_TABLE}{attribute}", "1")), 1)


def _cell(position: Position, element: Element) -> Cell | None:
    row, column = position
    formula = element.get(f"{_TABLE}formula")
    kind = element.get(f"{_OFFICE}value-type", "")
    if kind in _NUMBERS:
        factor = _NUMBERS[kind]
        number = plain(_decimal(element) * factor)
        return Cell(
            row=row,
            column=column,
            text=number_text(number, factor),
            number=number,
            number_format="%" if factor != 1 else None,
            factor=factor,
            formula=formula,
        )
    text = "\n".join(_paragraphs(element)).strip()
    if not text and not formula:
        return None
    return Cell(row=row, column=column, text=text, formula=formula)


def _decimal(element: Element) -> Decimal:
    stored = element.get(f"{_OFFICE}value", "")
    try:
        number = Decimal(stored)
    except InvalidOperation as error:
        detail = f"a cell holds {stored!r} as its number"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    # As in the other formats, more than 15 digits are artefacts of computing.
    return plain(Decimal(f"{number:.15g}"))


def _paragraphs(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag in _SKIPPED:
            continue
        if child.tag == f"{_TEXT}p":
            yield _inline_text(child)
        else:
            yield from _paragraphs(child)


def _inline_text(paragraph: Element) -> str:
    pieces = [paragraph.text or ""]
    for child in paragraph:
        if child.tag == f"{_TEXT}s":
            pieces.append(" " * min(int(child.get(f"{_TEXT}c", "1")), 100))
        else:
            pieces.append(_inline_text(child))
        pieces.append(child.tail or "")
    return "".join(pieces)
