"""Detects the kind of a file by its content; the name decides only csv or text."""

import os
import re
import struct
import zipfile
import zlib
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import BinaryIO, Final

HEAD_BYTES: Final = 64 * 1024
TAIL_BYTES: Final = 256 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_PDF_WITHIN_BYTES: Final = 1024
_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t\n\r\x0b\x0c\x1b"))
_RICH_TEXT: Final = b"{\\rtf"
_TWO_BYTE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


class FileKind(StrEnum):
    """The kinds of files that are distinguished."""

    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    PPT = "ppt"
    ODT = "odt"
    ODS = "ods"
    XLS = "xls"
    DOC = "doc"
    LOCKED_OFFICE = "locked_office"
    CSV = "csv"
    TEXT = "text"
    HTML = "html"
    XML = "xml"
    MAIL = "mail"
    OUTLOOK = "outlook"
    RICH_TEXT = "rich_text"
    IMAGE = "image"
    ZIP = "zip"
    EMPTY = "empty"
    OTHER = "other"


_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_ODF: Final = "application/vnd.oasis.opendocument"
_BINARY: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {
    FileKind.PDF: "application/pdf",
    FileKind.DOCX: f"{_OFFICE}.wordprocessingml.document",
    FileKind.XLSX: f"{_OFFICE}.spreadsheetml.sheet",
    FileKind.PPTX: f"{_OFFICE}.presentationml.presentation",
    FileKind.ODT: f"{_ODF}.text",
    FileKind.ODS: f"{_ODF}.spreadsheet",
    FileKind.XLS: "application/vnd.ms-excel",
    FileKind.DOC: "application/msword",
    FileKind.LOCKED_OFFICE: "application/x-ole-storage",
    FileKind.CSV: "text/csv",
    FileKind.TEXT: "text/plain",
    FileKind.HTML: "text/html",
    FileKind.XML: "application/xml",
    FileKind.PPT: "application/vnd.ms-powerpoint",
    FileKind.MAIL: "message/rfc822",
    FileKind.OUTLOOK: "application/vnd.ms-outlook",
    FileKind.RICH_TEXT: "application/rtf",
    FileKind.ZIP: "application/zip",
    FileKind.EMPTY: "application/x-empty",
}
SPREADSHEETS: Final = frozenset(
    _MEDIA_TYPES[kind]
    for kind in (FileKind.XLSX, FileKind.XLS, FileKind.ODS, FileKind.CSV)
)
"""Media types of what can hold a formula."""

_ENDINGS: Final = {
    ".pdf": FileKind.PDF,
    ".docx": FileKind.DOCX,
    ".docm": FileKind.DOCX,
    ".xlsx": FileKind.XLSX,
    ".xlsm": FileKind.XLSX,
    ".pptx": FileKind.PPTX,
    ".ppt": FileKind.PPT,
    ".odt": FileKind.ODT,
    ".ods": FileKind.ODS,
    ".xls": FileKind.XLS,
    ".doc": FileKind.DOC,
    ".csv": FileKind.CSV,
    ".tsv": FileKind.CSV,
    ".txt": FileKind.TEXT,
    ".md": FileKind.TEXT,
    ".html": FileKind.HTML,
    ".htm": FileKind.HTML,
    ".xml": FileKind.XML,
    ".eml": FileKind.MAIL,
    ".msg": FileKind.OUTLOOK,
    ".mht": FileKind.MAIL,
    ".mhtml": FileKind.MAIL,
    ".rtf": FileKind.RICH_TEXT,
    ".zip": FileKind.ZIP,
    ".png": FileKind.IMAGE,
    ".jpg": FileKind.IMAGE,
    ".jpeg": FileKind.IMAGE,
    ".tif": FileKind.IMAGE,
    ".tiff": FileKind.IMAGE,
    ".webp": FileKind.IMAGE,
    ".gif": FileKind.IMAGE,
    ".bmp": FileKind.IMAGE,
}
# What the list of content types says of the main part, whatever that is called.
_MAIN_TYPES: Final = (
    (b"wordprocessingml.document.main+xml", FileKind.DOCX),
    (b"wordprocessingml.template.main+xml", FileKind.DOCX),
    (b"ms-word.document.macroEnabled.main+xml", FileKind.DOCX),
    (b"ms-word.template.macroEnabledTemplate.main+xml", FileKind.DOCX),
    (b"spreadsheetml.sheet.main+xml", FileKind.XLSX),
    (b"spreadsheetml.template.main+xml", FileKind.XLSX),
    (b"ms-excel.sheet.macroEnabled.main+xml", FileKind.XLSX),
    (b"ms-excel.template.macroEnabled.main+xml", FileKind.XLSX),
    (b"presentationml.presentation.main+xml", FileKind.PPTX),
    (b"presentationml.slideshow.main+xml", FileKind.PPTX),
)
_TYPES_PART: Final = b"[Content_Types].xml"
_TYPE_ENTRY: Final = b"mimetype"
_ODF_TYPES: Final = (
    (b"application/vnd.oasis.opendocument.spreadsheet", FileKind.ODS),
    (b"application/vnd.oasis.opendocument.text", FileKind.ODT),
)
_MAX_ENTRY_BYTES: Final = 256 * 1024
_LOCAL_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
# Names of entries, as a zip directory writes them; the first that occurs decides.
_ZIP_ENTRIES: Final = (
    (b"word/document.xml", FileKind.DOCX),
    (b"xl/workbook.", FileKind.XLSX),
    (b"ppt/presentation.xml", FileKind.PPTX),
)
_WEB_PAGE: Final = re.compile(
    rb"(?:<\?xml[^>]*\?>\s*|<!--.*?-->\s*)*"
    rb"<(!doctype\s+html|html|head|body|table|meta|style|title|div|center|font|p)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_XML: Final = re.compile(
    rb"<\?xml\s|<([a-z][\w.-]*:)?[a-z][\w.-]*\s[^<>]*xmlns", re.IGNORECASE
)
_START_BYTES: Final = 1024
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe"
_MAIL_HEADERS: Final = re.compile(
    rb"^(return-path|received|delivered-to|message-id|mime-version|from|to|subject|date"
    rb"|content-type|content-transfer-encoding):",
    re.IGNORECASE | re.MULTILINE,
)
_NEEDED_MAIL_HEADERS: Final = (
    {b"mime-version", b"content-type"},
    {b"content-type", b"content-transfer-encoding"},
    {b"message-id", b"from"},
    {b"received", b"from"},
)
# Names of streams, which an OLE directory writes in UTF-16.
_OLE_STREAMS: Final = (
    ("EncryptedPackage", FileKind.LOCKED_OFFICE),
    ("__substg1.0_", FileKind.OUTLOOK),
    ("__properties_version1.0", FileKind.OUTLOOK),
    ("PowerPoint Document", FileKind.PPT),
    ("WordDocument", FileKind.DOC),
    ("Workbook", FileKind.XLS),
    ("Book", FileKind.XLS),
)


@dataclass(frozen=True, slots=True)
class DetectedFile:
    """The kind of a file, and whether the ending of its name contradicts it."""

    kind: FileKind
    media_type: str
    is_misnamed: bool


class Sniffer:
    """Keeps both ends of a stream: every format is recognised from them."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Add the next chunk of the content."""
        self._head += chunk[: HEAD_BYTES - len(self._head)]
        self._tail.append(chunk)
        self._tail_bytes += len(chunk)
        while self._tail_bytes - len(self._tail[0]) >= TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft())

    def detect(self, filename: str) -> DetectedFile:
        """Return the kind of the content that was fed."""
        tail = b"".join(self._tail)[-TAIL_BYTES:]
        return detect(bytes(self._head), tail, filename)


def detect_file(file: BinaryIO, filename: str) -> DetectedFile:
    """Return the kind of an opened file."""
    sniffer = Sniffer()
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    sniffer.feed(file.read(HEAD_BYTES))
    file.seek(max(HEAD_BYTES, size_bytes - TAIL_BYTES))
    sniffer.feed(file.read())
    return sniffer.detect(filename)


def detect(head: bytes, tail: bytes, filename: str) -> DetectedFile:
    """Return the kind that both ends of the content show."""
    named = _ENDINGS.get(PurePath(filename).suffix.lower())
    kind = _by_content(head, tail, named)
    if kind is FileKind.OTHER:
        kind, media_type = _by_magic(head)
    else:
        media_type = _MEDIA_TYPES[kind]
    is_misnamed = named is not None and named != kind
    return DetectedFile(kind, media_type, is_misnamed=is_misnamed)


def _by_content(head: bytes, tail: bytes, named: FileKind | None) -> FileKind:
    if not head:
        return FileKind.EMPTY
    if b"%PDF-" in head[:_PDF_WITHIN_BYTES]:
        return FileKind.PDF
    if head.startswith(_ZIP):
        return _kind_in_zip(head, tail)
    if head.startswith(_OLE):
        return _kind_in_ole(head, tail, named)
    if not is_text(head):
        return FileKind.OTHER
    plain = FileKind.CSV if named is FileKind.CSV else FileKind.TEXT
    return _kind_of_markup(head) or plain


def _kind_of_markup(head: bytes) -> FileKind | None:
    """Return the kind of a text that a program wrote for a program."""
    # Two-byte text is looked at without its zeros.
    start = (
        head[: 2 * _START_BYTES].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    )
    start = start.lstrip()[:_START_BYTES]
    if start.startswith(_RICH_TEXT):
        return FileKind.RICH_TEXT
    if start.startswith(b"<"):
        if _WEB_PAGE.match(start):
            return FileKind.HTML
        return FileKind.XML if _XML.match(start) else None
    top, _, _ = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    headers = {each.lower() for each in _MAIL_HEADERS.findall(top)}
    if any(needed <= headers for needed in _NEEDED_MAIL_HEADERS):
        return FileKind.MAIL
    return None


def _kind_in_zip(head: bytes, tail: bytes) -> FileKind:
    types = _entry(_TYPES_PART, head) or _entry(_TYPES_PART, tail)
    for name, kind in _MAIN_TYPES:
        if name in types:
            return kind
    stated = _entry(_TYPE_ENTRY, head)
    for name, kind in _ODF_TYPES:
        if stated.startswith(name):
            return kind
    for name, kind in _ZIP_ENTRIES:
        if name in head or name in tail:
            return kind
    return FileKind.ZIP


def _entry(name: bytes, part: bytes) -> bytes:
    """Return the content of a small zip entry, if it lies in this part of the file."""
    at = part.find(name) - _LOCAL_HEADER.size
    if at < 0:
        return b""
    header = _LOCAL_HEADER.unpack_from(part, at)
    mark, method, name_bytes, extra_bytes = header[0], header[3], header[9], header[10]
    if mark != _ZIP[0] or name_bytes != len(name):
        return b""
    data = part[at + _LOCAL_HEADER.size + name_bytes + extra_bytes :]
    if method != zipfile.ZIP_DEFLATED:
        return data[:_MAX_ENTRY_BYTES]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _MAX_ENTRY_BYTES)
    except zlib.error:
        return b""


def _kind_in_ole(head: bytes, tail: bytes, named: FileKind | None) -> FileKind:
    for name, kind in _OLE_STREAMS:
        wide = name.encode("utf-16-le")
        if wide in head or wide in tail:
            return kind
    return named if named in {FileKind.XLS, FileKind.DOC} else FileKind.OTHER


def is_text(head: bytes) -> bool:
    """Return whether the content is text in some encoding, not binary data."""
    if head.startswith(_TWO_BYTE_MARKS):
        return True
    # UTF-16 without its mark: every second byte of Latin text is zero.
    low, high = head[::2], head[1::2]
    zeros, others = sorted((low.count(0), high.count(0)), reverse=True)
    if zeros * 2 > len(high) and others == 0:
        return True
    return len(head) == len(head.translate(None, _CONTROLS))


def _by_magic(head: bytes) -> tuple[FileKind, str]:
    import puremagic  # noqa: PLC0415 - most files are known without it

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return FileKind.OTHER, _BINARY
    best = found[0].mime_type if found else ""
    if best.startswith("image/"):
        return FileKind.IMAGE, best
    return FileKind.OTHER, best or _BINARY
