"""Tells what a file is by its content; its name only chooses between kinds of text."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

import puremagic

HEAD_BYTES: Final = 64 * 1024
TAIL_BYTES: Final = 256 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_PDF_WITHIN_BYTES: Final = 1024
_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t\n\r\x0b\x0c\x1b"))
_RICH_TEXT: Final = b"{\\rtf"
_TWO_BYTE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


class Kind(StrEnum):
    """The kinds that are told apart."""

    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    XLS = "xls"
    DOC = "doc"
    LOCKED_OFFICE = "locked_office"
    CSV = "csv"
    TEXT = "text"
    IMAGE = "image"
    ZIP = "zip"
    EMPTY = "empty"
    OTHER = "other"


_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_ODF: Final = "application/vnd.oasis.opendocument"
_BINARY: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {
    Kind.PDF: "application/pdf",
    Kind.DOCX: f"{_OFFICE}.wordprocessingml.document",
    Kind.XLSX: f"{_OFFICE}.spreadsheetml.sheet",
    Kind.PPTX: f"{_OFFICE}.presentationml.presentation",
    Kind.ODT: f"{_ODF}.text",
    Kind.ODS: f"{_ODF}.spreadsheet",
    Kind.XLS: "application/vnd.ms-excel",
    Kind.DOC: "application/msword",
    Kind.LOCKED_OFFICE: "application/x-ole-storage",
    Kind.CSV: "text/csv",
    Kind.TEXT: "text/plain",
    Kind.ZIP: "application/zip",
    Kind.EMPTY: "application/x-empty",
}
SPREADSHEETS: Final = frozenset(
    _MEDIA_TYPES[kind] for kind in (Kind.XLSX, Kind.XLS, Kind.ODS, Kind.CSV)
)
"""Media types of what can hold a formula."""

_ENDINGS: Final = {
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
    ".docm": Kind.DOCX,
    ".xlsx": Kind.XLSX,
    ".xlsm": Kind.XLSX,
    ".pptx": Kind.PPTX,
    ".odt": Kind.ODT,
    ".ods": Kind.ODS,
    ".xls": Kind.XLS,
    ".doc": Kind.DOC,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".txt": Kind.TEXT,
    ".md": Kind.TEXT,
    ".zip": Kind.ZIP,
    ".png": Kind.IMAGE,
    ".jpg": Kind.IMAGE,
    ".jpeg": Kind.IMAGE,
    ".tif": Kind.IMAGE,
    ".tiff": Kind.IMAGE,
    ".webp": Kind.IMAGE,
    ".gif": Kind.IMAGE,
    ".bmp": Kind.IMAGE,
}
# Names of parts, as they stand in a zip directory; the first that occurs decides.
_ZIP_PARTS: Final = (
    (b"word/document.xml", Kind.DOCX),
    (b"xl/workbook.", Kind.XLSX),
    (b"ppt/presentation.xml", Kind.PPTX),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", Kind.ODS),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", Kind.ODT),
)
# Names of streams, as they stand in an OLE directory.
_OLE_STREAMS: Final = (
    ("EncryptedPackage", Kind.LOCKED_OFFICE),
    ("WordDocument", Kind.DOC),
    ("Workbook", Kind.XLS),
    ("Book", Kind.XLS),
)


@dataclass(frozen=True, slots=True)
class Detected:
    """What the content is, and whether the name says otherwise."""

    kind: Kind
    media_type: str
    is_misnamed: bool


class Sniffer:
    """Keeps both ends of a stream; all formats tell what they are there."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the content."""
        self._head += piece[: HEAD_BYTES - len(self._head)]
        self._tail.append(piece)
        self._tail_bytes += len(piece)
        while self._tail_bytes - len(self._tail[0]) >= TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft())

    def detect(self, filename: str) -> Detected:
        """Tell the kind of what was fed."""
        tail = b"".join(self._tail)[-TAIL_BYTES:]
        return detect(bytes(self._head), tail, filename)


def detect_file(path: Path, filename: str) -> Detected:
    """Tell the kind of a file."""
    sniffer = Sniffer()
    with path.open("rb") as file:
        sniffer.feed(file.read(HEAD_BYTES))
        file.seek(max(HEAD_BYTES, path.stat().st_size - TAIL_BYTES))
        sniffer.feed(file.read())
    return sniffer.detect(filename)


def detect(head: bytes, tail: bytes, filename: str) -> Detected:
    """Tell the kind from both ends of the content."""
    named = _ENDINGS.get(PurePath(filename).suffix.lower())
    kind = _by_content(head, tail, named)
    if kind is Kind.OTHER:
        kind, media_type = _by_magic(head)
    else:
        media_type = _MEDIA_TYPES[kind]
    return Detected(kind, media_type, is_misnamed=named is not None and named != kind)


def _by_content(head: bytes, tail: bytes, named: Kind | None) -> Kind:
    if not head:
        return Kind.EMPTY
    if b"%PDF-" in head[:_PDF_WITHIN_BYTES]:
        return Kind.PDF
    if head.startswith(_ZIP):
        return _inside_zip(head, tail)
    if head.startswith(_OLE):
        return _inside_ole(head, tail, named)
    return _among_texts(head, named)


def _among_texts(head: bytes, named: Kind | None) -> Kind:
    if not is_text(head) or head.startswith(_RICH_TEXT):
        return Kind.OTHER
    return Kind.CSV if named is Kind.CSV else Kind.TEXT


def is_text(head: bytes) -> bool:
    """Tell text in some encoding from binary data."""
    if head.startswith(_TWO_BYTE_MARKS) or _is_two_byte_latin(head):
        return True
    return len(head) == len(head.translate(None, _CONTROLS))


def _is_two_byte_latin(head: bytes) -> bool:
    """Tell UTF-16 without its mark: every second byte of Latin text is zero."""
    low, high = head[::2], head[1::2]
    zeros, others = sorted((low.count(0), high.count(0)), reverse=True)
    return zeros * 2 > len(high) and others == 0


def _inside_zip(head: bytes, tail: bytes) -> Kind:
    for name, kind in _ZIP_PARTS:
        if name in head or name in tail:
            return kind
    return Kind.ZIP


def _inside_ole(head: bytes, tail: bytes, named: Kind | None) -> Kind:
    for name, kind in _OLE_STREAMS:
        wide = name.encode("utf-16-le")
        if wide in head or wide in tail:
            return kind
    return named if named in {Kind.XLS, Kind.DOC} else Kind.OTHER


def _by_magic(head: bytes) -> tuple[Kind, str]:
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return Kind.OTHER, _BINARY
    best = found[0].mime_type if found else ""
    if best.startswith("image/"):
        return Kind.IMAGE, best
    return Kind.OTHER, best or _BINARY
