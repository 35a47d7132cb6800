"""Which characters a font can show, read from its `cmap` table.

PDF/A forbids a missing glyph, so the typesetter refuses the whole document for one
emoji in a file name. What the font lacks is therefore written out as `[U+1F600]`.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dossier.integrations.pdf.exceptions import NoCjkFontError

_COLLECTION = b"ttcf"
# Marks that would reorder or hide neighbours, thus misname a file to the reader.
_DECEIVING = frozenset(
    map(chr, (0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFEFF))
) | frozenset(map(chr, (*range(0x2060, 0x2070), 0x00AD)))
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")


def covered_characters(font: Path, index: int = 0) -> frozenset[int]:
    """Return the code points that the font maps to a glyph."""
    data = font.read_bytes()
    try:
        return frozenset(_cmap(data, _face_offset(data, index)))
    except (struct.error, KeyError, IndexError, ValueError) as error:
        reason = f"{font.name} is not a font that can be read."
        raise NoCjkFontError(reason) from error


def showable(value: Any, covered: frozenset[int]) -> Any:
    """Return JSON data whose every text can be set in the font."""
    if isinstance(value, str):
        return _showable_text(value, covered)
    if isinstance(value, list):
        return [showable(item, covered) for item in value]
    if isinstance(value, dict):
        return {key: showable(item, covered) for key, item in value.items()}
    return value


def _showable_text(text: str, covered: frozenset[int]) -> str:
    composed = unicodedata.normalize("NFC", _VARIATION_SELECTORS.sub("", text))
    return "".join(
        character if _is_shown(character, covered) else f"[U+{ord(character):04X}]"
        for character in composed.replace("\r\n", "\n").replace("\t", " ")
    )


def _is_shown(character: str, covered: frozenset[int]) -> bool:
    if character in _DECEIVING:
        return False
    return ord(character) in covered or character == "\n"


def _face_offset(data: bytes, index: int) -> int:
    if data[:4] != _COLLECTION:
        return 0
    offset: int = struct.unpack_from(">I", data, 12 + 4 * index)[0]
    return offset


def _cmap(data: bytes, face: int) -> Iterator[int]:
    table = _tables(data, face)[b"cmap"]
    (count,) = struct.unpack_from(">H", data, table + 2)
    records = [
        struct.unpack_from(">HHI", data, table + 4 + 8 * i) for i in range(count)
    ]
    subtables = {table + offset for _platform, _encoding, offset in records}
    for start in subtables:
        yield from _characters(data, start)


def _tables(data: bytes, face: int) -> dict[bytes, int]:
    (count,) = struct.unpack_from(">H", data, face + 4)
    rows = [
        struct.unpack_from(">4sIII", data, face + 12 + 16 * i) for i in range(count)
    ]
    return {tag: offset for tag, _checksum, offset, _length in rows}


def _characters(data: bytes, start: int) -> Iterable[int]:
    (kind,) = struct.unpack_from(">H", data, start)
    reader = {4: _segments, 12: _groups}.get(kind)
    return reader(data, start) if reader else ()


def _segments(data: bytes, start: int) -> Iterator[int]:
    """Read format 4: 16-bit segments, as OpenType lays them out."""
    (doubled,) = struct.unpack_from(">H", data, start + 6)
    shape = f">{doubled // 2}H"
    ends = struct.unpack_from(shape, data, start + 14)
    starts = struct.unpack_from(shape, data, start + 16 + doubled)
    deltas = struct.unpack_from(shape, data, start + 16 + 2 * doubled)
    ranges_at = start + 16 + 3 * doubled
    offsets = struct.unpack_from(shape, data, ranges_at)
    for i, first in enumerate(starts):
        glyphs_at = ranges_at + 2 * i + offsets[i] if offsets[i] else None
        for code in range(first, min(ends[i], 0xFFFE) + 1):
            if _glyph(data, glyphs_at, code, first, deltas[i]):
                yield code


def _glyph(
    data: bytes, glyphs_at: int | None, code: int, first: int, delta: int
) -> int:
    if glyphs_at is None:
        return (code + delta) & 0xFFFF
    glyph: int = struct.unpack_from(">H", data, glyphs_at + 2 * (code - first))[0]
    return glyph


def _groups(data: bytes, start: int) -> Iterator[int]:
    """Read format 12: 32-bit groups."""
    (count,) = struct.unpack_from(">I", data, start + 12)
    for i in range(count):
        first, last, glyph = struct.unpack_from(">III", data, start + 16 + 12 * i)
        yield from range(first if glyph else first + 1, last + 1)
