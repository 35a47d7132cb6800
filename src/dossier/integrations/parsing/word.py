"""Text of Word (docx) and OpenDocument (odt) files, in reading order.

A row of a table is one line, its cells separated by tabs.
"""

from collections.abc import Iterator
from typing import Final, cast
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

import docx
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse
from docx.document import Document
from docx.opc.exceptions import OpcError
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph

from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.types import DocumentText, split_parts, storable

_CONTINUED: Final = "continue"
# What lxml raises is a `SyntaxError`.
_DOCX_ERRORS: Final = (OpcError, SyntaxError, KeyError, ValueError)
_ODT_ERRORS: Final = (BadZipFile, KeyError, ParseError, DefusedXmlException)

_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_BLOCKS: Final = frozenset({f"{_TEXT}p", f"{_TEXT}h"})
_ROW: Final = f"{_TABLE}table-row"
_CELL: Final = f"{_TABLE}table-cell"
_BREAKS: Final = {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
_MANIFEST: Final = "META-INF/manifest.xml"


def read_docx(path: str) -> DocumentText:
    """Return the body of a Word document."""
    check_archive(path)
    try:
        document = docx.Document(path)
    except _DOCX_ERRORS as error:
        detail = "the Word document is damaged and cannot be opened"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    text = storable("\n".join(_docx_lines(document)))
    return DocumentText(split_parts(text, "body"))


def _docx_lines(body: Document | _Cell) -> Iterator[str]:
    for block in body.iter_inner_content():
        if isinstance(block, Paragraph):
            lines = [block.text.strip()]
        else:
            lines = ["\t".join(_docx_cells(row, block)).rstrip() for row in block.rows]
        yield from filter(None, lines)


def _docx_cells(row: _Row, table: Table) -> Iterator[str]:
    """Yield each cell once: the lower halves of a vertical merge are empty."""
    for cell in row._tr.tc_lst:  # noqa: SLF001 - `row.cells` repeats merged text
        if cell.vMerge == _CONTINUED:
            yield ""
        else:
            yield " ".join(_docx_lines(_Cell(cell, table)))


def read_odt(path: str) -> DocumentText:
    """Return the body of an OpenDocument text."""
    check_archive(path)
    try:
        with ZipFile(path) as archive:
            if b"encryption-data" in archive.read(_MANIFEST):
                raise UnreadableFileError(UnreadableReason.ENCRYPTED, PASSWORD_DETAIL)
            with archive.open("content.xml") as content:
                root = cast("Element", parse(content).getroot())
    except _ODT_ERRORS as error:
        detail = "the OpenDocument text is damaged and cannot be opened"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    text = storable("\n".join(filter(None, _odt_lines(root))))
    return DocumentText(split_parts(text, "body"))


def _odt_lines(element: Element) -> Iterator[str]:
    if element.tag in _BLOCKS:
        yield _odt_inline_text(element).strip()
    elif element.tag == _ROW:
        cells = (" ".join(_odt_lines_inside(cell)) for cell in element.iter(_CELL))
        yield "\t".join(cells).rstrip()
    else:
        yield from _odt_lines_inside(element)


def _odt_lines_inside(element: Element) -> Iterator[str]:
    for child in element:
        yield from _odt_lines(child)


def _odt_inline_text(element: Element) -> str:
    pieces = [element.text or ""]
    for child in element:
        pieces.append(_BREAKS.get(child.tag) or _odt_inline_text(child))
        pieces.append(child.tail or "")
    return "".join(pieces)
