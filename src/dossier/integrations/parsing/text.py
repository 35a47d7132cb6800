"""Plain text, and the encodings in which text is written.

The encoding (UTF-8, UTF-16, Big5, GB 18030) is detected from the content.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.types import DocumentText, split_parts, storable

MAX_BYTES: Final = 32 * 1024 * 1024
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII_END: Final = 0x80
_DOUBLE_BYTE_START: Final = 0xA1
_COMMON_SHARE_PERCENT: Final = 70
# Lead bytes of symbols and of the commoner half of each character set.
_COMMON_LEADS: Final = {
    "big5": range(0xA1, 0xC7),
    "gb18030": range(0xA1, 0xD8),
}
_CODECS: Final = {"big5": "cp950", "gb18030": "gb18030"}
_CONTROLS: Final = frozenset(map(chr, range(32))) - set("\t\n\r\x0b\x0c")


def read_text(path: str) -> DocumentText:
    """Return a whole text in parts, with the name of its encoding."""
    text, encoding = _decoded_file(path, "a text")
    return DocumentText(split_parts(storable(text), "text"), encoding)


def _decoded_file(path: str, what: str) -> tuple[str, str]:
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        detail = f"{what} above {MAX_BYTES // 1024**2} MiB is not read; split it"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    return decoded(file.read_bytes())


def decoded(content: bytes) -> tuple[str, str]:
    """Return the text and its encoding, or raise for bytes that are no text."""
    for encoding in _candidate_encodings(content):
        try:
            text = content.decode(_CODECS.get(encoding, encoding))
        except UnicodeDecodeError:
            continue
        if _CONTROLS.isdisjoint(text):
            return text, encoding
    detail = "the text is neither UTF-8, UTF-16, Big5 nor GB 18030; save it as UTF-8"
    raise UnreadableFileError(UnreadableReason.UNDECODABLE, detail)


def _candidate_encodings(content: bytes) -> Iterator[str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            yield encoding
            return
    yield "utf-8"
    if b"\x00" in content:
        # In two-byte text the high byte of Latin letters and digits is zero.
        yield "utf-16-le" if content[1::2].count(0) else "utf-16-be"
        return
    yield from _double_byte_encodings(content)


def _double_byte_encodings(content: bytes) -> list[str]:
    """Order the two Chinese encodings by how common their characters would be.

    Text of GB 2312 has no second byte below 0xA1; about 40 % of Big5's lie there. Bytes
    of a Western code page make rare characters in both, and are refused.
    """
    units = iter(content)
    pairs = [(lead, next(units, 0)) for lead in units if lead >= _ASCII_END]
    shares: dict[str, int] = {}
    for name, leads in _COMMON_LEADS.items():
        common = sum(
            lead in leads and (name == "big5" or second >= _DOUBLE_BYTE_START)
            for lead, second in pairs
        )
        shares[name] = 100 * common // max(len(pairs), 1)
    likely = [name for name in shares if shares[name] >= _COMMON_SHARE_PERCENT]
    return sorted(likely, key=lambda name: -shares[name])
