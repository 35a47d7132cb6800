"""Splits a document's text into passages that can be shown, quoted and located.

A passage lies in one part (page or sheet). Its text is its pieces joined by line
feeds, and each piece is in the part's text verbatim, at its offsets. Each visible
character is in exactly one piece, except for a table's header: it is repeated above
each further group of rows, in a piece that is marked as repeated.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from dossier.knowledge.constants import ChunkKind
from dossier.knowledge.rules.blocks import Block, BlockKind, blocks_of, stripped

MAX_SIZE: Final = 5_600
"""Of a passage: a Chinese character counts 7 and a Latin one 4, so that it holds 800
Chinese or 1,400 Latin characters, about 350 tokens."""
_WIDE: Final = 7
_NARROW: Final = 4
_SECTION: Final = MAX_SIZE // 3
"""A passage of at least this size ends where a new section begins."""
_HEADER: Final = MAX_SIZE // 2
"""A longer header is not repeated."""
_MAX_ROW_CHARACTERS: Final = 4_000
"""Only longer rows are cut: no person writes such a row."""

_NARROW_ONES: Final = re.compile("[\x00-\u02ff]+")
_ENDS: Final = "\u3002\uff01\uff1f\uff1b"
"""Full stop, exclamation and question mark, semicolon of Chinese."""
_SENTENCE: Final = re.compile(
    rf"[^{_ENDS}.!?;\n]*(?:[{_ENDS}\n]+|[.!?;]+(?=\s|$)|[.!?;]|$)"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One page, sheet or stretch of a document's text."""

    position: int
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a part's text."""

    start: int
    end: int
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of one search hit, and its place in the document."""

    part: Part
    kind: ChunkKind
    pieces: tuple[Piece, ...]
    headings: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the pieces joined by line feeds."""
        source = self.part.text
        return "\n".join(source[each.start : each.end] for each in self.pieces)

    def places(self) -> list[dict[str, Any]]:
        """Return the place of each piece; `box` may be set later."""
        return [
            {
                "page": self.part.position,
                "label": self.part.label,
                "start": piece.start,
                "end": piece.end,
                "box": None,
                **({"repeated": True} if piece.is_repeated else {}),
            }
            for piece in self.pieces
        ]


class _Packer:
    """Collects pieces of one part into passages of at most `MAX_SIZE`."""

    def __init__(self, part: Part, kind: ChunkKind) -> None:
        self._part = part
        self._kind = kind
        self._headings: tuple[str, ...] = ()
        self._pieces: list[Piece] = []
        self._used = 0

    def fits(self, piece: Piece) -> bool:
        """Return whether a piece fits; into an empty passage any does."""
        return not self._pieces or self._used + self._size(piece) <= MAX_SIZE

    def add(self, piece: Piece, headings: tuple[str, ...]) -> None:
        """Add a piece; the passage has the headings of its first one."""
        if not self._pieces:
            self._headings = headings
        self._pieces.append(piece)
        self._used += self._size(piece)

    def flush(self, at_least: int = 1) -> Iterator[Passage]:
        """Yield the passage if it has at least this size, and begin a new one."""
        if self._used < at_least:
            return
        pieces = tuple(self._pieces)
        yield Passage(self._part, self._kind, pieces, self._headings)
        self._pieces, self._used = [], 0

    def _size(self, piece: Piece) -> int:
        return size_of(self._part.text[piece.start : piece.end])


def passages_of(parts: Sequence[Part]) -> Iterator[Passage]:
    """Yield the passages in reading order; headings continue over parts."""
    path: list[Heading] = []
    for part in parts:
        runs = groupby(blocks_of(part.text), lambda each: each.kind is BlockKind.ROW)
        for is_table, run in runs:
            if is_table:
                yield from _table(part, list(run), _titles(path))
            else:
                yield from _prose(part, run, path)


def size_of(text: str) -> int:
    """Return the size of a text, as `MAX_SIZE` counts it; sizes are additive."""
    narrow = sum(map(len, _NARROW_ONES.findall(text)))
    return len(text) * _WIDE - narrow * (_WIDE - _NARROW)


Heading = tuple[int, str]
"""Level and title."""


def _titles(path: Sequence[Heading]) -> tuple[str, ...]:
    return tuple(title for _, title in path)


def _prose(
    part: Part, blocks: Iterator[Block], path: list[Heading]
) -> Iterator[Passage]:
    packer = _Packer(part, ChunkKind.TEXT)
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            yield from packer.flush(at_least=_SECTION)
            while path and path[-1][0] >= block.level:
                path.pop()
            title = part.text[block.start : block.end].lstrip("# ")
            path.append((block.level, title))
        for piece in _pieces(part.text, block):
            if not packer.fits(piece):
                yield from packer.flush()
            packer.add(piece, _titles(path))
    yield from packer.flush()


def _pieces(text: str, block: Block) -> Iterator[Piece]:
    """Yield a paragraph whole where it fits, else by sentences."""
    if size_of(text[block.start : block.end]) <= MAX_SIZE:
        yield Piece(block.start, block.end)
        return
    start, taken = block.start, 0
    for first, stop in _sentences(text, block):
        size = size_of(text[first:stop])
        if taken + size > MAX_SIZE:
            yield from _piece(text, start, first)
            start, taken = first, 0
        taken += size
    yield from _piece(text, start, block.end)


def _piece(text: str, start: int, end: int) -> Iterator[Piece]:
    """Yield a stretch without white space at its ends; nothing where it is blank."""
    start, end = stripped(text, start, end)
    if start < end:
        yield Piece(start, end)


def _sentences(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield the sentences; one that is too long is cut, at spaces if there are any."""
    start = block.start
    while start < block.end:
        match = _SENTENCE.match(text, start, block.end)
        stop = max(match.end() if match else 0, start + 1)
        while size_of(text[start:stop]) > MAX_SIZE:
            limit = start + MAX_SIZE // _WIDE
            space = text.rfind(" ", start + MAX_SIZE // _WIDE // 2, limit)
            cut = space + 1 if space > 0 else limit
            yield start, cut
            start = cut
        yield start, stop
        start = stop


def _table(
    part: Part, rows: Sequence[Block], titles: tuple[str, ...]
) -> Iterator[Passage]:
    packer = _Packer(part, ChunkKind.TABLE)
    # The first row is repeated, unless it is long or mostly numbers.
    names = part.text[rows[0].start : rows[0].end]
    cells = names.split("\t")
    numeric = sum(any(map(str.isdigit, cell)) for cell in cells)
    header: list[Piece] = []
    if numeric * 2 <= len(cells) and size_of(names) <= _HEADER:
        header.append(Piece(rows[0].start, rows[0].end, is_repeated=True))
    for piece in (piece for row in rows for piece in _cells(part.text, row)):
        if not packer.fits(piece):
            yield from packer.flush()
            for each in header:
                packer.add(each, titles)
        packer.add(piece, titles)
    yield from packer.flush()


def _cells(text: str, row: Block) -> Iterator[Piece]:
    """Yield a row as a whole; a too long one is cut at a tab, or at a length."""
    start = row.start
    while row.end - start > _MAX_ROW_CHARACTERS:
        limit = start + _MAX_ROW_CHARACTERS
        stop = text.rfind("\t", start + 1, limit) + 1 or limit
        yield from _piece(text, start, stop)
        start = stop
    yield from _piece(text, start, row.end)
