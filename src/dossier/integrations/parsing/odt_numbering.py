"""Numbers that OpenDocument programs put before the items of lists and headings.

No text holds them. Bullets say nothing and are left out.
"""

from typing import Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.package import attribute_of, local_name
from dossier.integrations.parsing.word_numbering import number_text

_KINDS: Final = {
    "1": "decimal",
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
    "一, 二, 三, ...": "chineseCounting",
    "甲, 乙, 丙, ...": "ideographTraditional",
}
_OUTLINE: Final = ""
"""The style of headings, which has no name."""
_MAX_START: Final = 10_000


class ListNumbers:
    """The list styles of a document, and how far its open lists have come."""

    def __init__(self, roots: list[Element]) -> None:
        self._levels: dict[str, dict[int, Element]] = {}
        for each in (each for root in roots for each in root.iter()):
            if local_name(each) in {"list-style", "outline-style"}:
                is_outline = local_name(each) == "outline-style"
                name = _OUTLINE if is_outline else attribute_of(each, "name")
                self._levels[name] = {
                    _whole(attribute_of(level, "level")): level for level in each
                }
        self._open: list[str] = []
        self._counts: dict[str, dict[int, int]] = {}

    def open_list(self, element: Element) -> None:
        """Enter a list; one within another has its style, if it states none."""
        outer = self._open[-1] if self._open else _OUTLINE
        name = attribute_of(element, "style-name", outer)
        goes_on = attribute_of(element, "continue-numbering") == "true" or attribute_of(
            element, "continue-list"
        )
        if not self._open and not goes_on:
            self._counts.pop(name, None)
        self._open.append(name)

    def close_list(self) -> None:
        """Leave the innermost list."""
        self._open.pop()

    def mark_of_item(self, item: Element) -> str:
        """Return what stands before the next item of the innermost list."""
        start = attribute_of(item, "start-value")
        return self._mark(self._open[-1], len(self._open), start)

    def mark_of_heading(self, heading: Element) -> str:
        """Return what stands before a heading outside of lists."""
        if self._open or attribute_of(heading, "is-list-header") == "true":
            return ""
        depth = _whole(attribute_of(heading, "outline-level", "1"))
        return self._mark(_OUTLINE, depth, attribute_of(heading, "start-value"))

    def _mark(self, style: str, depth: int, stated_start: str) -> str:
        levels = self._levels.get(style, {})
        level = levels.get(depth)
        if level is None:
            return ""
        counts = self._counts.setdefault(style, {})
        first = _whole(attribute_of(level, "start-value", "1"))
        counts[depth] = counts.get(depth, first - 1) + 1
        if stated_start:
            counts[depth] = _whole(stated_start)
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]
        kind = _KINDS.get(attribute_of(level, "num-format"))
        if kind is None:
            return ""
        shown = _whole(attribute_of(level, "display-levels", "1"))
        numbers = [
            number_text(
                counts.get(each, 1),
                _KINDS.get(attribute_of(levels[each], "num-format"), "decimal"),
            )
            for each in range(max(depth - shown, 0) + 1, depth + 1)
            if each in levels
        ]
        before, after = (
            attribute_of(level, "num-prefix"),
            attribute_of(level, "num-suffix"),
        )
        mark = f"{before}{'.'.join(numbers)}{after}"
        return f"{mark} " if mark.isascii() else mark


def _whole(text: str) -> int:
    return min(int(text), _MAX_START) if text.isdecimal() else 1
