"""Text of mails (`.eml`) and of web pages saved as one file (MHTML).

Attachments are named and not read: each is a paper of its own.
"""

from email import policy
from email.errors import MessageError
from email.message import EmailMessage
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
_MAX_PARTS: Final = 500


def read(file: BinaryIO) -> ReaderContent:
    """Return the headers that people see and the words of a mail."""
    try:
        message = BytesParser(policy=policy.default).parsebytes(bytes_of(file))
        lines = [f"{name}: {message[name]}" for name in _SHOWN_HEADERS if message[name]]
        body, warnings = _body(message)
        names = [each for each in _attachments(message) if each]
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        detail = "the mail is damaged; save its attachments and hand them in"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    if not body:
        held = ", ".join(names[:5]) or "nothing that is text"
        detail = (
            f"it is a mail that carries {held}, not read;"
            " save the attachments and hand them in"
        )
        raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
    warnings += [warning("attachment-not-read", name=name) for name in names]
    return ReaderContent(
        split_parts(storable("\n".join([*lines, *body])), "mail"), warnings
    )


def _body(message: EmailMessage) -> tuple[list[str], list[ReadWarning]]:
    """Return the lines of the text that a mail program shows."""
    chosen = message.get_body(preferencelist=("html", "plain"))
    if chosen is None:
        return [], []
    content = chosen.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    try:
        text = raw.decode(chosen.get_content_charset() or "ascii")
    except (LookupError, UnicodeDecodeError):
        text, _ = decoded(raw)
    if chosen.get_content_subtype() == "html":
        return text_of(text)
    return [line for line in text.splitlines() if line.strip()], []


def _attachments(message: EmailMessage) -> list[str]:
    chosen = message.get_body(preferencelist=("html", "plain"))
    names = []
    for part in list(message.walk())[:_MAX_PARTS]:
        if part is chosen or part.is_multipart():
            continue
        is_other_body = (
            part.get_content_maintype() == "text" and not part.get_filename()
        )
        is_inline = part.get_content_maintype() == "image" and part.get("Content-ID")
        if not is_other_body and not is_inline:
            names.append(part.get_filename() or part.get_content_type())
    return names
