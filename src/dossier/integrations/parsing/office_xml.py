"""Office files that are one XML file: spreadsheets of Excel 2003, flat OpenDocument.

Programs export both under the names `.xls` and `.odt`. Other XML is refused by the
name of its root.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.cells import MAX_COLUMNS
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.odt import content_of
from dossier.integrations.parsing.package import (
    attribute_of,
    children_of,
    local_name,
    parse_xml,
)
from dossier.integrations.parsing.superscripts import raised
from dossier.integrations.parsing.text import bytes_of
from dossier.integrations.parsing.types import ReaderContent, TextPage, storable

_EXCEL: Final = "{urn:schemas-microsoft-com:office:spreadsheet}Workbook"
_OPEN_DOCUMENT: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}document"
_DAMAGED: Final = "the XML file is damaged and cannot be opened; save it again"


def read(file: BinaryIO) -> ReaderContent:
    """Return the text of an office document in one XML file."""
    damaged = UnreadableFileError(UnreadableReason.CORRUPT, _DAMAGED)
    root = parse_xml(bytes_of(file), damaged)
    if root.tag == _EXCEL:
        return _book(root)
    if root.tag == _OPEN_DOCUMENT:
        return content_of([root], [])
    detail = (
        f"it is an XML file of the kind {local_name(root)!r}, which is not read;"
        " save it as .docx, .xlsx or PDF"
    )
    zh = f"檔案是 {local_name(root)!r} 類的 XML，未讀取；請另存為 .docx、.xlsx 或 PDF"
    raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail, zh)


def _book(book: Element) -> ReaderContent:
    pages = []
    hidden = 0
    for position, sheet in enumerate(children_of(book, "Worksheet"), start=1):
        lines = []
        for table in children_of(sheet, "Table"):
            for row in children_of(table, "Row"):
                line = "\t".join(_cells(row)).rstrip()
                if attribute_of(row, "Hidden") == "1":
                    hidden += len("".join(line.split()))
                elif line:
                    lines.append(line)
        name = attribute_of(sheet, "Name", "table")
        pages.append(TextPage(position, None, name, storable("\n".join(lines))))
    warnings = [warning("hidden-text-left-out", count=hidden)] if hidden else []
    return ReaderContent(pages, warnings)


def _cells(row: Element) -> list[str]:
    """Return the texts of a row; a cell may state its column and leave others out."""
    cells: list[str] = []
    for cell in children_of(row, "Cell"):
        index = attribute_of(cell, "Index")
        if index.isdecimal():
            cells += [""] * (min(int(index), MAX_COLUMNS) - 1 - len(cells))
        pieces = (
            piece for data in children_of(cell, "Data") for piece in _pieces(data)
        )
        cells.append(" ".join("".join(pieces).split()))
        merged = attribute_of(cell, "MergeAcross")
        if merged.isdecimal():
            cells += [""] * min(int(merged), MAX_COLUMNS)
    return cells


def _pieces(data: Element) -> Iterator[str]:
    is_raised = local_name(data) == "Sup"
    yield raised(data.text or "") if is_raised else data.text or ""
    for child in data:
        yield from _pieces(child)
        yield child.tail or ""
