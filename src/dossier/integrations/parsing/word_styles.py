"""How runs of a Word document look, as far as it decides what a reader sees."""

import re
from dataclasses import dataclass, replace
from typing import Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.package import (
    Package,
    attribute_of,
    child_of,
    local_name,
)

FALSE_VALUES: Final = frozenset({"0", "false", "off"})
_DECISIVE: Final = re.compile(
    rb"vanish|trike|vertAlign|:position|Symbol|ingdings|numPr|[Ff]{6}|:shd"
    rb'|:sz [^>]*"[0-2]"'
)
"""Style sheets without these words (most, and they are large) are not parsed."""
_RAISED_HALF_POINTS: Final = 4
_TINY_HALF_POINTS: Final = 2
_SAME_COLOR: Final = 20
WHITE: Final = "FFFFFF"
_RGB: Final = re.compile("[0-9A-Fa-f]{6}")
_PLAIN_SHADINGS: Final = frozenset({"", "clear", "nil"})
_HIGHLIGHTS: Final = {"black": "000000", "white": WHITE}
"""Others are colours on which text of any colour is taken as seen."""


@dataclass(frozen=True, slots=True)
class Look:
    """The properties of a run that decide whether and how its text is seen."""

    is_hidden: bool = False
    is_struck: bool = False
    is_raised: bool = False
    is_tiny: bool = False
    color: str = ""
    """RRGGBB; empty where the program chooses one that shows."""
    ground: str = WHITE
    """RRGGBB; empty where nobody knows what lies behind the text."""
    font: str = ""

    @property
    def is_unseen(self) -> bool:
        """Return whether the text is hidden, tiny or in the colour of its ground."""
        return self.is_hidden or self.is_tiny or is_same_color(self.color, self.ground)


class StyleSheet:
    """The named styles of a document."""

    def __init__(self, package: Package, part: str | None) -> None:
        self._styles: dict[str, Element] = {}
        content = package.bytes_of(part) if part else b""
        if part and _DECISIVE.search(content):
            for each in package.xml_of(part):
                if local_name(each) == "style":
                    self._styles[attribute_of(each, "styleId")] = each

    def look_of_paragraph(self, properties: Element | None, look: Look) -> Look:
        """Return the look of a paragraph's text before its runs change it."""
        if properties is None:
            return look
        reference = child_of(properties, "pStyle")
        for style in reversed(self._chain(reference)):
            look = on_shading(look, child_of(child_of(style, "pPr"), "shd"))
        look = on_shading(look, child_of(properties, "shd"))
        return self._of_style(reference, look)

    def look_of_table(self, properties: Element | None, look: Look) -> Look:
        """Return the look of a table's text before its cells change it.

        A style may shade some rows or columns: then no ground is known.
        """
        for style in self._chain(child_of(properties, "tblStyle")):
            if any(local_name(each) == "shd" for each in style.iter()):
                return replace(look, ground="")
        return on_shading(look, child_of(properties, "shd"))

    def look_of_run(self, properties: Element | None, look: Look) -> Look:
        """Return the look of a run."""
        if properties is None:
            return look
        return _changed(
            self._of_style(child_of(properties, "rStyle"), look), properties
        )

    def list_of_paragraph(self, properties: Element | None) -> Element | None:
        """Return the list properties of a paragraph, its own or those of its style."""
        own = child_of(properties, "numPr")
        if own is not None or properties is None:
            return own
        for style in self._chain(child_of(properties, "pStyle")):
            found = child_of(child_of(style, "pPr"), "numPr")
            if found is not None:
                return found
        return None

    def _chain(self, reference: Element | None) -> list[Element]:
        """Return a style and those that it is based on, the closest first."""
        chain: list[Element] = []
        name = attribute_of(reference, "val")
        while (style := self._styles.get(name)) is not None and style not in chain:
            chain.append(style)
            name = attribute_of(child_of(style, "basedOn"), "val")
        return chain

    def _of_style(self, reference: Element | None, look: Look) -> Look:
        for style in reversed(self._chain(reference)):
            properties = child_of(style, "rPr")
            if properties is not None:
                look = _changed(look, properties)
        return look


def is_on(toggle: Element | None) -> bool:
    """Return whether a property that is on by its mere presence is on."""
    return toggle is not None and attribute_of(toggle, "val", "1") not in FALSE_VALUES


def is_same_color(one: str, other: str) -> bool:
    """Return whether two colours (RRGGBB) cannot be distinguished."""
    if not (_RGB.fullmatch(one) and _RGB.fullmatch(other)):
        return False
    pairs = zip(bytes.fromhex(one), bytes.fromhex(other), strict=True)
    return max(abs(a - b) for a, b in pairs) <= _SAME_COLOR


def on_shading(look: Look, shading: Element | None) -> Look:
    """Return the look of text on a shading or highlight, if that has a colour."""
    if shading is not None and local_name(shading) == "highlight":
        color = attribute_of(shading, "val", "none")
        known = _HIGHLIGHTS.get(color, "")
        return look if color == "none" else replace(look, ground=known)
    pattern = attribute_of(shading, "val")
    if pattern not in _PLAIN_SHADINGS:  # dots and stripes in a second colour
        fill = attribute_of(shading, "color") if pattern == "solid" else ""
        return replace(look, ground=fill)
    fill = attribute_of(shading, "fill", "auto")
    return look if fill == "auto" else replace(look, ground=fill)


def _changed(look: Look, properties: Element) -> Look:
    for each in properties:
        name = local_name(each)
        value = attribute_of(each, "val")
        if name == "vanish":
            look = replace(look, is_hidden=is_on(each))
        elif name in {"strike", "dstrike"}:
            look = replace(look, is_struck=is_on(each))
        elif name == "vertAlign":
            look = replace(look, is_raised=value == "superscript")
        elif name == "position":
            is_up = value.isdecimal() and int(value) >= _RAISED_HALF_POINTS
            look = replace(look, is_raised=look.is_raised or is_up)
        elif name == "color":
            look = replace(look, color="" if value == "auto" else value)
        elif name == "sz":
            is_tiny = value.isdecimal() and int(value) <= _TINY_HALF_POINTS
            look = replace(look, is_tiny=is_tiny)
        elif name in {"shd", "highlight"}:
            look = on_shading(look, each)
        elif name == "rFonts":
            font = attribute_of(each, "ascii") or attribute_of(each, "hAnsi")
            look = replace(look, font=font or look.font)
    return look
