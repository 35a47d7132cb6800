"""Text of any paper: tells its kind and calls the reader for it, inside the sandbox."""

from importlib import import_module
from pathlib import Path
from typing import Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.kinds import Kind, detect_file
from dossier.integrations.parsing.paper import PaperText

# Imported by name: a process that reads a PDF never loads what reads spreadsheets.
_READERS: Final = {
    Kind.PDF: "pdf",
    Kind.DOCX: "docx",
    Kind.ODT: "odt",
    Kind.XLSX: "sheet_text",
    Kind.XLS: "sheet_text",
    Kind.ODS: "sheet_text",
    Kind.CSV: "sheet_text",
    Kind.TEXT: "plain",
}
_REFUSALS: Final = {
    Kind.EMPTY: (UnreadableReason.EMPTY, "the file has 0 bytes"),
    Kind.LOCKED_OFFICE: (
        UnreadableReason.ENCRYPTED,
        "it is protected by a password; save it without one",
    ),
    Kind.IMAGE: (
        UnreadableReason.NO_TEXT_LAYER,
        "it is a picture without text, and no OCR is installed",
    ),
    Kind.DOC: (
        UnreadableReason.UNSUPPORTED,
        "the old Word format is not read; save it as .docx or PDF",
    ),
}
_UNKNOWN: Final = (
    UnreadableReason.UNSUPPORTED,
    "kept but not read: only PDF, Word, OpenDocument, spreadsheets and text are",
)


def read_text(path: str, *, filename: str) -> PaperText:
    """Return the text of a paper, or raise `UnreadableFileError` with the reason."""
    kind = detect_file(Path(path), filename).kind
    if kind not in _READERS:
        raise UnreadableFileError(*_REFUSALS.get(kind, _UNKNOWN))
    reader = import_module(f"dossier.integrations.parsing.{_READERS[kind]}")
    text: PaperText = reader.read_text(path)
    return text
