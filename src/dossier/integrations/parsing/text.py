"""Plain text files."""

import base64
import os
import re
from typing import BinaryIO, Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.text_encoding import decoded
from dossier.integrations.parsing.types import ReaderContent, split_parts, storable

MAX_BYTES: Final = 32 * 1024 * 1024
_MIN_BASE64: Final = 64
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_MAGICS: Final = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an archive or office file",
    b"\xd0\xcf\x11\xe0": "an office file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def read(file: BinaryIO) -> ReaderContent:
    """Return a whole text in parts, with the name of its encoding."""
    text, encoding = decoded(bytes_of(file))
    if carried := _carried_in_base64(text):
        detail = f"it is {carried} as mails carry it (base64); hand in the file itself"
        raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
    return ReaderContent(split_parts(storable(text), "text"), encoding=encoding)


def bytes_of(file: BinaryIO) -> bytes:
    """Return the content of a text file that is not larger than any paper."""
    if file.seek(0, os.SEEK_END) > MAX_BYTES:
        detail = f"a text above {MAX_BYTES // 1024**2} MiB is not read; split it"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    file.seek(0)
    return file.read()


def _carried_in_base64(text: str) -> str | None:
    """Return what a text that is nothing but base64 carries; `None` for other texts."""
    body = text.strip().removeprefix("data:").rpartition("base64,")[2]
    packed = "".join(body.split())
    if len(packed) < _MIN_BASE64 or not _BASE64.fullmatch(packed):
        return None
    head = base64.b64decode(packed[:_MIN_BASE64])
    found = (name for magic, name in _MAGICS.items() if head.startswith(magic))
    return next(found, None)
