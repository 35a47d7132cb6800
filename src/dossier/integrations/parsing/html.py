"""Text of web pages, whatever they are named: programs export tables as HTML `.xls`.

A row of a table is one line, its cells separated by tabs.
"""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import BinaryIO, Final

from typing_extensions import override

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.superscripts import raised
from dossier.integrations.parsing.text import bytes_of
from dossier.integrations.parsing.text_encoding import decoded
from dossier.integrations.parsing.types import (
    ReaderContent,
    ReadWarning,
    split_parts,
    storable,
)
from dossier.integrations.parsing.word_styles import WHITE, Look

_CHARSET: Final = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,20})""", re.IGNORECASE
)
_HEAD_BYTES: Final = 4096
_FEW_CHARACTERS: Final = 100
"""Of text for each picture, below which the words may well be in the pictures."""
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:px|pt)?\s*(?:;|$)",
    re.IGNORECASE,
)
_HIDING_CLASS: Final = re.compile(
    r"\.([\w-]+)\s*\{[^}]*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE
)
_COLOR: Final = re.compile(r"(?<![\w-])color\s*:\s*([^;]+)", re.IGNORECASE)
_GROUND: Final = re.compile(r"background(?:-color)?\s*:\s*([^;]+)", re.IGNORECASE)
_COLOR_NAMES: Final = {"white": WHITE, "black": "000000"}
_UNSEEN: Final = frozenset(
    {"script", "style", "template", "noscript", "head", "svg", "datalist", "rt"}
)
_STRUCK: Final = frozenset({"del", "s", "strike"})
_VOID: Final = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    }
)
_BLOCKS: Final = frozenset(
    (  # noqa: SIM905 - one word a line would fill a page
        "address article aside blockquote body caption dd div dl dt fieldset"
        " figcaption footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre"
        " section table tbody tfoot thead title tr ul"
    ).split()
)
_ENDED_BY_ITSELF: Final = frozenset({"option", "p", "li", "dd", "dt", "td", "th", "tr"})
"""Elements that the next one of their kind ends."""
_CELLS: Final = frozenset({"td", "th"})
_CELL, _LINE = "\x1f", "\x1e"


def read(file: BinaryIO) -> ReaderContent:
    """Return the text of a web page."""
    content = bytes_of(file)
    text, encoding = _decoded_page(content)
    lines, warnings = text_of(text)
    return ReaderContent(
        split_parts(storable("\n".join(lines)), "body"), warnings, encoding=encoding
    )


def text_of(page: str) -> tuple[list[str], list[ReadWarning]]:
    """Return the lines that a page shows, and what was left out of them."""
    parser = _Page()
    parser.feed(page)
    parser.close()
    warnings: list[ReadWarning] = []
    if parser.struck:
        warnings.append(warning("struck-text-left-out", count=parser.struck))
    if parser.hidden:
        warnings.append(warning("hidden-text-left-out", count=parser.hidden))
    lines = parser.lines()
    if parser.pictures:
        is_short = sum(map(len, lines)) < _FEW_CHARACTERS * parser.pictures
        code = "pictures-not-read" if is_short else "small-pictures"
        warnings.append(warning(code, count=parser.pictures))
    return lines, warnings


def _decoded_page(content: bytes) -> tuple[str, str]:
    """Decode by what the page states, if it holds, and else by evidence."""
    stated = _CHARSET.search(content[:_HEAD_BYTES])
    try:
        return decoded(content)
    except UnreadableFileError:
        if stated is None:
            raise
        encoding = stated[1].decode("ascii").lower()
    try:
        return content.decode(encoding), encoding
    except (LookupError, UnicodeDecodeError) as error:
        detail = f"the page is not written in {encoding} as it states; save it as UTF-8"
        raise UnreadableFileError(UnreadableReason.UNDECODABLE, detail) from error


class _Page(HTMLParser):
    """Collects what is shown; an element that hides its content is counted over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.hidden = self.struck = self.pictures = 0
        self._pieces: list[str] = []
        self._leaving: list[tuple[str, str]] = []
        """Open elements of the name that opened what is left out, and why it is."""
        self._raised = 0
        self._cells = 0
        self._hiding_classes: set[str] = set()
        self._looks: list[tuple[str, Look]] = []
        """Open elements that change colours, with what text in them looks like."""

    def lines(self) -> list[str]:
        """Return the collected lines."""
        found = []
        for line in "".join(self._pieces).split(_LINE):
            cells = [" ".join(cell.split()) for cell in line.split(_CELL)]
            found.append("\t".join(cells).rstrip().removeprefix("\t"))
        return [line for line in found if line.strip()]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        stated = {name: value or "" for name, value in attrs}
        if self._leaving and tag == self._leaving[0][0]:
            if tag not in _ENDED_BY_ITSELF:
                self._leaving.append(self._leaving[0])
                return
            self._leaving.pop()
        why = _reason_to_leave_out(tag, stated)
        if self._hiding_classes & set(stated.get("class", "").split()):
            why = why or "hidden"
        if self._leaving:
            return
        if tag not in _VOID:
            look = self._looks[-1][1] if self._looks else Look()
            changed = _colored(look, stated)
            if changed != look:
                self._looks.append((tag, changed))
        if why and tag not in _VOID:
            self._leaving.append((tag, why))
        elif not why:
            self._show_start(tag, stated)

    def _show_start(self, tag: str, stated: dict[str, str]) -> None:
        if tag == "sup":
            self._raised += 1
        elif tag == "br":
            self._pieces.append(" " if self._cells else _LINE)
        elif tag == "img":
            self.pictures += 1
        elif tag == "input":
            self._pieces.append(_input_text(stated))
        elif tag in _CELLS:
            self._cells += 1
            self._pieces.append(_CELL)
        elif tag in _BLOCKS:
            self._break(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        if self._leaving:
            if tag == self._leaving[0][0]:
                self._leaving.pop()
            return
        opened = [at for at, (name, _) in enumerate(self._looks) if name == tag]
        if opened:
            del self._looks[opened[-1] :]
        if tag == "sup":
            self._raised = max(self._raised - 1, 0)
        elif tag in _CELLS:
            self._cells = max(self._cells - 1, 0)
        elif tag in _BLOCKS:
            self._break(tag)

    @override
    def handle_data(self, data: str) -> None:
        letters = len("".join(data.split()))
        if self._leaving:
            if self._leaving[0][1] == "unseen":  # in a style sheet
                self._hiding_classes.update(_HIDING_CLASS.findall(data))
            self.hidden += letters if self._leaving[0][1] == "hidden" else 0
            self.struck += letters if self._leaving[0][1] == "struck" else 0
            return
        if self._looks and self._looks[-1][1].is_unseen:
            self.hidden += letters
            return
        self._pieces.append(raised(data) if self._raised else data)

    def _break(self, tag: str) -> None:
        if tag == "tr":
            self._cells = 0
        # A paragraph within a cell does not end the row.
        self._pieces.append(" " if self._cells else _LINE)


def _reason_to_leave_out(tag: str, stated: dict[str, str]) -> str:
    if tag in _UNSEEN or (tag == "option" and "selected" not in stated):
        return "unseen"
    if tag in _STRUCK or "line-through" in stated.get("style", ""):
        return "struck"
    is_hidden = "hidden" in stated or _HIDING.search(stated.get("style", ""))
    return "hidden" if is_hidden or stated.get("type") == "hidden" else ""


def _colored(look: Look, stated: dict[str, str]) -> Look:
    """Return the look of text in an element by its colours."""
    style = stated.get("style", "")
    if color := (_COLOR.search(style) or ("", stated.get("color", "")))[1]:
        look = replace(look, color=_rgb(color))
    if ground := (_GROUND.search(style) or ("", stated.get("bgcolor", "")))[1]:
        look = replace(look, ground=_rgb(ground))
    return look


def _rgb(color: str) -> str:
    """Return a colour as RRGGBB; empty for one that is written otherwise."""
    plain = color.strip().lower().removesuffix("!important").strip()
    digits = plain.removeprefix("#")
    if len(digits) == 3 and plain.startswith("#"):  # noqa: PLR2004 - R, G, B
        digits = "".join(2 * each for each in digits)
    return _COLOR_NAMES.get(plain, digits if plain.startswith("#") else "")


def _input_text(stated: dict[str, str]) -> str:
    kind = stated.get("type", "text").lower()
    if kind in {"checkbox", "radio"}:
        return "☒" if "checked" in stated else "☐"
    return (
        ""
        if kind in {"password", "submit", "button", "image"}
        else stated.get("value", "")
    )
