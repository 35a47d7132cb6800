"""Cuts a text into blocks: headings, paragraphs, rows of tables. Offsets, no copies."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dossier.knowledge.rules.line_breaks import columns

MAX_HEADING_CHARACTERS: Final = 60

_LINE: Final = re.compile(r"[^\n]+")
_HEADINGS: Final = (
    (re.compile(r"(#{1,6}) "), None),
    (re.compile(r"第[0-9一二三四五六七八九十百]+[章編篇部]"), 1),
    (re.compile(r"第[0-9一二三四五六七八九十百]+[節条條]"), 2),
    (re.compile(r"[一二三四五六七八九十]+、"), 2),
    (re.compile(r"[(\uff08][一二三四五六七八九十]+[)\uff09]"), 3),
    (re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})[.)、\s]\s*(?=[^\W\d_])"), None),
)
"""Marks of a heading, with its level where the mark itself does not tell it."""
_SENTENCE_ENDS: Final = tuple("\u3002\uff01\uff1f\uff1b\uff0c.!?;,")
"""With those of Chinese: full stop, marks of exclamation and question, semicolon."""
_SAID: Final = re.compile("[\u3002\uff1b\uff0c]")
"""Full stop, semicolon, comma: what a wrapped line holds that begins with a figure."""


_NUMBERED: Final = _HEADINGS[-1][0]
_OPEN: Final = ("\uff0c", "\u3001", ",")
_OVER: Final = tuple("\u3002\uff01\uff1f\uff1b\uff1a.!?;:")
_FULL_SHARE: Final = 0.75
"""A line this long, measured by the longest, was broken by the page alone."""
_MIN_FULL_COLUMNS: Final = 32


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a text that begins and ends with a visible character."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks in order; each visible character is in exactly one."""
    paragraph: list[Block] = []
    last_end = 0
    for line in _lines(text):
        is_apart = text.count("\n", last_end, line.start) > 1
        if paragraph and (is_apart or line.kind is not BlockKind.PARAGRAPH):
            yield _joined(paragraph)
            paragraph = []
        last_end = line.end
        if line.kind is BlockKind.PARAGRAPH:
            paragraph.append(line)
        else:
            yield line
    if paragraph:
        yield _joined(paragraph)


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the stretch without white space at its ends."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())


def _lines(text: str) -> Iterator[Block]:
    above: Block | None = None
    for match in _LINE.finditer(text):
        start, end = stripped(text, *match.span())
        if start == end:
            continue
        line = _line(text, start, end)
        if above is not None and _goes_on(text, above, line):
            line = Block(BlockKind.PARAGRAPH, start, end)
        yield line
        above = line


def _line(text: str, start: int, end: int) -> Block:
    line = text[start:end]
    if "\t" in line:
        return Block(BlockKind.ROW, start, end)
    level = heading_level(line)
    if level:
        return Block(BlockKind.HEADING, start, end, level)
    return Block(BlockKind.PARAGRAPH, start, end)


def heading_level(line: str) -> int:
    """Return how deep a heading is, from 1; 0 for what is none."""
    if len(line) > MAX_HEADING_CHARACTERS or line.endswith(_SENTENCE_ENDS):
        return 0
    if _SAID.search(line):
        return 0
    for mark, level in _HEADINGS:
        if match := mark.match(line):
            return level or _level_of(match[1])
    return 0


def _goes_on(text: str, above: Block, line: Block) -> bool:
    """Tell whether what looks like a numbered heading is the rest of a sentence.

    The line above it is not over: it ends in a comma, or the page alone has broken it.
    English titles begin with a capital, which few words behind a figure do.
    """
    mark = _NUMBERED.match(text, line.start, line.end)
    is_below = text.count("\n", above.end, line.start) == 1
    kinds = (above.kind, line.kind)
    if kinds != (BlockKind.PARAGRAPH, BlockKind.HEADING) or not (mark and is_below):
        return False
    said = text[above.start : above.end]
    if text[mark.end()].isupper() or said.endswith(_OVER):
        return False
    return said.endswith(_OPEN) or _is_full(said, text)


def _is_full(line: str, text: str) -> bool:
    taken = columns(line)
    if taken < _MIN_FULL_COLUMNS:
        return False
    return all(
        columns(other) * _FULL_SHARE <= taken
        for other in text.split("\n")
        if "\t" not in other and len(other) * 2 * _FULL_SHARE > taken
    )


def _level_of(mark: str) -> int:
    return len(mark) if mark.startswith("#") else mark.count(".") + 1


def _joined(lines: Iterable[Block]) -> Block:
    first, *_ = rows = list(lines)
    return Block(BlockKind.PARAGRAPH, first.start, rows[-1].end)
