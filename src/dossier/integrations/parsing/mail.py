"""Text of mails (`.eml`) and of web pages saved as one file (MHTML).

Attachments are named and not read: each is a document of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.message import MIMEPart
from email.parser import BytesParser
from typing import BinaryIO, Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.html import text_of
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.text import bytes_of
from dossier.integrations.parsing.text_encoding import decoded
from dossier.integrations.parsing.types import (
    ReaderContent,
    ReadWarning,
    split_parts,
    storable,
)

_SHOWN_HEADERS: Final = ("From", "To", "Cc", "Date", "Subject")
_SHOWN_KINDS: Final = frozenset({"text/plain", "text/html"})
_UNSEEN_KINDS: Final = frozenset({"text/css", "text/xml", "text/javascript"})
"""Beside a web page they say how it looks."""
_MAX_PARTS: Final = 500
_LARGE_PICTURE_BYTES: Final = 30_000
"""More than the logo of a signature."""


def read(file: BinaryIO) -> ReaderContent:
    """Return the headers that people see and the words of a mail."""
    found = _MailContent()
    try:
        message = BytesParser(policy=policy.default).parsebytes(bytes_of(file))
        headers = list(_headers(message))
        _read_part(message, found)
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        detail = "the mail is damaged; save its attachments and hand them in"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    if not found.lines:
        held = ", ".join(found.files[:5]) or "nothing that is text"
        detail = (
            f"it is a mail that carries {held}, not read;"
            " save the attachments and hand them in"
        )
        zh = f"郵件只含附件（{held}），未讀取；請儲存附件後另行上傳"
        raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail, zh)
    warnings = [
        *found.warnings,
        *(warning("attachment-not-read", name=name) for name in found.files),
    ]
    if found.pictures:
        warnings.append(warning("pictures-not-read", count=found.pictures))
    text = storable("\n".join([*headers, *found.lines]))
    return ReaderContent(split_parts(text, "mail"), warnings)


@dataclass(slots=True)
class _MailContent:
    """What a mail holds, in the order in which it is shown."""

    lines: list[str] = field(default_factory=list)
    warnings: list[ReadWarning] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    pictures: int = 0
    """Large ones within the text: their words were not read."""
    parts: int = 0


def _headers(message: MIMEPart) -> Iterator[str]:
    for name in _SHOWN_HEADERS:
        if message[name]:
            yield f"{name}: {message[name]}"


def _read_part(part: MIMEPart, found: _MailContent) -> None:
    """Take in a part as a mail program shows it."""
    found.parts += 1
    if found.parts > _MAX_PARTS:
        return
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        chosen = part.get_body(preferencelist=("related", "html", "plain"))
        if chosen is not None:
            _read_part(chosen, found)
    elif part.is_multipart():
        inner = part.get_payload()
        for each in inner if isinstance(inner, list) else ():
            if isinstance(each, MIMEPart):
                if kind == "message/rfc822":  # forwarded
                    found.lines += _headers(each)
                _read_part(each, found)
    elif part.is_attachment() or part.get_filename() or kind not in _SHOWN_KINDS:
        _read_file(part, kind, found)
    else:
        _read_text(part, found)


def _read_file(part: MIMEPart, kind: str, found: _MailContent) -> None:
    is_inline = not part.is_attachment() and (
        part.get("Content-ID") or part.get("Content-Location")
    )
    if is_inline and kind.startswith("image/"):
        content = part.get_payload(decode=True)
        is_large = isinstance(content, bytes) and len(content) > _LARGE_PICTURE_BYTES
        found.pictures += is_large
    elif not (is_inline and kind in _UNSEEN_KINDS):
        found.files.append(part.get_filename() or kind)


def _read_text(part: MIMEPart, found: _MailContent) -> None:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    try:
        text = raw.decode(part.get_content_charset() or "ascii")
    except (LookupError, UnicodeDecodeError):
        text, _ = decoded(raw)
    if part.get_content_subtype() == "html":
        lines, warnings = text_of(text)
        found.lines += lines
        found.warnings += warnings
    else:
        found.lines += [line for line in text.splitlines() if line.strip()]
