"""What single elements of Word documents show: form controls and equations."""

from typing import Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.package import (
    attribute_of,
    child_of,
    children_of,
    local_name,
)
from dossier.integrations.parsing.superscripts import raised
from dossier.integrations.parsing.word_styles import FALSE_VALUES, is_on

EQUATION_PARTS: Final = frozenset({"f", "d", "rad", "nary", "mr"})
"""Elements that show signs which no text element holds."""


def is_hidden_drawing(element: Element) -> bool:
    """Return whether a shape is not shown, as its style or properties say."""
    style = attribute_of(element, "style").replace(" ", "")
    stated = attribute_of(child_of(element, "docPr"), "hidden", "0")
    return "visibility:hidden" in style or stated not in FALSE_VALUES


def control_text(control: Element) -> str | None:
    """Return what a content control shows, where its content does not say it."""
    properties = child_of(control, "sdtPr")
    box = child_of(properties, "checkbox")
    content = child_of(control, "sdtContent")
    if box is not None:
        checked = child_of(box, "checked")
        is_checked = (
            checked is not None and attribute_of(checked, "val") not in FALSE_VALUES
        )
        return "☒" if is_checked else "☐"
    words = "".join(content.itertext()).strip() if content is not None else ""
    if is_on(child_of(properties, "showingPlcHdr")):
        return f"[{words}]" if words else ""
    if words:
        return None
    for name in ("comboBox", "dropDownList"):
        choices = child_of(properties, name)
        last = attribute_of(choices, "lastValue")
        for item in children_of(choices, "listItem"):
            if last and attribute_of(item, "value") == last:
                return attribute_of(item, "displayText", last)
    return None


def legacy_control_text(data: Element | None) -> str:
    """Return what a tick box or a list of an old form shows."""
    box = child_of(data, "checkBox")
    if box is not None:
        state = child_of(box, "checked")
        if state is None:
            state = child_of(box, "default")
        return "☒" if is_on(state) else "☐"
    choices = child_of(data, "ddList")
    entries = [attribute_of(each, "val") for each in children_of(choices, "listEntry")]
    stated = child_of(choices, "result")
    if stated is None:
        stated = child_of(choices, "default")
    chosen = small_number(attribute_of(stated, "val"), 0)
    return entries[chosen] if chosen < len(entries) else ""


def equation_part(element: Element, inner: list[tuple[str, str]]) -> str:
    """Return the text of a part, given the names and texts of its children."""
    name = local_name(element)
    texts = dict(inner)
    properties = child_of(element, f"{name}Pr")

    def sign(which: str, default: str) -> str:
        return attribute_of(child_of(properties, which), "val", default)

    if name == "f":
        numerator, denominator = texts.get("num", ""), texts.get("den", "")
        return f"{_grouped(numerator)}/{_grouped(denominator)}"
    if name == "mr":  # a row of a matrix
        return " ".join(text for _, text in inner) + " "
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


def small_number(text: str, default: int) -> int:
    """Return a number that a hostile file cannot make large."""
    return min(int(text), 63) if text.isdecimal() else default
