"""How runs of a Word document look, as far as it decides what a reader sees."""

from dataclasses import dataclass, replace
from typing import Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.package import (
    Package,
    attribute_of,
    child_of,
    local_name,
)

_FALSE: Final = frozenset({"0", "false", "off"})
_DECISIVE: Final = (
    b"vanish",
    b"trike",
    b"vertAlign",
    b":position",
    b"Symbol",
    b"ingdings",
    b"numPr",
)
"""Style sheets without these words (most, and they are large) are not parsed."""
_RAISED_HALF_POINTS: Final = 4


@dataclass(frozen=True, slots=True)
class Look:
    """The properties of a run that decide whether and how its text is seen."""

    is_hidden: bool = False
    is_struck: bool = False
    is_raised: bool = False
    is_white: bool = False
    is_shaded: bool = False
    font: str = ""


class StyleSheet:
    """The named styles of a document."""

    def __init__(self, package: Package, part: str | None) -> None:
        self._styles: dict[str, Element] = {}
        content = package.bytes_of(part) if part else b""
        if part and any(word in content for word in _DECISIVE):
            for each in package.xml_of(part):
                if local_name(each) == "style":
                    self._styles[attribute_of(each, "styleId")] = each

    def look_of_paragraph(self, properties: Element | None, look: Look) -> Look:
        """Return the look of a paragraph's text before its runs change it."""
        if properties is None:
            return look
        if child_of(properties, "shd") is not None:
            look = replace(look, is_shaded=True)
        return self._of_style(child_of(properties, "pStyle"), look)

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
    return toggle is not None and attribute_of(toggle, "val", "1") not in _FALSE


def is_white(color: str) -> bool:
    """Return whether a colour is as light as the page."""
    return len(color) == 6 and all(color[at].upper() == "F" for at in (0, 2, 4))  # noqa: PLR2004 - RRGGBB


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
            look = replace(look, is_white=is_white(value))
        elif name in {"shd", "highlight"}:
            look = replace(look, is_shaded=True)
        elif name == "rFonts":
            font = attribute_of(each, "ascii") or attribute_of(each, "hAnsi")
            look = replace(look, font=font or look.font)
    return look
