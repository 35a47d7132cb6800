"""Splits a text into headings, paragraphs and table rows, as offsets in the text."""

import re
from collections.abc import Iterator, Sequence
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
"""Marks of a heading, with its level where the mark does not imply it."""
_SENTENCE_ENDS: Final = tuple("\u3002\uff01\uff1f\uff1b\uff0c.!?;,")
"""With those of Chinese: full stop, marks of exclamation and question, semicolon."""
_PUNCTUATION: Final = re.compile("[\u3002\uff1b\uff0c]")
"""Full stop, semicolon, comma: in a wrapped line that begins with a figure."""
_NUMBERED: Final = _HEADINGS[-1][0]
_COMMAS: Final = ("\uff0c", "\u3001", ",")
_LINE_ENDS: Final = tuple("\u3002\uff01\uff1f\uff1b\uff1a.!?;:")
_FULL_SHARE: Final = 0.75
"""A line of at least this share of the longest one was wrapped."""
_MIN_FULL_COLUMNS: Final = 32


class BlockKind(StrEnum):
    """Kind of a block."""

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
    above: Block | None = None
    for match in _LINE.finditer(text):
        start, end = stripped(text, *match.span())
        if start == end:
            continue
        line = Block(BlockKind.PARAGRAPH, start, end)
        if "\t" in text[start:end]:
            line = Block(BlockKind.ROW, start, end)
        elif level := heading_level(text[start:end]):
            heading = Block(BlockKind.HEADING, start, end, level)
            if above is None or not _continues(text, above, heading):
                line = heading
        is_separate = text.count("\n", above.end if above else 0, start) > 1
        if paragraph and (is_separate or line.kind is not BlockKind.PARAGRAPH):
            yield _joined(paragraph)
            paragraph = []
        if line.kind is BlockKind.PARAGRAPH:
            paragraph.append(line)
        else:
            yield line
        above = line
    if paragraph:
        yield _joined(paragraph)


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the stretch without white space at its ends."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())


def heading_level(line: str) -> int:
    """Return the level of a heading, from 1; 0 where the line is none."""
    if len(line) > MAX_HEADING_CHARACTERS or line.endswith(_SENTENCE_ENDS):
        return 0
    if _PUNCTUATION.search(line):
        return 0
    for mark, level in _HEADINGS:
        if match := mark.match(line):
            if level is not None:
                return level
            number = match[1]
            return len(number) if number[0] == "#" else number.count(".") + 1
    return 0


def _continues(text: str, above: Block, line: Block) -> bool:
    """Return whether an apparent numbered heading is the rest of a sentence.

    The line above it ends in a comma, or was wrapped. English titles begin with a
    capital, which few words behind a figure do.
    """
    mark = _NUMBERED.match(text, line.start, line.end)
    is_below = text.count("\n", above.end, line.start) == 1
    kinds = (above.kind, line.kind)
    if kinds != (BlockKind.PARAGRAPH, BlockKind.HEADING) or not (mark and is_below):
        return False
    above_text = text[above.start : above.end]
    if text[mark.end()].isupper() or above_text.endswith(_LINE_ENDS):
        return False
    if above_text.endswith(_COMMAS):
        return True
    taken = columns(above_text)
    return taken >= _MIN_FULL_COLUMNS and all(
        columns(other) * _FULL_SHARE <= taken
        for other in text.split("\n")
        if "\t" not in other and len(other) * 2 * _FULL_SHARE > taken
    )


def _joined(lines: Sequence[Block]) -> Block:
    return Block(BlockKind.PARAGRAPH, lines[0].start, lines[-1].end)
