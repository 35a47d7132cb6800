"""Reads xlsx, xls, ods and delimited text into a `Workbook`.

The format is detected from the content, never from the name. Runs inside the sandbox.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final
from zipfile import ZipFile

from dossier.core.spreadsheets import Workbook
from dossier.integrations.parsing import delimited, ods, workbook_parts, xls, xlsx
from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.cells import PACKAGE_DAMAGES
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.types import (
    PageState,
    ReaderContent,
    ReadWarning,
    TextPage,
    storable,
)

MAX_ALIGNED_COLUMNS: Final = 100
"""In a sheet with more columns, empty cells keep no place: the text would be tabs."""

_READERS: Final = {
    "xlsx": xlsx.read,
    "xls": xls.read,
    "ods": ods.read,
    "csv": delimited.read,
}
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_BYTES: Final = 512
_MAX_UNPACKED_BYTES: Final = 128 * 1024 * 1024
_ODS_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_XLSX_TYPE: Final = re.compile(
    rb"(?:spreadsheetml\.(?:sheet|template)|ms-excel\.(?:sheet|template)\.macroEnabled)"
    rb"\.main\+xml"
)
_FOREIGN: Final = {
    b"%pdf": "a PDF",
    b"\x89png": "an image",
    b"\xff\xd8\xff": "an image",
    b"{\\rtf": "rich text",
    b"<html": "a web page",
    b"<!doctype html": "a web page",
    b"<table": "a web page",
    b"<meta": "a web page",
    b"mime-version:": "a web page in an e-mail container",
    b"<?xml": "an XML file",
    b"<office:document": "an XML file",
    b"<workbook": "an XML file",
}
# Other workbooks in zip files, by a part that they have.
_FOREIGN_ARCHIVES: Final = {
    "xl/workbook.bin": "a binary workbook (xlsb)",
    "index/document.iwa": "a Numbers document",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a presentation",
}


def read_workbook(file: BinaryIO) -> Workbook:
    """Read a spreadsheet, or raise `UnreadableFileError` with the reason."""
    return _READERS[workbook_kind(file)](file)


def read_text(file: BinaryIO) -> ReaderContent:
    """Return one page per sheet, without what is hidden.

    A row is one line, its cells separated by tabs; an empty cell keeps its place.
    """
    book = read_workbook(file)
    pages: list[TextPage] = []
    warnings: list[ReadWarning] = []
    for position, sheet in enumerate(book.sheets, start=1):
        rows: dict[int, dict[int, str]] = {}
        hidden_rows, hidden_columns = set(sheet.hidden_rows), set(sheet.hidden_columns)
        hidden = struck = 0
        for cell in sheet.cells:
            struck += len(cell.struck_text)
            if not cell.text or cell.merged_from is not None:
                continue
            if (
                sheet.is_hidden
                or cell.row in hidden_rows
                or cell.column in hidden_columns
            ):
                hidden += len("".join(cell.text.split()))
            else:
                cells = rows.setdefault(cell.row, {})
                cells[cell.column] = " ".join(cell.text.split())
        text = "\n".join(_lines(rows))
        label = sheet.name or "table"
        state = PageState.READ if rows or not hidden else PageState.BLANK
        pages.append(TextPage(position, None, label, storable(text), state))
        if hidden:
            warnings.append(warning("hidden-text-left-out", label, count=hidden))
        if struck:
            warnings.append(warning("struck-text-left-out", label, count=struck))
    if book.kind == "xlsx":
        words, beside = workbook_parts.read(file)
        warnings += beside
        if words:
            label = "text boxes and comments"
            pages.append(TextPage(len(pages) + 1, None, label, words))
    return ReaderContent(pages, warnings, book.encoding)


def _lines(rows: Mapping[int, Mapping[int, str]]) -> Iterator[str]:
    """Yield each row as one line; columns that are empty throughout are left out."""
    columns = sorted(set().union(*rows.values()))
    if len(columns) > MAX_ALIGNED_COLUMNS:
        yield from ("\t".join(cells.values()) for cells in rows.values())
    else:
        for cells in rows.values():
            yield "\t".join(cells.get(each, "") for each in columns).rstrip("\t")


def workbook_kind(file: BinaryIO) -> str:
    """Return `xlsx`, `xls`, `ods` or `csv` by the first bytes and the zip entries."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not head:
        raise UnreadableFileError(UnreadableReason.EMPTY, "the file has 0 bytes")
    if head.startswith(_ZIP):
        return _kind_in_zip(file)
    if head.startswith(_OLE):
        return "xls"
    start = head.removeprefix(BOM_UTF8).lstrip().lower()
    for magic, name in _FOREIGN.items():
        if start.startswith(magic):
            detail = (
                f"the content is {name}, not a spreadsheet;"
                " save the table as xlsx, xls, ods or csv"
            )
            raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
    return "csv"


def _kind_in_zip(file: BinaryIO) -> str:
    check_archive(file)
    try:
        with ZipFile(file) as archive:
            unpacked_bytes = sum(entry.file_size for entry in archive.infolist())
            if unpacked_bytes > _MAX_UNPACKED_BYTES:
                detail = (
                    f"unpacked the workbook has {unpacked_bytes} bytes;"
                    f" at most {_MAX_UNPACKED_BYTES} are read"
                )
                raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
            names = {
                name.replace("\\", "/").lstrip("/").lower(): name
                for name in archive.namelist()
            }
            # Some programs name the main part otherwise: then its type decides.
            types = names.get("[content_types].xml")
            if any(name.endswith("workbook.xml") for name in names) or (
                types is not None and _XLSX_TYPE.search(archive.read(types))
            ):
                return "xlsx"
            if "mimetype" in names:
                stated = archive.read(names["mimetype"]).strip()
                if stated.startswith(_ODS_TYPE):
                    return "ods"
    except PACKAGE_DAMAGES as error:
        detail = "the archive is damaged; save the workbook again"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    found = (what for part, what in _FOREIGN_ARCHIVES.items() if part in names)
    what = next(found, "an archive without a workbook")
    detail = f"the content is {what}; save the table as xlsx, xls, ods or csv"
    raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
