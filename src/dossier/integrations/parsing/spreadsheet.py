"""Reads xlsx, xls, ods and delimited text into a `Workbook`.

The format is told by content, never by name. Runs inside the sandbox and imports one
reader at most.
"""

from importlib import import_module
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from dossier.core.spreadsheets import Workbook
from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_BYTES: Final = 8
_MAX_UNPACKED_BYTES: Final = 128 * 1024 * 1024
_ODS_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
_FOREIGN: Final = {
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}


def read_workbook(path: str) -> Workbook:
    """Read a spreadsheet, or raise `UnreadableFileError` with the reason."""
    kind = kind_of(Path(path))
    reader = import_module(f"dossier.integrations.parsing.{_READERS[kind]}")
    book: Workbook = reader.read(path)
    return book


_READERS: Final = {
    "xlsx": "sheet_xlsx",
    "xls": "sheet_xls",
    "ods": "sheet_ods",
    "csv": "sheet_csv",
}


def kind_of(path: Path) -> str:
    """Return `xlsx`, `xls`, `ods` or `csv`, judged by the first bytes and the parts."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise UnreadableFileError(UnreadableReason.EMPTY, "the file has 0 bytes")
    if head.startswith(_ZIP):
        return _archive_kind(path)
    if head == _OLE:
        return "xls"
    return _text_kind(head)


def _text_kind(head: bytes) -> str:
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            detail = f"the content is {name}, not a spreadsheet"
            raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
    return "csv"


def _archive_kind(path: Path) -> str:
    check_archive(path)
    try:
        with ZipFile(path) as archive:
            return _kind_of_parts(archive)
    except BadZipFile as error:
        raise UnreadableFileError(UnreadableReason.CORRUPT, str(error)) from error


def _kind_of_parts(archive: ZipFile) -> str:
    unpacked_bytes = sum(entry.file_size for entry in archive.infolist())
    if unpacked_bytes > _MAX_UNPACKED_BYTES:
        detail = f"unpacked the workbook has {unpacked_bytes} bytes; that is no formula"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    names = frozenset(archive.namelist())
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "mimetype" in names and archive.read("mimetype").strip() == _ODS_TYPE.encode():
        return "ods"
    detail = "the archive holds no workbook that can be read (xlsx or ods)"
    raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
