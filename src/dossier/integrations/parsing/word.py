"""Text of Word files (docx, strict and transitional), as the page shows it.

python-docx and the libraries built on it (docling's and others' back ends) skip tracked
insertions, content controls, text boxes, notes and strict files, and keep struck and
hidden text; therefore the parts are walked here. Unknown elements are entered, so that
new wrappers lose nothing, and the characters of all `t` elements are counted against
those that came out.

A row of a table is one line, its cells separated by tabs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.package import (
    Package,
    Relation,
    attribute_of,
    child_of,
    children_of,
    local_name,
)
from dossier.integrations.parsing.pictures import Pictures
from dossier.integrations.parsing.superscripts import raised, with_degrees
from dossier.integrations.parsing.symbols import UNKNOWN, is_symbol_font, shown
from dossier.integrations.parsing.types import (
    ReaderContent,
    ReadWarning,
    split_parts,
    storable,
)
from dossier.integrations.parsing.word_elements import (
    EQUATION_PARTS,
    control_text,
    equation_part,
    is_hidden_drawing,
    legacy_control_text,
    small_number,
)
from dossier.integrations.parsing.word_numbering import Numbering
from dossier.integrations.parsing.word_styles import (
    Look,
    StyleSheet,
    is_on,
    on_shading,
)

_DELETED: Final = frozenset({"del", "moveFrom", "conflictDel"})
_READING_AID: Final = "rt"
"""Stands small over the characters that it explains."""
_WORDLESS: Final = frozenset(
    {
        "delInstrText",
        "delText",
        "docPart",
        "pPr",
        "rPr",
        "sdtEndPr",
        "sdtPr",
        "sectPr",
        "tblGrid",
        "tblPr",
        "tcPr",
        "trPr",
    }
)
_SYMBOL_FIELD: Final = re.compile(
    r"""\s*SYMBOL\s+(\d{1,5}|0x[0-9a-f]{1,4})(?:.*?\\f\s+"?([^"\\]+))?""", re.IGNORECASE
)
_EQUATION_FIELD: Final = re.compile(r"\s*EQ\s", re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(r"[0-9A-Ca-cEFef]?[0-9A-Fa-f]{1,3}")
_BREAKS: Final = {
    "br": "\n",
    "cr": "\n",
    "noBreakHyphen": "-",
    "ptab": "\t",
    "softHyphen": "",
    "tab": "\t",
}
_NOTES: Final = {
    "footnoteReference": ("footnotes", "Footnote"),
    "endnoteReference": ("endnotes", "Endnote"),
    "commentReference": ("comments", "Comment"),
}
_SEPARATORS: Final = frozenset(
    {"separator", "continuationSeparator", "continuationNotice"}
)
_DRAWINGS: Final = frozenset({"chart", "chartEx", "diagramData"})
_UNREAD_PARTS: Final = frozenset({"aFChunk", "control", "subDocument"})
_EMBEDDED: Final = frozenset({"oleObject", "package"})


def read(file: BinaryIO) -> ReaderContent:
    """Return the text of a Word document with all its visible parts."""
    with Package(file, "Word document") as package:
        reader = _WordReader(package)
        text = storable(with_degrees("\n".join(reader.lines())))
        return reader.pictures.content(split_parts(text, "body"), reader.warnings())


def main_part(package: Package) -> str:
    """Return the name of the main part, whatever it is called."""
    for relation in package.relations_of(""):
        if relation.kind == "officeDocument" and relation.target in package.names:
            return relation.target
    # Some writers leave the package's relationships out.
    named = sorted(n for n in package.names if n.startswith("word/document"))
    if not named:
        expected = "word/document.xml"
        raise package.damaged(expected)
    return named[0]


@dataclass(slots=True)
class _Counts:
    """Characters of `t` elements by what became of them, and other things seen."""

    present: int = 0
    taken: int = 0
    hidden: int = 0
    struck: int = 0
    unknown: int = 0
    changes: int = 0


@dataclass(slots=True)
class _Field:
    """A field whose end was not met yet."""

    control: str
    """What a form field shows where it has no result."""
    taken: int
    """Characters that were taken before it."""
    has_result: bool = False
    instruction: str = ""


@dataclass(slots=True)
class _Block:
    """The lines that follow a paragraph or a row: text boxes, notes, comments."""

    following: list[str] = field(default_factory=list)


class _WordReader:
    """Walks the parts of one document."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = main_part(package)
        self._relations = package.relations_of(self._main)
        self._relations_beside: list[Relation] = []
        self._styles = StyleSheet(package, self._target_of("styles"))
        self._numbering = Numbering(package, self._target_of("numbering"))
        self._notes: dict[str, dict[str, Element]] = {}
        self._cited: set[tuple[str, str]] = set()
        self._counts = _Counts()
        self.pictures = Pictures()
        self._fields: list[_Field] = []
        self._instructions = 0
        """Characters within instructions, accounted for when the fields end."""
        self._ground = Look()
        self._extra: list[ReadWarning] = []

    def lines(self) -> Iterator[str]:
        """Yield headers, body with its notes, drawings and footers."""
        root = self._story(self._main)
        body = child_of(root, "body")
        if body is None:
            raise self._package.damaged(self._main)
        if child_of(root, "background") is not None:
            self._ground = Look(ground="")
        sections = list(root.iter())
        yield from self._margins(sections, "headerReference")
        yield from filter(None, self._blocks(body, self._ground))
        for kind, word in _NOTES.values():
            # Those that no reference in the text points at.
            self._note(kind, "")
            yield from filter(
                None,
                (self._note_line(kind, word, each) for each in list(self._notes[kind])),
            )
        yield from self._drawing_lines()
        yield from self._margins(sections, "footerReference")

    def warnings(self) -> list[ReadWarning]:
        """Return what was left out or not read."""
        counts, found = self._counts, self._extra
        if counts.taken < counts.present:
            found.append(
                warning("text-missing", present=counts.present, read=counts.taken)
            )
        if counts.changes:
            found.append(warning("tracked-changes"))
        if counts.struck:
            found.append(warning("struck-text-left-out", count=counts.struck))
        if counts.hidden:
            found.append(warning("hidden-text-left-out", count=counts.hidden))
        if counts.unknown:
            found.append(warning("symbol-not-known", count=counts.unknown))
        for relation in (*self._relations, *self._relations_beside):
            if relation.kind in _EMBEDDED:
                found.append(warning("embedded-not-read", name=relation.target))
            elif relation.kind in _UNREAD_PARTS:
                found.append(warning("part-not-read", name=relation.target))
        return [*found, *self.pictures.warnings(self._counts.taken)]

    def _target_of(self, kind: str) -> str | None:
        for relation in self._relations:
            if relation.kind == kind and relation.target in self._package.names:
                return relation.target
        return None

    def _story(self, part: str) -> Element:
        """Return the root of a part whose text is to be read, and count that text."""
        root = self._package.xml_of(part)
        if part != self._main:
            self._relations_beside += self._package.relations_of(part)
        self._counts.present += _letters_under(root)
        self._fields = []
        return root

    # Parts beside the body

    def _margins(self, sections: list[Element], reference: str) -> Iterator[str]:
        """Yield the headers or footers that are shown, each once.

        A section without one of its own shows that of the section before.
        """
        targets = {each.id: each.target for each in self._relations}
        part = self._target_of("settings")
        settings = self._package.xml_of(part) if part else None
        has_even = is_on(child_of(settings, "evenAndOddHeaders"))
        current: dict[str, str] = {}
        shown: dict[str, None] = {}
        named: dict[str, None] = {}
        for section in (each for each in sections if local_name(each) == "sectPr"):
            for each in children_of(section, reference):
                part = targets.get(attribute_of(each, "id"), "")
                current[attribute_of(each, "type", "default")] = part
                named[part] = None
            on_first = current.get("first", "")
            has_first = is_on(child_of(section, "titlePg"))
            shown |= dict.fromkeys(
                (
                    on_first if has_first else "",
                    current.get("default", ""),
                    current.get("even", "") if has_even else "",
                )
            )
        for part in (each for each in shown if each in self._package.names):
            yield from filter(None, self._blocks(self._story(part), self._ground))
        for part in (each for each in named if each in self._package.names):
            if part not in shown:
                self._counts.hidden += self._leave_out(self._story(part))

    def _note(self, kind: str, note_id: str) -> Element | None:
        if kind not in self._notes:
            part = self._target_of(kind)
            found = self._story(part) if part else ()
            self._notes[kind] = {attribute_of(each, "id"): each for each in found}
        return self._notes[kind].get(note_id)

    def _note_line(self, kind: str, word: str, note_id: str) -> str:
        note = self._note(kind, note_id)
        if note is None or (kind, note_id) in self._cited:
            return ""
        self._cited.add((kind, note_id))
        if attribute_of(note, "type") in _SEPARATORS:
            self._leave_out(note)
            return ""
        text = " ".join(filter(None, self._blocks(note, self._ground)))
        author = attribute_of(note, "author") if kind == "comments" else ""
        by = f" by {author}" if author else ""
        return f"[{word}{by}: {text}]" if text else ""

    def _drawing_lines(self) -> Iterator[str]:
        """Yield the words of charts and diagrams, which are parts of their own."""
        for relation in self._relations:
            if relation.kind in _DRAWINGS and relation.target in self._package.names:
                root = self._package.xml_of(relation.target)
                words = [
                    (each.text or "").strip()
                    for each in root.iter()
                    if local_name(each) in {"t", "v"}
                ]
                text = " ".join(dict.fromkeys(filter(None, words)))
                if text:
                    yield f"[Drawing: {text}]"

    # Blocks

    def _blocks(self, parent: Element, look: Look) -> Iterator[str]:
        joined = ""
        for child in parent:
            name = local_name(child)
            if name == "p":
                text, following = self._paragraph(child, look)
                joined += text
                if self._mark_is_deleted(child):
                    yield from following
                    continue
                yield joined.strip()
                joined = ""
                yield from following
                continue
            if joined and name == "tbl":
                yield joined.strip()
                joined = ""
            yield from self._block(name, child, look)
        if joined:
            yield joined.strip()

    def _block(self, name: str, child: Element, look: Look) -> Iterator[str]:
        if name == "tbl":
            yield from self._table(child, look)
        elif name in _DELETED:
            self._delete(child)
        elif name == "AlternateContent":
            yield from self._blocks(self._chosen(child), look)
        elif name == "sdt" and (control := control_text(child)) is not None:
            self._leave_out(child)
            yield control
        elif name not in _WORDLESS:
            self._note_change(name)
            yield from self._blocks(child, look)

    def _mark_is_deleted(self, paragraph: Element) -> bool:
        """Return whether the end of a paragraph is deleted, so that the next joins."""
        marks = child_of(child_of(paragraph, "pPr"), "rPr")
        is_deleted = child_of(marks, "del") is not None
        self._counts.changes += is_deleted
        return is_deleted

    def _paragraph(self, paragraph: Element, look: Look) -> tuple[str, list[str]]:
        properties = child_of(paragraph, "pPr")
        own = self._styles.look_of_paragraph(properties, look)
        block = _Block()
        mark = self._numbering.next_mark(self._styles.list_of_paragraph(properties))
        text = self._inline(paragraph, own, block)
        return (mark + text if text.strip() else text), block.following

    def _table(self, table: Element, look: Look) -> Iterator[str]:
        look = self._styles.look_of_table(child_of(table, "tblPr"), look)
        for row in _flattened(table, "tr"):
            properties = child_of(row, "trPr")
            if child_of(properties, "del") is not None:
                self._delete(row)
            elif is_on(child_of(properties, "hidden")):
                self._counts.hidden += self._leave_out(row)
            else:
                if child_of(properties, "ins") is not None:
                    self._counts.changes += 1
                following: list[str] = []
                before = attribute_of(child_of(properties, "gridBefore"), "val")
                cells = [""] * small_number(before, 0)
                for cell in _flattened(row, "tc"):
                    cells.extend(self._cell(cell, look, following))
                yield "\t".join(cells).rstrip()
                yield from following

    def _cell(self, cell: Element, look: Look, following: list[str]) -> list[str]:
        """Return the text of a cell, and empty ones for the columns it spans."""
        properties = child_of(cell, "tcPr")
        if child_of(properties, "cellDel") is not None:
            self._delete(cell)
            return []
        span = small_number(attribute_of(child_of(properties, "gridSpan"), "val"), 1)
        merged = child_of(properties, "vMerge")
        if merged is not None and attribute_of(merged, "val") != "restart":
            # The cell above covers it.
            self._counts.hidden += self._leave_out(cell)
            return [""] * span
        look = on_shading(look, child_of(properties, "shd"))
        lines: list[str] = []
        for line in self._blocks(cell, look):
            is_note = line.startswith(("[Footnote", "[Endnote", "[Comment"))
            (following if is_note else lines).append(line)
        text = " ".join(" ".join(filter(None, lines)).split())
        return [text, *[""] * (span - 1)]

    # Text within a paragraph

    def _inline(self, parent: Element, look: Look, block: _Block) -> str:
        return "".join(self._piece(child, look, block) for child in parent)

    def _piece(self, child: Element, look: Look, block: _Block) -> str:
        name = local_name(child)
        if name == "t":
            return self._text(child.text or "", look)
        if name == "r":
            look = self._styles.look_of_run(child_of(child, "rPr"), look)
        if name in _BREAKS:
            return _BREAKS[name] if self._is_result() else ""
        if name in {"fldChar", "instrText"}:
            return self._field(child, look)
        if name == "sym":
            font = attribute_of(child, "font")
            code = attribute_of(child, "char")
            return self._text(code, replace(look, font=font), is_code=True)
        if name in _NOTES:
            kind, word = _NOTES[name]
            block.following.append(
                self._note_line(kind, word, attribute_of(child, "id"))
            )
            return ""
        return self._wrapper(name, child, look, block)

    def _wrapper(self, name: str, child: Element, look: Look, block: _Block) -> str:
        if self._is_left_out(name, child):
            return ""
        if name == "txbxContent":
            # A box may have a ground of its own, so white words in it may show.
            block.following.extend(self._blocks(child, replace(look, ground="")))
            return ""
        if name == "textpath":  # a watermark
            block.following.append(attribute_of(child, "string"))
            return ""
        if name == "sdt" and (control := control_text(child)) is not None:
            self._leave_out(child)
            return control
        if name in EQUATION_PARTS:
            inner = [
                (local_name(part), self._inline(part, look, block)) for part in child
            ]
            return equation_part(child, inner)
        if name == "AlternateContent":
            child = self._chosen(child)
        elif name == "sup":
            look = replace(look, is_raised=True)
        self._note_change(name)
        self.pictures.see(name, child)
        return self._inline(child, look, block)

    def _text(self, text: str, look: Look, *, is_code: bool = False) -> str:
        """Return the characters that are seen, and count all of them."""
        letters = 0 if is_code else _letters(text)
        if not self._is_result():
            self._instructions += letters
            return ""
        self._counts.taken += letters
        if look.is_unseen:
            self._counts.hidden += letters
            return ""
        if look.is_struck:
            self._counts.struck += letters
            return ""
        if is_code:
            code = int(text, 16) if _HEXADECIMAL.fullmatch(text) else 0
            text = chr(code) if code else UNKNOWN
        if is_code or is_symbol_font(look.font):
            text = shown(text, look.font)
            self._counts.unknown += text.count(UNKNOWN)
        return raised(text) if look.is_raised else text

    # Fields

    def _is_result(self) -> bool:
        """Return whether the text here is shown, and is no instruction of a field."""
        return all(each.has_result for each in self._fields)

    def _field(self, mark: Element, look: Look) -> str:
        """Open or close a field; return what it shows where it has no result."""
        kind = attribute_of(mark, "fldCharType")
        if not kind and self._fields:
            self._fields[-1].instruction += mark.text or ""
        if kind == "begin":
            control = legacy_control_text(child_of(mark, "ffData"))
            self._fields.append(_Field(control, self._counts.taken))
        elif self._fields and kind == "separate":
            self._fields[-1].has_result = True
        elif self._fields and kind == "end":
            ended = self._fields.pop()
            if not self._fields:
                self._counts.taken += self._instructions
                self._instructions = 0
            if self._is_result() and self._counts.taken == ended.taken:
                return ended.control or self._computed(ended.instruction, look)
        return ""

    def _computed(self, instruction: str, look: Look) -> str:
        """Return what an instruction alone shows, if it does."""
        if found := _SYMBOL_FIELD.match(instruction):
            font = found[2] or look.font
            if not font:
                return self._text(chr(int(found[1], 0)), look)
            code = f"{int(found[1], 0):X}"
            return self._text(code, replace(look, font=font), is_code=True)
        if _EQUATION_FIELD.match(instruction):
            name = " ".join(instruction.split())
            self._extra.append(warning("part-not-read", name=name))
        return ""

    # What is left out

    def _is_left_out(self, name: str, element: Element) -> bool:
        """Return whether an element shows nothing; its words are accounted for."""
        if name in _DELETED:
            self._delete(element)
        elif name == _READING_AID:
            self._leave_out(element)
        elif is_hidden_drawing(element):
            self._counts.hidden += self._leave_out(element)
        else:
            return name in _WORDLESS
        return True

    def _chosen(self, alternate: Element) -> Element:
        """Return the alternative that is shown: the first one that holds anything."""
        options = list(alternate)
        best = next((each for each in options if _letters_under(each)), None)
        if best is None:
            return options[0] if options else alternate
        for other in options:
            if other is not best:
                self._leave_out(other)
        return best

    def _delete(self, element: Element) -> None:
        self._counts.changes += 1
        self._leave_out(element)

    def _note_change(self, name: str) -> None:
        if name in {"ins", "moveTo"}:
            self._counts.changes += 1

    def _leave_out(self, element: Element) -> int:
        count = _letters_under(element)
        self._counts.taken += count
        return count


def _flattened(parent: Element, wanted: str) -> Iterator[Element]:
    """Yield rows or cells, entering the wrappers around them."""
    for child in parent:
        name = local_name(child)
        if name == wanted:
            yield child
        elif name not in _WORDLESS and name not in {"tr", "tc", "p"}:
            yield from _flattened(child, wanted)


def _letters(text: str) -> int:
    return len("".join(text.split()))


def _letters_under(element: Element) -> int:
    return sum(
        _letters(each.text or "") for each in element.iter() if local_name(each) == "t"
    )
