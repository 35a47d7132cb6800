"""Text of any document: detects its kind and calls the reader, inside the sandbox."""

from pathlib import Path
from pkgutil import resolve_name
from typing import Final

from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.kinds import DetectedFile, FileKind, detect_file
from dossier.integrations.parsing.messages import limited, refusal
from dossier.integrations.parsing.types import (
    ExtractedText,
    ReaderContent,
    ReadState,
    state_of,
)

# Imported by name: a process that reads a PDF never loads the spreadsheet libraries.
_READERS: Final = {
    FileKind.PDF: "pdf:read",
    FileKind.DOCX: "word:read",
    FileKind.ODT: "odt:read",
    FileKind.XLSX: "spreadsheet:read_text",
    FileKind.XLS: "spreadsheet:read_text",
    FileKind.ODS: "spreadsheet:read_text",
    FileKind.CSV: "spreadsheet:read_text",
    FileKind.TEXT: "text:read",
    FileKind.HTML: "html:read",
    FileKind.XML: "office_xml:read",
    FileKind.MAIL: "mail:read",
    FileKind.ZIP: "archive:refuse",
}
_PRESENTATION: Final = "presentations are not read; save it as PDF"
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
    FileKind.PPT: (UnreadableReason.UNSUPPORTED, _PRESENTATION),
    FileKind.PPTX: (UnreadableReason.UNSUPPORTED, _PRESENTATION),
    FileKind.OUTLOOK: (
        UnreadableReason.UNSUPPORTED,
        "mails of Outlook are not read; save it as .eml or PDF, and its attachments",
    ),
    FileKind.RICH_TEXT: (
        UnreadableReason.UNSUPPORTED,
        "rich text (RTF) is not read; save it as .docx or PDF",
    ),
}


def reader_module(kind: FileKind) -> list[str]:
    """Return the module that reads a kind of file, as a list of at most one name."""
    if kind not in _READERS:
        return []
    return [f"dossier.integrations.parsing.{_READERS[kind].partition(':')[0]}"]


def read_document(path: str, *, filename: str) -> ExtractedText:
    """Return what was read of a document; an unreadable one with the reason."""
    detected = detect_file(Path(path), filename)
    try:
        content = _read(path, detected)
    except UnreadableFileError as error:
        return unreadable(detected.media_type, detected.kind, error)
    except (MemoryError, RecursionError) as error:
        reason = UnreadableReason.MEMORY
        if isinstance(error, RecursionError):
            reason = UnreadableReason.CORRUPT
        detail = "it is nested too deeply; save it again or print it to a PDF"
        too_deep = UnreadableFileError(reason, detail)
        return unreadable(detected.media_type, detected.kind, too_deep)
    state = state_of(content.pages, content.warnings)
    warnings = limited(content.warnings)
    if state is ReadState.UNREADABLE:
        warnings = [refusal(content.unread_reason, content.unread_detail), *warnings]
    return ExtractedText(
        detected.media_type,
        detected.kind,
        state,
        content.pages,
        warnings,
        content.encoding,
        content.unread_reason if state is ReadState.UNREADABLE else None,
        content.unread_detail if state is ReadState.UNREADABLE else "",
    )


def unreadable(media_type: str, kind: str, error: UnreadableFileError) -> ExtractedText:
    """Return the result for a document of which nothing was read."""
    return ExtractedText(
        media_type,
        kind,
        ReadState.UNREADABLE,
        [],
        [refusal(error.reason, error.detail)],
        reason=error.reason,
        detail=error.detail,
    )


def _read(path: str, detected: DetectedFile) -> ReaderContent:
    kind = detected.kind
    if kind not in _READERS:
        unknown = (
            f"kept but not read ({detected.media_type}): only PDF, Word, OpenDocument,"
            " spreadsheets and text are"
        )
        raise UnreadableFileError(
            *_REFUSALS.get(kind, (UnreadableReason.UNSUPPORTED, unknown))
        )
    try:
        return _call(_READERS[kind], path)
    except UnreadableFileError as error:
        # Text whose quotation marks are out of balance is no table, but still a text.
        if kind is FileKind.CSV and error.reason is UnreadableReason.CORRUPT:
            return _call(_READERS[FileKind.TEXT], path)
        raise


def _call(name: str, path: str) -> ReaderContent:
    read = resolve_name(f"dossier.integrations.parsing.{name}")
    content: ReaderContent = read(path)
    return content
