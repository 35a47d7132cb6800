"""Numbers that Word puts before paragraphs of lists and headings.

No text holds them. Bullets say nothing and are left out.
"""

import re
from typing import Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.package import (
    Package,
    attribute_of,
    child_of,
    children_of,
    local_name,
)

_PLACE: Final = re.compile(r"%([1-9])")
_ROMAN: Final = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_CHINESE: Final = "〇一二三四五六七八九"
_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_EASTERN: Final = re.compile("chinese|taiwanese|ideograph|japanese")
_TEN: Final = 10
_HUNDRED: Final = 100
_LETTERS: Final = 26
_MAX_NUMBER: Final = 100_000


class Numbering:
    """The lists of a document, and how far each has come."""

    def __init__(self, package: Package, part: str | None) -> None:
        self._levels: dict[str, dict[int, Element]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        """Lists that begin anew with a number, until their first paragraph."""
        for each in package.xml_of(part) if part else ():
            if local_name(each) == "abstractNum":
                self._levels[attribute_of(each, "abstractNumId")] = {
                    _whole(attribute_of(level, "ilvl")): level
                    for level in children_of(each, "lvl")
                }
            elif local_name(each) == "num":
                target = attribute_of(child_of(each, "abstractNumId"), "val")
                number_id = attribute_of(each, "numId")
                self._abstract[number_id] = target
                for override in children_of(each, "lvlOverride"):
                    start = attribute_of(child_of(override, "startOverride"), "val")
                    depth = _whole(attribute_of(override, "ilvl"))
                    if start:
                        own = self._restarts.setdefault(number_id, {})
                        own[depth] = _whole(start)

    def next_mark(self, properties: Element | None) -> str:
        """Return what stands before a paragraph with these list properties."""
        if properties is None:
            return ""
        number_id = attribute_of(child_of(properties, "numId"), "val")
        depth = _whole(attribute_of(child_of(properties, "ilvl"), "val"))
        abstract = self._abstract.get(number_id, "")
        levels = self._levels.get(abstract, {})
        if depth not in levels:
            return ""
        counts = self._counts.setdefault(abstract, {})
        for level, start in self._restarts.pop(number_id, {}).items():
            counts[level] = start - 1
        counts[depth] = counts.get(depth, _start(levels[depth]) - 1) + 1
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]
        if attribute_of(child_of(levels[depth], "numFmt"), "val") == "bullet":
            return ""
        text = attribute_of(child_of(levels[depth], "lvlText"), "val")
        mark = _PLACE.sub(lambda at: _shown(levels, counts, int(at[1]) - 1), text)
        return f"{mark} " if mark.isascii() and mark else mark


def _shown(levels: dict[int, Element], counts: dict[int, int], depth: int) -> str:
    level = levels.get(depth)
    if level is None:
        return ""
    number = min(counts.get(depth, _start(level)), _MAX_NUMBER)
    return number_text(
        number, attribute_of(child_of(level, "numFmt"), "val", "decimal")
    )


def number_text(number: int, kind: str) -> str:
    """Return a number as a kind of numbering (`ST_NumberFormat`) writes it."""
    if number < 1:
        return str(number)
    if kind in {"lowerLetter", "upperLetter"}:
        letter = chr(ord("a") + (number - 1) % _LETTERS)
        text = letter * ((number - 1) // _LETTERS + 1)
    elif kind in {"lowerRoman", "upperRoman"}:
        text = _roman(number)
    elif kind == "ideographTraditional" and number <= _TEN:
        text = _STEMS[number - 1]
    elif _EASTERN.search(kind):
        text = _chinese(number)
    else:
        text = f"0{number}" if kind == "decimalZero" and number < _TEN else str(number)
    return text.upper() if kind.startswith("upper") else text


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _chinese(number: int) -> str:
    if number >= _HUNDRED:
        return str(number)
    tens, ones = divmod(number, _TEN)
    if tens == 0:
        return _CHINESE[ones]
    return (
        (_CHINESE[tens] if tens > 1 else "") + "十" + (_CHINESE[ones] if ones else "")
    )


def _start(level: Element) -> int:
    return _whole(attribute_of(child_of(level, "start"), "val", "1"))


def _whole(text: str) -> int:
    return min(int(text), _MAX_NUMBER) if text.isdecimal() else 0
