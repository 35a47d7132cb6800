"""Office files that are one XML file: spreadsheets of Excel 2003, flat OpenDocument.

Programs export both under the names `.xls` and `.odt`. Other XML is refused by the
name of its root.
"""

from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.odt import content_of
from dossier.integrations.parsing.package import (
    attribute_of,
    children_of,
    local_name,
    parse_xml,
)
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
        return ReaderContent(list(_sheets(root)))
    if root.tag == _OPEN_DOCUMENT:
        return content_of([root], [])
    detail = (
        f"it is an XML file of the kind {local_name(root)!r}, which is not read;"
        " save it as .docx, .xlsx or PDF"
    )
    raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)


def _sheets(book: Element) -> list[TextPage]:
    pages = []
    for position, sheet in enumerate(children_of(book, "Worksheet"), start=1):
        rows = [
            "\t".join(_cells(row)).rstrip()
            for table in children_of(sheet, "Table")
            for row in children_of(table, "Row")
        ]
        name = attribute_of(sheet, "Name", "table")
        text = storable("\n".join(filter(None, rows)))
        pages.append(TextPage(position, None, name, text))
    return pages


def _cells(row: Element) -> list[str]:
    return [
        " ".join("".join(data.itertext()).split())
        for cell in children_of(row, "Cell")
        for data in children_of(cell, "Data")
    ]
