"""Plain text files."""

import base64
import os
import re
from typing import BinaryIO, Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.text_encoding import MAX_TEXT_BYTES, decoded
from dossier.integrations.parsing.types import ReaderContent, split_parts, storable

_MIN_BASE64: Final = 64
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_UUENCODED: Final = re.compile(r"\s*begin(?:-base64)? [0-7]{3,4} (\S.{0,200})\n")
_PROGRAMS: Final = (("%!PS", "PostScript"), ("%FDF", "form data (FDF)"))
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
    if found := next((what for mark, what in _PROGRAMS if text.startswith(mark)), None):
        detail = f"it is {found}, not a text for people; save it as PDF"
        zh = f"檔案是 {found}，不是供人閱讀的文字，未讀取；請另存為 PDF"
        raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail, zh)
    uuencoded = _UUENCODED.match(text)
    carried = uuencoded[1] if uuencoded else _carried_in_base64(text)
    if carried:
        how = "uuencode" if uuencoded else "base64"
        detail = f"it is {carried} as mails carry it ({how}); hand in the file itself"
        zh = f"內容是郵件編碼（{how}）的檔案，未讀取；請提供原始檔案"
        raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail, zh)
    return ReaderContent(split_parts(storable(text), "text"), encoding=encoding)


def bytes_of(file: BinaryIO) -> bytes:
    """Return the content of a text file; refuse one above `MAX_TEXT_BYTES`."""
    if file.seek(0, os.SEEK_END) > MAX_TEXT_BYTES:
        detail = f"a text above {MAX_TEXT_BYTES // 1024**2} MiB is not read; split it"
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
