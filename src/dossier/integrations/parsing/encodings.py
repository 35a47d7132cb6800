"""Tells a text file's encoding by its bytes: UTF-8, UTF-16, Big5, GB 18030."""

import codecs
from collections.abc import Iterator
from typing import Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

_MARKS: Final = (
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


def decoded(content: bytes) -> tuple[str, str]:
    """Return the text and its encoding's name, or refuse bytes that are no text."""
    for encoding in _candidates(content):
        text = _decoded(content, encoding)
        if text is not None and _CONTROLS.isdisjoint(text):
            return text, encoding
    detail = "the text is neither UTF-8, UTF-16, Big5 nor GB 18030; save it as UTF-8"
    raise UnreadableFileError(UnreadableReason.UNDECODABLE, detail)


def _candidates(content: bytes) -> Iterator[str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            yield encoding
            return
    yield "utf-8"
    if b"\x00" in content:
        # In two-byte text the high byte of Latin letters and digits is zero.
        yield "utf-16-le" if content[1::2].count(0) else "utf-16-be"
        return
    yield from _double_byte(content)


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(_CODECS.get(encoding, encoding))
    except UnicodeDecodeError:
        return None


def _double_byte(content: bytes) -> list[str]:
    """Order the two Chinese encodings by how common their characters would be.

    Text of GB 2312 has no second byte below 0xA1; about 40 % of Big5's lie there. Bytes
    of a Western code page make rare characters in both, and are refused.
    """
    pairs = list(_pairs(content))
    shares = {name: _common_percent(name, pairs) for name in _CODECS}
    likely = [name for name in shares if shares[name] >= _COMMON_SHARE_PERCENT]
    return sorted(likely, key=lambda name: -shares[name])


def _pairs(content: bytes) -> Iterator[tuple[int, int]]:
    units = iter(content)
    for lead in units:
        if lead >= _ASCII_END:
            yield lead, next(units, 0)


def _common_percent(name: str, pairs: list[tuple[int, int]]) -> int:
    common = sum(
        lead in _COMMON_LEADS[name] and (name == "big5" or second >= _DOUBLE_BYTE_START)
        for lead, second in pairs
    )
    return 100 * common // max(len(pairs), 1)
