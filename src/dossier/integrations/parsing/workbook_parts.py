"""What lies in a workbook beside its cells: text boxes, charts, comments, pictures."""

import re
from collections.abc import Iterator
from html import unescape
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element
from zipfile import is_zipfile

from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.package import (
    Package,
    attribute_of,
    child_of,
    local_name,
)
from dossier.integrations.parsing.pictures import EMU_PER_MM, Pictures
from dossier.integrations.parsing.types import ReadWarning, storable

_MARGIN: Final = re.compile(rb"<(?:odd|even|first)(?:Header|Footer)>([^<]+)<")
_MARGIN_CODE: Final = re.compile(
    r"""&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d+|[LCRPNDTFAZGBIUESXYOH])"""
)
"""Places, fonts, numbers of pages and dates; `&&` is the sign itself."""


def read(file: BinaryIO) -> tuple[str, list[ReadWarning]]:
    """Return the words beside the cells of an xlsx file, and what was not read."""
    if not is_zipfile(file):
        return "", []
    with Package(file, "workbook") as package:
        pictures = Pictures()
        lines: list[str] = []
        unread: list[str] = []
        for name in sorted(package.names):
            if name.startswith("xl/drawings/drawing"):
                lines += _boxes(package.xml_of(name), pictures)
            elif name.startswith("xl/drawings/vmlDrawing"):
                lines += _controls(package, name, unread)
            elif name.startswith("xl/worksheets/sheet"):
                lines += _margins(package.bytes_of(name))
            elif name.startswith(("xl/charts/chart", "xl/diagrams/data")):
                words = _words(package.xml_of(name), "t", "v")
                lines += [f"[Drawing: {words}]"] if words else []
            elif name.startswith(("xl/comments", "xl/threadedComments/")):
                lines += _comments(package.xml_of(name))
        found = [warning("part-not-read", name=name) for name in unread]
        found += [
            warning("embedded-not-read", name=name)
            for name in sorted(package.names)
            if name.startswith("xl/embeddings/")
        ]
        return storable("\n".join(lines)), [*found, *pictures.beside_cells()]


def _boxes(root: Element, pictures: Pictures) -> Iterator[str]:
    """Yield the words of the shapes of a drawing, and count its pictures."""
    for shape in root.iter():
        if local_name(shape) == "sp" and (words := _words(shape, "t")):
            yield words
        elif local_name(shape) == "pic":
            size = child_of(child_of(child_of(shape, "spPr"), "xfrm"), "ext")
            width = float(attribute_of(size, "cx", "0") or 0)
            height = float(attribute_of(size, "cy", "0") or 0)
            pictures.add(width / EMU_PER_MM, height / EMU_PER_MM)


def _margins(sheet: bytes) -> Iterator[str]:
    """Yield what the printed sheet shows above and below its cells, each once."""
    for margin in dict.fromkeys(_MARGIN.findall(sheet)):
        text = _MARGIN_CODE.sub(" ", unescape(margin.decode("utf-8", "replace")))
        if words := " ".join(text.replace("&&", "&").split()):
            yield words


def _controls(package: Package, name: str, unread: list[str]) -> Iterator[str]:
    """Yield the tick boxes of a sheet with their labels."""
    try:
        root = package.xml_of(name)
    except UnreadableFileError:  # Excel writes HTML in it, at times not well formed
        unread.append(name)
        return
    for shape in root.iter():
        data = child_of(shape, "ClientData")
        if attribute_of(data, "ObjectType") in {"Checkbox", "Radio"}:
            checked = child_of(data, "Checked")
            is_checked = checked is not None and (checked.text or "").strip() == "1"
            box = child_of(shape, "textbox")
            label = "" if box is None else " ".join("".join(box.itertext()).split())
            yield f"{'☒' if is_checked else '☐'} {label}".strip()


def _words(root: Element, *names: str) -> str:
    words = (
        (each.text or "").strip() for each in root.iter() if local_name(each) in names
    )
    return " ".join(dict.fromkeys(filter(None, words)))


def _comments(root: Element) -> Iterator[str]:
    for comment in root.iter():
        if local_name(comment) in {"comment", "threadedComment"}:
            words = "".join(
                each.text or ""
                for each in comment.iter()
                if local_name(each) in {"t", "text"}
            )
            if text := " ".join(words.split()):
                yield f"[Comment at {attribute_of(comment, 'ref')}: {text}]"
