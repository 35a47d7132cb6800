"""Text of an OpenDocument text, in reading order, from its own XML."""

from collections.abc import Iterator
from typing import Final, cast
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.paper import PaperText, split_parts, storable

_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_BLOCKS: Final = frozenset({f"{_TEXT}p", f"{_TEXT}h"})
_ROW: Final = f"{_TABLE}table-row"
_CELL: Final = f"{_TABLE}table-cell"
_BREAKS: Final = {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
_MANIFEST: Final = "META-INF/manifest.xml"


def read_text(path: str) -> PaperText:
    """Return the body; a row of a table is one line, cells by tabs."""
    check_archive(path)
    try:
        root = _content(path)
    except (BadZipFile, KeyError, ParseError, DefusedXmlException) as error:
        detail = "the OpenDocument text is damaged and cannot be opened"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    text = storable("\n".join(filter(None, _lines(root))))
    return PaperText(split_parts(text, "body"))


def _content(path: str) -> Element:
    with ZipFile(path) as archive:
        if b"encryption-data" in archive.read(_MANIFEST):
            detail = "it is protected by a password; save it without one"
            raise UnreadableFileError(UnreadableReason.ENCRYPTED, detail)
        with archive.open("content.xml") as content:
            return cast("Element", parse(content).getroot())


def _lines(element: Element) -> Iterator[str]:
    if element.tag in _BLOCKS:
        yield _inline(element).strip()
    elif element.tag == _ROW:
        cells = (" ".join(_inside(cell)) for cell in element.iter(_CELL))
        yield "\t".join(cells).rstrip()
    else:
        yield from _inside(element)


def _inside(element: Element) -> Iterator[str]:
    for child in element:
        yield from _lines(child)


def _inline(element: Element) -> str:
    pieces = [element.text or ""]
    for child in element:
        pieces.append(_BREAKS.get(child.tag) or _inline(child))
        pieces.append(child.tail or "")
    return "".join(pieces)
