"""Text of OpenDocument texts (odt, and flat in one XML file), as the page shows it.

odfpy gives all text of a file, the deleted, hidden and commented too, and no styles
resolved; so the elements are walked here. A row of a table is one line, its cells
separated by tabs.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.odt_numbering import ListNumbers
from dossier.integrations.parsing.package import (
    Package,
    attribute_of,
    child_of,
    local_name,
)
from dossier.integrations.parsing.pictures import Pictures, millimetres
from dossier.integrations.parsing.superscripts import raised, with_degrees
from dossier.integrations.parsing.types import (
    ReaderContent,
    ReadWarning,
    split_parts,
    storable,
)
from dossier.integrations.parsing.word_styles import Look

_SPACES: Final = re.compile(r"[ \t\r\n]+")
_MAX_REPEATED: Final = 200
_TINY_MM: Final = 1.2 * 25.4 / 72
"""Of a font; nobody reads smaller words."""
_MANIFEST: Final = "META-INF/manifest.xml"
_CONTENT: Final = "content.xml"
_STYLES: Final = "styles.xml"
_PARAGRAPHS: Final = frozenset({"p", "h"})
_WORDLESS: Final = frozenset(
    {
        "automatic-styles",
        "change-info",
        "event-listeners",
        "forms",
        "note-citation",
        "ruby-text",
        "sequence-decls",
        "variable-decls",
    }
)
_DESCRIPTIONS: Final = frozenset({"creator", "date", "desc", "title"})
"""Of comments and pictures; fields of the text have the same names."""
_TEXT_NAMESPACE: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_BOXES: Final = frozenset(
    {
        "caption",
        "circle",
        "connector",
        "custom-shape",
        "ellipse",
        "line",
        "measure",
        "path",
        "polygon",
        "polyline",
        "rect",
        "regular-polygon",
        "table",
        "text-box",
    }
)
"""Things within a sentence whose words stand apart from it."""
_OBJECT: Final = re.compile(r"(Object \d+)(?:/content\.xml)?")
_HEADERS: Final = ("header", "header-first", "header-left")
_FOOTERS: Final = ("footer", "footer-first", "footer-left")
_BREAKS: Final = {"tab": "\t", "line-break": "\n", "soft-page-break": ""}


def read(file: BinaryIO) -> ReaderContent:
    """Return the text of an OpenDocument text with all its visible parts."""
    with Package(file, "OpenDocument text") as package:
        if b"encryption-data" in package.bytes_of(_MANIFEST):
            raise UnreadableFileError(UnreadableReason.ENCRYPTED, PASSWORD_DETAIL)
        roots = [package.xml_of(_CONTENT)]
        if _STYLES in package.names:
            roots.append(package.xml_of(_STYLES))
        objects = sorted(
            found[1] for name in package.names if (found := _OBJECT.fullmatch(name))
        )
    return content_of(roots, objects)


def content_of(roots: list[Element], objects: list[str]) -> ReaderContent:
    """Return the text under the roots of the content and of the styles."""
    reader = _OdtReader(roots)
    lines = list(filter(None, reader.lines()))
    found = reader.warnings()
    found += [warning("embedded-not-read", name=name) for name in objects]
    text = storable(with_degrees("\n".join(lines)))
    return reader.pictures.content(split_parts(text, "body"), found)


class _OdtReader:
    """Walks the elements of one document."""

    def __init__(self, roots: list[Element]) -> None:
        self._roots = roots
        self._styles = {
            attribute_of(each, "name"): each
            for root in reversed(roots)
            for each in root.iter()
            if local_name(each) == "style"
        }
        self._controls = {
            attribute_of(each, "id"): each
            for root in roots
            for forms in root.iter()
            if local_name(forms) == "forms"
            for each in forms.iter()
            if attribute_of(each, "id")
        }
        self._numbers = ListNumbers(roots)
        self.pictures = Pictures()
        self._present = self._taken = self._hidden = self._struck = 0
        self._has_changes = False

    def lines(self) -> Iterator[str]:
        """Yield headers, body and footers."""
        yield from self._margins(_HEADERS)
        for root in self._roots:
            body = child_of(root, "body")
            for each in body if body is not None else ():
                self._present += _letters_in_paragraphs(each)
                yield from self._blocks(each, Look())
        yield from self._margins(_FOOTERS)

    def warnings(self) -> list[ReadWarning]:
        """Return what was left out or not read."""
        found: list[ReadWarning] = []
        if self._taken < self._present:
            found.append(
                warning("text-missing", present=self._present, read=self._taken)
            )
        if self._has_changes:
            found.append(warning("tracked-changes"))
        if self._struck:
            found.append(warning("struck-text-left-out", count=self._struck))
        if self._hidden:
            found.append(warning("hidden-text-left-out", count=self._hidden))
        return [*found, *self.pictures.warnings(self._taken)]

    def _margins(self, names: tuple[str, ...]) -> Iterator[str]:
        seen: set[str] = set()
        for root in self._roots:
            for page in root.iter():
                if local_name(page) != "master-page":
                    continue
                for each in page:
                    if local_name(each) in names and _is_displayed(each):
                        self._present += _letters_in_paragraphs(each)
                        lines = [*self._blocks(each, Look())]
                        yield from (line for line in lines if line not in seen)
                        seen.update(lines)

    # Blocks

    def _blocks(self, parent: Element, look: Look) -> Iterator[str]:
        for child in parent:
            name = local_name(child)
            if name in _PARAGRAPHS:
                yield from self._paragraph(child, look)
            elif name == "list":
                yield from self._list(child, look)
            elif name == "tracked-changes":
                self._has_changes = True
                self._leave_out(child)
            elif _is_wordless(child):
                self._leave_out(child)
            elif name == "table":
                yield from self._table(child, look)
            elif not _is_displayed(child):
                self._hidden += self._leave_out(child)
            else:
                self._count_picture(name, child)
                yield from self._blocks(child, look)

    def _paragraph(self, paragraph: Element, look: Look) -> Iterator[str]:
        if any(
            local_name(each) == "hidden-paragraph"
            and attribute_of(each, "is-hidden") == "true"
            for each in paragraph
        ):
            self._hidden += self._leave_out(paragraph)
            return
        following: list[str] = []
        text = self._inline(paragraph, self._look(paragraph, look), following).strip()
        is_heading = local_name(paragraph) == "h"
        mark = self._numbers.mark_of_heading(paragraph) if is_heading else ""
        yield mark + text if text else ""
        yield from following

    def _list(self, element: Element, look: Look) -> Iterator[str]:
        self._numbers.open_list(element)
        for item in element:
            is_item = local_name(item) == "list-item"
            mark = self._numbers.mark_of_item(item) if is_item else ""
            starts_with_list = local_name(item[0]) == "list" if len(item) else True
            for at, line in enumerate(self._blocks(item, look)):
                has_mark = at == 0 and line and not starts_with_list
                yield mark + line if has_mark else line
        self._numbers.close_list()

    def _table(self, table: Element, look: Look) -> Iterator[str]:
        look = self._look(table, look)
        for child in table:
            name = local_name(child)
            if name == "table-row":
                yield from self._row(child, look)
            elif _is_wordless(child):
                self._leave_out(child)
            else:
                yield from self._table(child, look)

    def _row(self, row: Element, look: Look) -> Iterator[str]:
        if attribute_of(row, "visibility") in {"collapse", "filter"}:
            self._hidden += self._leave_out(row)
            return
        look = self._look(row, look)
        following: list[str] = []
        cells: list[str] = []
        for cell in row:
            if local_name(cell) == "covered-table-cell":
                self._leave_out(cell)
                text = ""
            else:
                text = self._cell(cell, look, following)
            cells.extend([text] * _count(cell, "number-columns-repeated"))
        line = "\t".join(cells).rstrip()
        repeated = _count(row, "number-rows-repeated") if line else 1
        yield from [line] * repeated
        yield from following

    def _cell(self, cell: Element, look: Look, following: list[str]) -> str:
        lines: list[str] = []
        for line in self._blocks(cell, self._look(cell, look)):
            is_note = line.startswith(("[Footnote", "[Endnote", "[Comment"))
            (following if is_note else lines).append(line)
        return " ".join(" ".join(filter(None, lines)).split())

    # Text within a paragraph

    def _inline(self, parent: Element, look: Look, following: list[str]) -> str:
        pieces = [self._text(parent.text, look)]
        for child in parent:
            pieces.append(self._piece(child, look, following))
            pieces.append(self._text(child.tail, look))
        return "".join(pieces)

    def _piece(self, child: Element, look: Look, following: list[str]) -> str:
        name = local_name(child)
        if name in _BREAKS:
            return _BREAKS[name]
        if name == "s":
            return " " * _count(child, "c")
        if name == "note":
            word = attribute_of(child, "note-class", "footnote").capitalize()
            following.append(self._bracketed(word, child, look))
            return ""
        if name == "annotation":
            creator = child_of(child, "creator")
            author = (creator.text or "") if creator is not None else ""
            word = f"Comment by {author}" if author else "Comment"
            following.append(self._bracketed(word, child, look))
            return ""
        if name in _BOXES:
            following.extend(self._blocks(child, replace(look, ground="")))
            return ""
        return self._field_or_span(name, child, look, following)

    def _field_or_span(
        self, name: str, child: Element, look: Look, following: list[str]
    ) -> str:
        if _is_wordless(child):
            self._leave_out(child)
            return ""
        if name == "control":
            return self._control(self._controls.get(attribute_of(child, "control")))
        is_hidden_field = (
            name == "hidden-text" and attribute_of(child, "is-hidden", "true") == "true"
        )
        if is_hidden_field or not _is_displayed(child):
            self._hidden += self._leave_out(child)
            return ""
        if name in {"change-start", "change"}:
            self._has_changes = True
        self._count_picture(name, child)
        return self._inline(child, self._look(child, look), following)

    def _control(self, control: Element | None) -> str:
        """Return what a form control shows."""
        if control is None:
            return ""
        name = local_name(control)
        label = attribute_of(control, "label")
        if name in {"checkbox", "radio"}:
            state = attribute_of(control, "current-state") or attribute_of(
                control, "state"
            )
            selected = attribute_of(control, "current-selected") == "true"
            return f"{'☒' if state == 'checked' or selected else '☐'} {label}".strip()
        if name in {"fixed-text", "button"}:
            return label
        if name == "password":
            return ""
        value = attribute_of(control, "current-value") or attribute_of(control, "value")
        chosen = [
            attribute_of(each, "label")
            for each in control
            if attribute_of(each, "current-selected") == "true"
        ]
        return value or ", ".join(chosen)

    def _bracketed(self, word: str, note: Element, look: Look) -> str:
        text = " ".join(filter(None, self._blocks(note, look)))
        return f"[{word}: {text}]" if text else ""

    def _text(self, text: str | None, look: Look) -> str:
        if not text:
            return ""
        letters = _letters(text)
        self._taken += letters
        if look.is_unseen:
            self._hidden += letters
            return ""
        if look.is_struck:
            self._struck += letters
            return ""
        text = _SPACES.sub(" ", text)
        return raised(text) if look.is_raised else text

    def _look(self, element: Element, look: Look) -> Look:
        name = attribute_of(element, "style-name")
        if name and name not in self._styles:
            # Without its definition only the name shows what a style does.
            is_raised = name.lower().startswith("sup")
            return replace(look, is_raised=look.is_raised or is_raised)
        chain: list[Element] = []
        while (style := self._styles.get(name)) is not None and style not in chain:
            chain.append(style)
            name = attribute_of(style, "parent-style-name")
        for style in reversed(chain):
            for properties in style:
                look = _changed(look, properties)
        return look

    def _count_picture(self, name: str, element: Element) -> None:
        if name == "frame" and child_of(element, "image") is not None:
            width, height = (
                attribute_of(element, "width"),
                attribute_of(element, "height"),
            )
            self.pictures.add(millimetres(width), millimetres(height))

    def _leave_out(self, element: Element) -> int:
        """Count the characters under an element as seen to, and return how many."""
        count = _letters_in_paragraphs(element) or _letters("".join(element.itertext()))
        self._taken += count
        return count


def _changed(look: Look, properties: Element) -> Look:
    position = attribute_of(properties, "text-position")
    if position:
        start = position.split()[0]
        is_up = start == "super" or (start[0] not in "-0" and start.endswith("%"))
        look = replace(look, is_raised=is_up)
    for line in ("text-line-through-style", "text-line-through-type"):
        if (stated := attribute_of(properties, line)) != "":
            look = replace(look, is_struck=stated != "none")
    if (display := attribute_of(properties, "display")) != "":
        look = replace(look, is_hidden=display == "none")
    if color := attribute_of(properties, "color"):
        look = replace(look, color=color.removeprefix("#"))
    ground = attribute_of(properties, "background-color", "transparent")
    if ground != "transparent":
        look = replace(look, ground=ground.removeprefix("#"))
    if size := attribute_of(properties, "font-size"):
        is_tiny = size.endswith("pt") and 0 < millimetres(size) < _TINY_MM
        look = replace(look, is_tiny=is_tiny)
    return look


def _is_wordless(element: Element) -> bool:
    name = local_name(element)
    is_field = element.tag.startswith(_TEXT_NAMESPACE)
    return name in _WORDLESS or (name in _DESCRIPTIONS and not is_field)


def _is_displayed(element: Element) -> bool:
    return attribute_of(element, "display") not in {"none", "false"}


def _count(element: Element, name: str) -> int:
    stated = attribute_of(element, name, "1")
    return min(int(stated), _MAX_REPEATED) if stated.isdecimal() else 1


def _letters(text: str) -> int:
    return len("".join(text.split()))


def _letters_in_paragraphs(element: Element) -> int:
    """Count the characters of the outermost paragraphs under an element."""
    if local_name(element) in _PARAGRAPHS:
        return _letters("".join(element.itertext()))
    return sum(_letters_in_paragraphs(child) for child in element)
