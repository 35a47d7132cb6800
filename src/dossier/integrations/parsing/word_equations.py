"""Equations of Word documents in one line: fractions, brackets, roots, sums."""

from typing import Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.package import attribute_of, child_of
from dossier.integrations.parsing.superscripts import raised

EQUATION_PARTS: Final = frozenset({"f", "d", "rad", "nary"})
"""Elements that show signs which no text element holds."""


def equation_part(element: Element, inner: list[tuple[str, str]]) -> str:
    """Return the text of a part, given the names and texts of its children."""
    name = element.tag.rpartition("}")[2]
    texts = dict(inner)
    properties = child_of(element, f"{name}Pr")

    def sign(which: str, default: str) -> str:
        return attribute_of(child_of(properties, which), "val", default)

    if name == "f":
        numerator, denominator = texts.get("num", ""), texts.get("den", "")
        return f"{_grouped(numerator)}/{_grouped(denominator)}"
    if name == "d":
        operands = [text for part, text in inner if part == "e"]
        between = sign("sepChr", "|").join(operands)
        return sign("begChr", "(") + between + sign("endChr", ")")
    operand = texts.get("e", "")
    if name == "rad":
        return f"{raised(texts.get('deg', ''))}√{_grouped(operand)}"
    low, high = texts.get("sub", ""), texts.get("sup", "")
    return f"{sign('chr', '∫')}{low}{raised(high)}{operand}"


def _grouped(text: str) -> str:
    """Return an operand in brackets, unless it is one number, name or group."""
    is_single = text.replace(".", "").isalnum() or text.startswith("(")
    return text if is_single or not text else f"({text})"
