"""Reads ods from its own XML: values are exact decimal text, percentages typed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import IO, Final
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.numerals import plain, shown
from dossier.integrations.parsing.sheet_limits import (
    MAX_COLUMNS,
    MAX_ROWS,
    check_sheet_count,
    check_size,
    corrupt_on,
)
from dossier.integrations.parsing.sheet_xlsx import Position, covered_cells

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
        _refuse_encrypted(archive)
        with archive.open("content.xml") as content:
            root = _root(content)
    tables = list(root.iter(f"{_TABLE}table"))
    check_sheet_count(len(tables))
    hidden = _hidden_styles(root)
    return Workbook(kind="ods", sheets=[_sheet(table, hidden) for table in tables])


def _root(content: IO[bytes]) -> Element:
    root = parse(content).getroot()
    if root is None:
        raise UnreadableFileError(UnreadableReason.CORRUPT, "content.xml is empty")
    return root


def _refuse_encrypted(archive: ZipFile) -> None:
    if _MANIFEST not in archive.namelist():
        return
    if b"encryption-data" in archive.read(_MANIFEST):
        detail = "the workbook is protected by a password; save it without one"
        raise UnreadableFileError(UnreadableReason.ENCRYPTED, detail)


def _hidden_styles(root: Element) -> frozenset[str]:
    return frozenset(
        style.get(f"{_STYLE}name", "")
        for style in root.iter(f"{_STYLE}style")
        for about in style.iter(f"{_STYLE}table-properties")
        if about.get(f"{_TABLE}display") == "false"
    )


@dataclass(slots=True)
class _Reading:
    """One table while it is read."""

    name: str
    cells: dict[Position, Cell] = field(default_factory=dict)
    merged: list[tuple[Position, Position]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)

    def take(self, position: Position, element: Element) -> None:
        """Keep a cell that says something, and the range that it spans."""
        row, column = position
        cell = _cell(position, element)
        if cell is None:
            return
        check_size(self.name, row, column)
        self.cells[position] = cell
        rows, columns = (
            _count(element, "number-rows-spanned"),
            _count(element, "number-columns-spanned"),
        )
        if rows * columns > 1:
            last = (row + rows - 2, column + columns - 2)
            self.merged.append(((row - 1, column - 1), last))


def _sheet(table: Element, hidden_styles: frozenset[str]) -> Sheet:
    reading = _Reading(table.get(f"{_TABLE}name", ""))
    for row, element in _rows(table):
        if element.get(f"{_TABLE}visibility") in {"collapse", "filter"}:
            reading.hidden_rows.append(row)
        for column, cell in _cells(element):
            reading.take((row, column), cell)
    reading.cells |= covered_cells(reading.merged, set(reading.cells))
    return Sheet(
        name=reading.name,
        is_hidden=table.get(f"{_TABLE}style-name") in hidden_styles,
        cells=[reading.cells[position] for position in sorted(reading.cells)],
        hidden_rows=reading.hidden_rows,
    )


def _rows(table: Element) -> Iterator[tuple[int, Element]]:
    row = 0
    for element in table.iter(f"{_TABLE}table-row"):
        repeat = _count(element, "number-rows-repeated")
        # A run to the sheet's last row is how empty space is written.
        for offset in range(min(repeat, MAX_ROWS) if _says_something(element) else 0):
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


def _says_something(row: Element) -> bool:
    return any(_has_content(cell) for cell in row)


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
        number = _decimal(element) * factor
        return Cell(
            row=row,
            column=column,
            text=shown(plain(number), factor),
            number=plain(number),
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
            yield _run(child)
        else:
            yield from _paragraphs(child)


def _run(paragraph: Element) -> str:
    pieces = [paragraph.text or ""]
    for child in paragraph:
        pieces.append(_spaces(child) if child.tag == f"{_TEXT}s" else _run(child))
        pieces.append(child.tail or "")
    return "".join(pieces)


def _spaces(element: Element) -> str:
    return " " * min(int(element.get(f"{_TEXT}c", "1")), 100)
