"""Text of any document: detects its kind and calls the parser, inside the sandbox."""

from pathlib import Path
from pkgutil import resolve_name
from typing import Final

from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.kinds import FileKind, detect_file
from dossier.integrations.parsing.types import DocumentText

# Imported by name: a process that reads a PDF never loads the spreadsheet libraries.
_PARSERS: Final = {
    FileKind.PDF: "pdf:read_text",
    FileKind.DOCX: "word:read_docx",
    FileKind.ODT: "word:read_odt",
    FileKind.XLSX: "spreadsheet:read_text",
    FileKind.XLS: "spreadsheet:read_text",
    FileKind.ODS: "spreadsheet:read_text",
    FileKind.CSV: "spreadsheet:read_text",
    FileKind.TEXT: "text:read_text",
}
_REFUSALS: Final = {
    FileKind.EMPTY: (UnreadableReason.EMPTY, "the file has 0 bytes"),
    FileKind.LOCKED_OFFICE: (UnreadableReason.ENCRYPTED, PASSWORD_DETAIL),
    FileKind.IMAGE: (
        UnreadableReason.NO_TEXT_LAYER,
        "it is a picture without text, and no OCR is installed",
    ),
    FileKind.DOC: (
        UnreadableReason.UNSUPPORTED,
        "the old Word format is not read; save it as .docx or PDF",
    ),
}
_UNKNOWN: Final = (
    UnreadableReason.UNSUPPORTED,
    "kept but not read: only PDF, Word, OpenDocument, spreadsheets and text are",
)


def read_text(path: str, *, filename: str) -> DocumentText:
    """Return the text of a document, or raise `UnreadableFileError` with the reason."""
    kind = detect_file(Path(path), filename).kind
    if kind not in _PARSERS:
        raise UnreadableFileError(*_REFUSALS.get(kind, _UNKNOWN))
    parse = resolve_name(f"dossier.integrations.parsing.{_PARSERS[kind]}")
    text: DocumentText = parse(path)
    return text
