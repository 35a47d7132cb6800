"""Reads ods from its own XML: values are exact decimal text, percentages typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from defusedxml.ElementTree import parse

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import (
    MAX_COLUMNS,
    MAX_ROWS,
    PACKAGE_DAMAGES,
    Position,
    check_sheet_count,
    check_size,
    corrupt_on,
    covered_cells,
    crossed_out,
    exact_decimal,
    number_cell,
    superscript,
)
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CONFIG: Final = "{urn:oasis:names:tc:opendocument:xmlns:config:1.0}"
_MANIFEST: Final = "META-INF/manifest.xml"
_SETTINGS: Final = "settings.xml"
_SKIPPED: Final = frozenset({f"{_OFFICE}annotation"})
_NUMBERS: Final = {"float": "", "percentage": "0%", "currency": ""}
_HIDDEN: Final = frozenset({"collapse", "filter"})

StruckRun = tuple[str, bool]
"""A piece of a text and whether it is crossed out."""


@dataclass(frozen=True, slots=True)
class _Styles:
    """The names of the styles that hide a table, cross out a text or raise it."""

    hidden: frozenset[str]
    struck: frozenset[str]
    raised: frozenset[str]


def read(file: BinaryIO) -> Workbook:
    """Read every table of an ods file."""
    with (
        corrupt_on(*PACKAGE_DAMAGES),
        ZipFile(file) as archive,
    ):
        names = archive.namelist()
        if _MANIFEST in names and b"encryption-data" in archive.read(_MANIFEST):
            detail = "the workbook is protected by a password; save it without one"
            raise UnreadableFileError(UnreadableReason.ENCRYPTED, detail)
        with archive.open("content.xml") as content:
            root = parse(content, forbid_dtd=True).getroot()
        active = _active_table(archive) if _SETTINGS in names else ""
    if root is None:
        raise UnreadableFileError(UnreadableReason.CORRUPT, "content.xml is empty")
    # Tables elsewhere are caches of linked files and former contents of cells.
    tables = [
        table
        for body in root.iter(f"{_OFFICE}spreadsheet")
        for table in body.findall(f"{_TABLE}table")
    ] or list(root.iter(f"{_TABLE}table"))
    check_sheet_count(len(tables))
    styles = _styles(root)
    sheets = [_sheet(table, styles, active) for table in tables]
    return Workbook(kind="ods", sheets=sheets)


def _active_table(archive: ZipFile) -> str:
    """Return the name of the table that is shown first, `""` where none is stated."""
    try:
        with archive.open(_SETTINGS) as settings:
            root = parse(settings, forbid_dtd=True).getroot()
    except PACKAGE_DAMAGES:
        return ""
    items = root.iter(f"{_CONFIG}config-item") if root is not None else ()
    named = (each for each in items if each.get(f"{_CONFIG}name") == "ActiveTable")
    return next((each.text or "" for each in named), "")


def _styles(root: Element) -> _Styles:
    hidden, struck, raised = set(), set(), set()
    for style in root.iter(f"{_STYLE}style"):
        name = style.get(f"{_STYLE}name", "")
        for properties in style.iter(f"{_STYLE}table-properties"):
            if properties.get(f"{_TABLE}display") == "false":
                hidden.add(name)
        for properties in style.iter(f"{_STYLE}text-properties"):
            lines = (
                properties.get(f"{_STYLE}text-line-through-style", "none"),
                properties.get(f"{_STYLE}text-line-through-type", "none"),
            )
            if set(lines) != {"none"}:
                struck.add(name)
            # `super`, or a share of the line that it is raised by.
            position = properties.get(f"{_STYLE}text-position", "").partition(" ")[0]
            share = position.removesuffix("%")
            if share == "super" or (share.isdigit() and int(share) > 0):
                raised.add(name)
    return _Styles(frozenset(hidden), frozenset(struck), frozenset(raised))


def _sheet(table: Element, styles: _Styles, active: str) -> Sheet:
    name = table.get(f"{_TABLE}name", "")
    cells: dict[Position, Cell] = {}
    merged: list[tuple[Position, Position]] = []
    hidden_rows: list[int] = []
    hidden_columns: list[int] = []
    column = 0
    for column_element in table.iter(f"{_TABLE}table-column"):
        repeat = _count(column_element, "number-columns-repeated")
        if column_element.get(f"{_TABLE}visibility") in _HIDDEN:
            hidden_columns += range(column + 1, min(column + repeat, MAX_COLUMNS) + 1)
        column += repeat
    for row, row_element in _rows(table):
        if row_element.get(f"{_TABLE}visibility") in _HIDDEN:
            hidden_rows.append(row)
        for column, element in _cells(row_element):
            cell = _cell((row, column), element, styles)
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
        is_hidden=table.get(f"{_TABLE}style-name") in styles.hidden,
        is_active=name == active,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=hidden_rows,
        hidden_columns=hidden_columns,
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
    # Some programs state the value of a cell and no paragraph that shows it.
    return cell.tag == f"{_TABLE}table-cell" and bool(
        len(cell) or cell.get(f"{_OFFICE}value-type") or cell.get(f"{_TABLE}formula")
    )


def _count(element: Element, attribute: str) -> int:
    stated = element.get(f"{_TABLE}{attribute}", "1")
    return max(int(stated), 1) if stated.isdigit() else 1


def _cell(position: Position, element: Element, styles: _Styles) -> Cell | None:
    row, column = position
    formula = element.get(f"{_TABLE}formula")
    kind = element.get(f"{_OFFICE}value-type", "")
    is_struck = element.get(f"{_TABLE}style-name") in styles.struck
    number = _decimal(element) if kind in _NUMBERS else None
    if number is not None:
        cell = number_cell(position, number, _NUMBERS[kind] or None, formula)
        return crossed_out(cell) if is_struck else cell
    runs = list(_paragraphs(element, styles, is_struck=is_struck))
    kept = "".join(text for text, is_run_struck in runs if not is_run_struck).strip()
    struck = "".join(text for text, is_run_struck in runs if is_run_struck).strip()
    if not kept and not struck:
        names = ("string-value", "date-value", "time-value", "boolean-value", "value")
        stated = (element.get(f"{_OFFICE}{name}", "").strip() for name in names)
        kept = next(filter(None, stated), "")
    # A computed text may be empty.
    if not kept and not struck and (not formula or kind == "string"):
        return None
    return Cell(row=row, column=column, text=kept, struck_text=struck, formula=formula)


def _decimal(element: Element) -> Decimal | None:
    """Return the stored number, `None` where it is missing."""
    stored = element.get(f"{_OFFICE}value", "").strip()
    if not stored:
        return None
    try:
        # As in the other formats, more than 15 digits are artefacts of computing.
        return exact_decimal(Decimal(stored))
    except InvalidOperation as error:
        detail = f"a cell holds {stored!r} as its number"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error


def _paragraphs(
    element: Element, styles: _Styles, *, is_struck: bool
) -> Iterator[StruckRun]:
    is_first = True
    for child in element:
        if child.tag in _SKIPPED:
            continue
        if child.tag == f"{_TEXT}p":
            if not is_first:
                yield "\n", is_struck
            is_first = False
            yield from _inline_runs(child, styles, is_struck=is_struck)
        else:
            yield from _paragraphs(child, styles, is_struck=is_struck)


def _inline_runs(
    element: Element, styles: _Styles, *, is_struck: bool, is_raised: bool = False
) -> Iterator[StruckRun]:
    def shown(text: str | None) -> StruckRun:
        return superscript(text or "") if is_raised else text or "", is_struck

    yield shown(element.text)
    for child in element:
        if child.tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            yield " " * min(int(count) if count.isdigit() else 1, 100), is_struck
        elif child.tag == f"{_TEXT}line-break":
            yield "\n", is_struck
        elif child.tag not in _SKIPPED:
            name = child.get(f"{_TEXT}style-name")
            yield from _inline_runs(
                child,
                styles,
                is_struck=is_struck or name in styles.struck,
                is_raised=is_raised or name in styles.raised,
            )
        yield shown(child.tail)
