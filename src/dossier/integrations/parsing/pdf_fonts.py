"""What only the dictionaries of a PDF tell: fonts without letters, layers switched off.

PDFium gives some character for every code. Whether a font says which letters it shows
stands in its dictionary, which pikepdf shows; that library is loaded only for documents
with layers or with a font whose text does not look like words.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from dossier.integrations.parsing.text_encoding import (
    COMMON_SIMPLIFIED,
    COMMON_TRADITIONAL,
)

_PAIRS: Final = frozenset(
    (  # noqa: SIM905 - one word a line would fill a page
        "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se"
        " ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur"
        " ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs"
        " un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh"
        " ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa"
        " ay ex ke ui da do gr ei"
    ).split()
)
"""The commonest pairs of letters: three in four of English, one in five of chance."""
_LETTER_PAIR: Final = re.compile(r"(?=([a-z]{2}))")
_HAN: Final = re.compile("[\u4e00-\u9fff]")
_OTHER_SCRIPTS: Final = re.compile(
    "[\u0370-\u03ff\u0400-\u04ff\u3041-\u30fe\uac00-\ud7a3]"
)
_MIN_PAIRS: Final = 6
_MIN_PAIR_SHARE: Final = 0.4
_MIN_COMMON_SHARE: Final = 0.4
_MANY_PAIRS: Final = 150
_MAX_CHANCE_SHARE: Final = 0.25
_MAX_DEPTH: Final = 4
_MAX_FONTS: Final = 5_000
_SYMBOLIC: Final = 4
_NAMED_BY_NUMBER: Final = re.compile(
    r"/(?:[A-Za-z]{1,2}|cid|glyph|index|char|font|gid)[_.-]?\d+(?:\.\w+)?"
)
_CHARACTER_COLLECTIONS: Final = frozenset(
    {"GB1", "CNS1", "Japan1", "Japan2", "Korea1", "KR"}
)


def is_plausible(sample: str) -> bool:
    """Return whether a text is clearly made of words of a language."""
    han = _HAN.findall(sample)
    if han:
        common = sum(
            each in COMMON_TRADITIONAL or each in COMMON_SIMPLIFIED for each in han
        )
        return common >= _MIN_COMMON_SHARE * len(han)
    if _OTHER_SCRIPTS.search(sample):
        return True
    pairs = _LETTER_PAIR.findall(sample.lower())
    usual = sum(pair in _PAIRS for pair in pairs)
    return len(pairs) >= _MIN_PAIRS and usual >= _MIN_PAIR_SHARE * len(pairs)


def is_gibberish(sample: str) -> bool:
    """Return whether a long text is clearly made of no words of any language."""
    pairs = _LETTER_PAIR.findall(sample.lower())
    usual = sum(pair in _PAIRS for pair in pairs)
    return len(pairs) >= _MANY_PAIRS and usual < _MAX_CHANCE_SHARE * len(pairs)


def unmapped_fonts(file: BinaryIO, suspects: set[str]) -> frozenset[str]:
    """Return those of the fonts that do not say which letters their glyphs are."""
    import pikepdf  # noqa: PLC0415 - a tenth of a second, for few documents

    unmapped: set[str] = set()
    try:
        with pikepdf.open(file) as pdf:
            seen: set[tuple[int, int]] = set()
            for page in pdf.pages:
                for font in _fonts_in(page.obj.get("/Resources"), seen, 0):
                    name = str(font.get("/BaseFont", "")).removeprefix("/")
                    if name in suspects and not _is_mapped(font):
                        unmapped.add(name)
                if len(seen) > _MAX_FONTS:
                    break
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, KeyError):
        return frozenset(unmapped)  # damaged: PDFium mended more of it
    return frozenset(unmapped)


def hidden_layers(file: BinaryIO) -> frozenset[str]:
    """Return the names of the layers that a viewer does not show at first."""
    import pikepdf  # noqa: PLC0415

    try:
        with pikepdf.open(file) as pdf:
            layers: Any = pdf.Root.get("/OCProperties", {})
            shown_first: Any = layers.get("/D", {})
            off = list(shown_first.get("/OFF", []))
            if shown_first.get("/BaseState") == "/OFF":
                on = {each.objgen for each in shown_first.get("/ON", [])}
                off += [
                    each for each in layers.get("/OCGs", []) if each.objgen not in on
                ]
            return frozenset(str(each.get("/Name", "")) for each in off)
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, KeyError):
        return frozenset()


def _fonts_in(resources: Any, seen: set[tuple[int, int]], depth: int) -> Iterator[Any]:
    """Yield the fonts of a page and of what it includes, each once."""
    if resources is None or depth > _MAX_DEPTH:
        return
    for font in dict(resources.get("/Font", {})).values():
        if not _was_seen(font, seen):
            yield font
    for each in dict(resources.get("/XObject", {})).values():
        if each.get("/Subtype") == "/Form" and not _was_seen(each, seen):
            yield from _fonts_in(each.get("/Resources"), seen, depth + 1)


def _was_seen(each: Any, seen: set[tuple[int, int]]) -> bool:
    key = each.objgen
    if key == (0, 0):
        return False  # written in place
    if key in seen:
        return True
    seen.add(key)
    return False


def _is_mapped(font: Any) -> bool:
    if "/ToUnicode" in font:
        return True
    kind = font.get("/Subtype")
    encoding = font.get("/Encoding")
    if kind == "/Type0":
        below = font.get("/DescendantFonts")[0].get("/CIDSystemInfo", {})
        is_collection = str(below.get("/Ordering", "")) in _CHARACTER_COLLECTIONS
        return is_collection or "Identity" not in str(encoding)
    if encoding is None:
        flags = int(font.get("/FontDescriptor", {}).get("/Flags", 0))
        return kind != "/Type3" and not flags & _SYMBOLIC
    differences = [] if isinstance(encoding, str) else _differences(encoding)
    numbered = sum(bool(_NAMED_BY_NUMBER.fullmatch(name)) for name in differences)
    return 2 * numbered <= len(differences)


def _differences(encoding: Any) -> list[str]:
    """Return the names of the glyphs that an encoding changes."""
    try:
        listed = encoding.get("/Differences", [])
    except (AttributeError, ValueError):  # a name: one of the standard encodings
        return []
    return [str(each) for each in listed if str(each).startswith("/")]
