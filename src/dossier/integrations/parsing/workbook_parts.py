"""What lies in a workbook beside its cells: text boxes, charts, comments, pictures."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element
from zipfile import is_zipfile

from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.package import (
    Package,
    attribute_of,
    child_of,
    local_name,
)
from dossier.integrations.parsing.pictures import EMU_PER_MM, Pictures
from dossier.integrations.parsing.types import ReadWarning, storable


def read(file: BinaryIO) -> tuple[str, list[ReadWarning]]:
    """Return the words beside the cells of an xlsx file, and what was not read."""
    if not is_zipfile(file):
        return "", []
    with Package(file, "workbook") as package:
        pictures = Pictures()
        lines: list[str] = []
        for name in sorted(package.names):
            if name.startswith("xl/drawings/drawing"):
                root = package.xml_of(name)
                lines += _boxes(root)
                _count_pictures(root, pictures)
            elif name.startswith(("xl/charts/chart", "xl/diagrams/data")):
                if words := _words(package.xml_of(name), "t", "v"):
                    lines.append(f"[Drawing: {words}]")
            elif name.startswith(("xl/comments", "xl/threadedComments/")):
                lines += _comments(package.xml_of(name))
        found = [
            warning("embedded-not-read", name=name)
            for name in sorted(package.names)
            if name.startswith("xl/embeddings/")
        ]
        return storable("\n".join(lines)), [*found, *pictures.beside_cells()]


def _boxes(root: Element) -> Iterator[str]:
    for shape in root.iter():
        if local_name(shape) == "sp" and (words := _words(shape, "t")):
            yield words


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


def _count_pictures(root: Element, pictures: Pictures) -> None:
    for picture in root.iter():
        if local_name(picture) != "pic":
            continue
        size = child_of(child_of(child_of(picture, "spPr"), "xfrm"), "ext")
        width = float(attribute_of(size, "cx", "0") or 0)
        height = float(attribute_of(size, "cy", "0") or 0)
        pictures.add(width / EMU_PER_MM, height / EMU_PER_MM)
