"""Text of any document: detects its kind and calls the reader, inside the sandbox."""

from pkgutil import resolve_name
from typing import BinaryIO, Final

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
_UNSUPPORTED: Final = UnreadableReason.UNSUPPORTED
_REFUSALS: Final[dict[FileKind, tuple[UnreadableReason, str, str]]] = {
    FileKind.EMPTY: (UnreadableReason.EMPTY, "the file has 0 bytes", ""),
    FileKind.LOCKED_OFFICE: (UnreadableReason.ENCRYPTED, PASSWORD_DETAIL, ""),
    FileKind.IMAGE: (
        UnreadableReason.NO_TEXT_LAYER,
        "it is a picture without text, and no OCR is installed",
        "檔案是圖片，沒有文字，且未安裝 OCR，無法讀取",
    ),
    FileKind.DOC: (
        _UNSUPPORTED,
        "the old Word format is not read; save it as .docx or PDF",
        "不讀取舊版 Word 格式；請另存為 .docx 或 PDF",
    ),
    **dict.fromkeys(
        (FileKind.PPT, FileKind.PPTX),
        (
            _UNSUPPORTED,
            "presentations are not read; save it as PDF",
            "不讀取簡報檔；請另存為 PDF",
        ),
    ),
    FileKind.OUTLOOK: (
        _UNSUPPORTED,
        "mails of Outlook are not read; save it as .eml or PDF, and its attachments",
        "不讀取 Outlook 郵件；請另存為 .eml 或 PDF，附件另行上傳",
    ),
    FileKind.RICH_TEXT: (
        _UNSUPPORTED,
        "rich text (RTF) is not read; save it as .docx or PDF",
        "不讀取 RTF 格式；請另存為 .docx 或 PDF",
    ),
}


def modules_for(kind: FileKind) -> list[str]:
    """Return the modules that reading a kind of file needs, late imports included."""
    if kind not in _READERS:
        return ["puremagic"]  # names the kinds that are not read
    modules = [f"dossier.integrations.parsing.{_READERS[kind].partition(':')[0]}"]
    if kind is FileKind.PDF:
        modules.append("pikepdf")
    if kind is FileKind.CSV:  # may prove to be no table
        modules.append("dossier.integrations.parsing.text")
    return modules


def read_document(file: BinaryIO, *, filename: str) -> ExtractedText:
    """Return what was read of a document; an unreadable one with the reason."""
    detected = detect_file(file, filename)
    try:
        content = _read(file, detected)
    except UnreadableFileError as error:
        return unreadable(detected.media_type, detected.kind, error)
    except RecursionError:
        detail = "it is nested too deeply; save it again or print it to a PDF"
        zh = "內容層層套疊過深，無法讀取；請重新儲存或列印為 PDF"
        too_deep = UnreadableFileError(UnreadableReason.CORRUPT, detail, zh)
        return unreadable(detected.media_type, detected.kind, too_deep)
    state = state_of(content.pages, content.warnings)
    warnings = limited(content.warnings)
    if state is ReadState.UNREADABLE:
        why = refusal(content.unread_reason, content.unread.en, content.unread.zh)
        warnings = [why, *warnings]
    return ExtractedText(
        detected.media_type,
        detected.kind,
        state,
        content.pages,
        warnings,
        content.encoding,
        content.unread_reason if state is ReadState.UNREADABLE else None,
        content.unread.en if state is ReadState.UNREADABLE else "",
    )


def unreadable(media_type: str, kind: str, error: UnreadableFileError) -> ExtractedText:
    """Return the result for a document of which nothing was read."""
    return ExtractedText(
        media_type,
        kind,
        ReadState.UNREADABLE,
        [],
        [refusal(error.reason, error.detail, error.zh)],
        reason=error.reason,
        detail=error.detail,
    )


def _read(file: BinaryIO, detected: DetectedFile) -> ReaderContent:
    kind = detected.kind
    if kind not in _READERS:
        unknown = (
            f"kept but not read ({detected.media_type}): only PDF, Word, OpenDocument,"
            " spreadsheets and text are"
        )
        raise UnreadableFileError(*_REFUSALS.get(kind, (_UNSUPPORTED, unknown, "")))
    try:
        return _call(_READERS[kind], file)
    except UnreadableFileError as error:
        # Text whose quotation marks are out of balance is no table, but still a text.
        if kind is FileKind.CSV and error.reason is UnreadableReason.CORRUPT:
            return _call(_READERS[FileKind.TEXT], file)
        raise


def _call(name: str, file: BinaryIO) -> ReaderContent:
    read = resolve_name(f"dossier.integrations.parsing.{name}")
    content: ReaderContent = read(file)
    return content
