"""Finds the font of the printed file, and the characters that it covers.

PDF/A forbids a missing glyph, so the typesetter refuses the whole document for one
emoji in a file name. What the font lacks is therefore written out as `[U+1F600]`.
"""

import hashlib
import importlib.util
import re
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dossier.integrations.pdf.exceptions import NoCjkFontError

FontSource = Literal["setting", "system", "project", "package"]

PROJECT_FONTS = Path(__file__).resolve().parents[4] / ".fonts"
"""Where `make install` unpacks a font, for machines that have none."""

_REGULAR_WEIGHT = 400
_SYSTEM_FAMILIES = ("Noto Sans CJK TC", "Noto Sans TC", "Noto Sans CJK HK")
_PACKAGE = "zhplot"
# One character of each of: numerals, Traditional, Bopomofo-era and trade words.
_PROBE = frozenset(map(ord, "產品資訊檔案化粧衛生聲明書簽署"))
_REPAIR = (
    "Install the Debian package fonts-noto-cjk, or run `make install`, or point "
    "DOSSIER_REPORTS__FONT_DIR at a folder with a Chinese font."
)

_COLLECTION = b"ttcf"
# Marks that reorder or hide their neighbours: a file name would read as another one.
_MISLEADING = frozenset(
    map(chr, (0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFEFF))
) | frozenset(map(chr, (*range(0x2060, 0x2070), 0x00AD)))
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")


@dataclass(frozen=True, slots=True)
class FontChoice:
    """One face of one font file, and how it was found."""

    file: Path
    index: int
    family: str
    source: FontSource

    def sha256(self) -> str:
        """Return the digest of the file, which identifies its version."""
        with self.file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def find_font(
    settings_folder: Path | None,
    project_fonts: Path = PROJECT_FONTS,
    *,
    with_system: bool = True,
) -> FontChoice:
    """Return the font to use: by setting, of the system, of the project, of a package.

    Raises:
        NoCjkFontError: None was found. If the folder by setting holds none, the other
            places are not searched.
    """
    if settings_folder is not None:
        choices = _in_folder(settings_folder, "setting")
        where = str(settings_folder)
    else:
        choices = _fallbacks(project_fonts, with_system=with_system)
        where = "this machine"
    for choice in choices:
        if covered_characters(choice.file, choice.index) >= _PROBE:
            return choice
    reason = f"No font with Traditional Chinese glyphs on {where}. {_REPAIR}"
    raise NoCjkFontError(reason)


def taiwanese_first(family: str) -> tuple[int, str]:
    """Return a sort key: a collection holds the shapes of several regions."""
    known = family in _SYSTEM_FAMILIES
    return _SYSTEM_FAMILIES.index(family) if known else len(_SYSTEM_FAMILIES), family


def _fallbacks(project_fonts: Path, *, with_system: bool) -> Iterator[FontChoice]:
    if with_system:
        known = list(_scan(None, "system"))
        for family in _SYSTEM_FAMILIES:
            yield from (choice for choice in known if choice.family == family)
    yield from _in_folder(project_fonts, "project")
    # Located, not imported: the package imports plotting libraries.
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        yield from _in_folder(Path(folder), "package")


def _in_folder(folder: Path, source: FontSource) -> Iterator[FontChoice]:
    if folder.is_dir():
        yield from _scan(folder, source)


def _scan(folder: Path | None, source: FontSource) -> Iterator[FontChoice]:
    """Yield upright regular faces of a folder, or of the system, by name."""
    import typst  # noqa: PLC0415 - 20 MB that the web process never needs

    faces = typst.Fonts(
        include_system_fonts=folder is None,
        include_embedded_fonts=False,
        font_paths=[str(folder)] if folder else [],
    ).fonts()
    regular = [
        face
        for face in faces
        if face.path and face.weight == _REGULAR_WEIGHT and face.style == "normal"
    ]
    for face in sorted(
        regular, key=lambda face: (taiwanese_first(face.family), str(face.path))
    ):
        yield FontChoice(Path(str(face.path)), face.index, face.family, source)


def showable(value: Any, covered: frozenset[int]) -> Any:
    """Return JSON data whose every text can be set in the font."""
    if isinstance(value, list):
        return [showable(item, covered) for item in value]
    if isinstance(value, dict):
        return {key: showable(item, covered) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    composed = unicodedata.normalize("NFC", _VARIATION_SELECTORS.sub("", value))
    characters = []
    for character in composed.replace("\r\n", "\n").replace("\t", " "):
        is_covered = ord(character) in covered or character == "\n"
        if is_covered and character not in _MISLEADING:
            characters.append(character)
        else:
            characters.append(f"[U+{ord(character):04X}]")
    return "".join(characters)


def covered_characters(font: Path, index: int = 0) -> frozenset[int]:
    """Return the code points that the font maps to a glyph."""
    data = font.read_bytes()
    try:
        return frozenset(_code_points(data, index))
    except (struct.error, KeyError, IndexError, ValueError) as error:
        reason = f"{font.name} is not a font that can be read."
        raise NoCjkFontError(reason) from error


def _code_points(data: bytes, index: int) -> Iterator[int]:
    """Read the `cmap` table of a face, as the OpenType specification lays it out."""
    face = 0
    if data[:4] == _COLLECTION:
        (face,) = struct.unpack_from(">I", data, 12 + 4 * index)
    (table_count,) = struct.unpack_from(">H", data, face + 4)
    tables = [
        struct.unpack_from(">4sIII", data, face + 12 + 16 * i)
        for i in range(table_count)
    ]
    offsets = {tag: offset for tag, _checksum, offset, _length in tables}
    cmap = offsets[b"cmap"]
    (subtable_count,) = struct.unpack_from(">H", data, cmap + 2)
    subtables = [
        struct.unpack_from(">HHI", data, cmap + 4 + 8 * i)
        for i in range(subtable_count)
    ]
    for start in {cmap + offset for _platform, _encoding, offset in subtables}:
        (table_format,) = struct.unpack_from(">H", data, start)
        reader = {4: _segments, 12: _groups}.get(table_format)
        if reader is not None:
            yield from reader(data, start)


def _segments(data: bytes, start: int) -> Iterator[int]:
    """Read format 4: 16-bit segments."""
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
            if glyphs_at is None:
                glyph = (code + deltas[i]) & 0xFFFF
            else:
                (glyph,) = struct.unpack_from(
                    ">H", data, glyphs_at + 2 * (code - first)
                )
            if glyph:
                yield code


def _groups(data: bytes, start: int) -> Iterator[int]:
    """Read format 12: 32-bit groups."""
    (count,) = struct.unpack_from(">I", data, start + 12)
    for i in range(count):
        first, last, glyph = struct.unpack_from(">III", data, start + 16 + 12 * i)
        yield from range(first if glyph else first + 1, last + 1)
