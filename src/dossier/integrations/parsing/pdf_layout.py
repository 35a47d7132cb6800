"""Puts the words of a page into reading order by where they stand.

The order in which a PDF paints its words says nothing: rows may be painted column by
column, columns row by row. So words are grouped into rows by their base lines, rows
into columns where the text runs on below and not beside, and all other gaps in a row
are the borders of cells (a tab).
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final

from dossier.integrations.parsing.superscripts import raised, with_degrees

_ROW_TOLERANCE: Final = 0.35
"""Difference of base lines within a row, in font sizes."""
_WORD_GAP: Final = 0.12
_CJK_GAP: Final = 0.35
_CELL_GAP: Final = 1.2
_GUTTER: Final = 0.8
_SMALL: Final = 0.8
"""Raised and lowered characters are smaller than this share of their base."""
_RISE: Final = (0.2, 0.95)
_FALL: Final = (-0.5, -0.04)
_TOUCHING: Final = 0.35
_BUCKET: Final = 6.0
_EVEN: Final = 0.15
_SPACED_LETTERS: Final = 4
_BREAK: Final = 3.0
"""Space between rows, in font sizes, that ends a block of columns."""
_MIN_CHARACTERS: Final = 18
_MIN_FILL: Final = 0.55
_MIN_RUNNING_ON: Final = 0.25
_MAX_DIGITS: Final = 0.3
_LINE_STEP: Final = 0.8
"""Lines of one text stand at least this far apart, in font sizes."""
_BANDS: Final = (2, 3)
_ROW_PADDING: Final = 1.08
_CJK: Final = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")
_SENTENCE_END: Final = re.compile(r"[.:;!?。：；！？]\W*$")
_HYPHENS: Final = "-\u2010\u00ad"
_ENDS_IN_HYPHEN: Final = re.compile(r"([^\W_][\w./()'\u2019-]*)[-\u2010\u00ad]$")
_FIRST_WORD: Final = re.compile(r"[^\W_]\S*")
_KEEP_HYPHEN: Final = frozenset(
    {
        "non",
        "self",
        "long",
        "short",
        "high",
        "low",
        "well",
        "ready",
        "all",
        "anti",
        "half",
        "semi",
        "post",
        "alpha",
        "beta",
        "gamma",
        "delta",
        "tert",
    }
)


@dataclass(slots=True)
class Word:
    """Characters without space between them; lengths in points, `v` grows upwards."""

    text: str
    left: float
    right: float
    v: float
    """Of the base line."""
    size: float
    after_space: bool = False
    is_raised: bool = False
    starts_cell: bool = False
    font: str = ""


@dataclass(frozen=True, slots=True)
class RuledLine:
    """A horizontal line on the page."""

    left: float
    right: float
    v: float


@dataclass(frozen=True, slots=True)
class Border:
    """A vertical line on the page."""

    x: float
    bottom: float
    top: float


WordRow = list[Word]


def text_of(
    words: Sequence[Word],
    rules: Sequence[RuledLine] = (),
    borders: Sequence[Border] = (),
) -> str:
    """Return the text of a page in reading order, one line per line of the page."""
    _level(words)
    rows = _rows(words)
    _mark_cells(rows, sorted(borders, key=lambda border: border.x))
    return with_degrees("\n".join(rejoined(list(_lines(rows, rules)))))


def _level(words: Sequence[Word]) -> None:
    """Put raised and lowered characters onto the base line of their neighbour."""
    by_edge: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        by_edge[int(word.right // _BUCKET)].append(word)
        by_edge[int(word.left // _BUCKET)].append(word)
    largest = max((word.size for word in words), default=0.0)
    for word in words:
        if word.size >= _SMALL * largest:
            continue
        base = _base_of(word, by_edge)
        if base is not None:
            word.is_raised = word.v > base.v
            word.v = base.v


def _base_of(word: Word, by_edge: dict[int, list[Word]]) -> Word | None:
    """Return the larger word which a small one touches, above or below its line."""
    places = {
        int((edge + step) // _BUCKET)
        for edge in (word.left, word.right)
        for step in (-_BUCKET, 0, _BUCKET)
    }
    for place in sorted(places):
        for base in by_edge.get(place, ()):
            if word.size >= _SMALL * base.size or base.is_raised:
                continue
            gap = min(abs(word.left - base.right), abs(base.left - word.right))
            rise = (word.v - base.v) / base.size
            is_off = _RISE[0] < rise < _RISE[1] or _FALL[0] < rise < _FALL[1]
            if is_off and gap < _TOUCHING * base.size:
                return base
    return None


def _rows(words: Sequence[Word]) -> list[WordRow]:
    """Return the rows from top to bottom, the words of each from left to right."""
    rows: list[WordRow] = []
    base, size = 0.0, 0.0
    for word in sorted(words, key=lambda each: (-each.v, each.left)):
        tolerance = _ROW_TOLERANCE * max(size, word.size)
        if rows and base - word.v <= tolerance:
            rows[-1].append(word)
        else:
            rows.append([word])
            base, size = word.v, word.size
    for row in rows:
        row.sort(key=lambda each: each.left)
    return list(_whole_rows(rows))


def _whole_rows(rows: list[WordRow]) -> Iterator[WordRow]:
    """Yield the rows, those of one table row as one: cells may be centred on it.

    The base lines of a value beside a name of two lines lie between the two.
    """
    at = 0
    while at < len(rows):
        end = at + 1
        while end < len(rows) and _is_close(rows[end - 1], rows[end]):
            end += 1
        band = rows[at:end]
        if len(band) not in _BANDS or not _are_beside(band):
            yield from band
        else:
            yield _one_row(band)
        at = end


def _is_close(above: WordRow, below: WordRow) -> bool:
    """Return whether two rows stand closer than lines of one text can."""
    size = min(max(word.size for word in row) for row in (above, below))
    return above[0].v - below[0].v < _LINE_STEP * size


def _are_beside(band: list[WordRow]) -> bool:
    """Return whether no two neighbouring rows share any width of the page."""
    return all(
        word.right < other.left or other.right < word.left
        for above, below in pairwise(band)
        for word in above
        for other in below
    )


def _one_row(band: list[WordRow]) -> WordRow:
    """Return the words of a band cell by cell, each cell from its top."""
    cells: list[tuple[float, float, WordRow]] = []
    for word in sorted((word for row in band for word in row), key=lambda w: w.left):
        if cells and word.left - cells[-1][1] <= _CELL_GAP * word.size:
            left, right, words = cells[-1]
            cells[-1] = (left, max(right, word.right), [*words, word])
        else:
            cells.append((word.left, word.right, [word]))
    row: WordRow = []
    for _, _, words in cells:
        if all(left.right <= right.left for left, right in pairwise(words)):
            # A figure as large as what it is raised over; lines would overlap.
            base = min(word.v for word in words)
            for word in words:
                word.is_raised |= word.v > base + _RISE[0] * word.size
        else:
            words.sort(key=lambda word: (-word.v, word.left))
            for previous, word in pairwise(words):
                word.after_space |= previous.v != word.v
        row += words
    middle = sum(each[0].v for each in band) / len(band)
    for word in row:
        word.v = middle
    return row


def _mark_cells(rows: list[WordRow], borders: Sequence[Border]) -> None:
    """Mark the words that a vertical line parts from the one before."""
    places = [border.x for border in borders]
    for left, right in (pair for row in rows if borders for pair in pairwise(row)):
        middle = right.v + right.size / 3
        first = bisect_left(places, left.right - 1)
        for border in borders[first : bisect_right(places, right.left + 1)]:
            if border.bottom <= middle <= border.top:
                right.starts_cell = True
                break


def _lines(rows: list[WordRow], rules: Sequence[RuledLine]) -> Iterator[str]:
    at = 0
    while at < len(rows):
        end, border = _block_from(rows, at, rules)
        if border is None:
            yield from map(line_of, rows[at:end])
        else:
            for is_left in (True, False):
                side = [_side(row, border, is_left=is_left) for row in rows[at:end]]
                yield from _lines([row for row in side if row], rules)
        at = end


def _block_from(
    rows: list[WordRow], start: int, rules: Sequence[RuledLine]
) -> tuple[int, float | None]:
    """Return the end of the block that begins in a row, and the border in columns.

    Without a border the rows are read as they stand: one row, or a whole table.
    """
    columns: tuple[int, float] | None = None
    table_end = start + 1
    for gap in _wide_gaps(rows[start : start + 2]):
        end, border = _extent(rows, start, gap)
        if end - start < 2:  # noqa: PLR2004 - one row
            continue
        block = rows[start:end]
        if _is_padded(block, border) or _is_ruled(block, rules):
            table_end = max(table_end, end)
        elif (columns is None or end > columns[0]) and _are_columns(block, border):
            columns = (end, border)
    return columns or (table_end, None)


def _wide_gaps(rows: list[WordRow]) -> Iterator[tuple[float, float]]:
    """Yield the wide gaps within a row, and the one between it and a row beside it."""
    first = rows[0]
    for left, right in pairwise(first):
        if right.left - left.right > _CELL_GAP * max(left.size, right.size) * 0.75:
            yield left.right, right.left
    if len(rows) > 1:
        one, other = sorted(rows, key=lambda row: row[0].left)
        if other[0].left - one[-1].right > _GUTTER * one[0].size:
            yield one[-1].right, other[0].left


def _extent(
    rows: list[WordRow], start: int, gap: tuple[float, float]
) -> tuple[int, float]:
    """Return the end of the rows that leave a gap free, and the middle of the gap."""
    low, high = gap
    at = start + 1
    while at < len(rows):
        row = rows[at]
        size = max(word.size for word in row)
        if rows[at - 1][0].v - row[0].v > _BREAK * size:
            break
        left = max((w.right for w in row if w.left < (low + high) / 2), default=low)
        right = min((w.left for w in row if w.left >= (low + high) / 2), default=high)
        narrowed = (max(low, left), min(high, right))
        if narrowed[1] - narrowed[0] < _GUTTER * size:
            break
        low, high = narrowed
        at += 1
    return at, (low + high) / 2


def _side(row: WordRow, border: float, *, is_left: bool) -> WordRow:
    return [word for word in row if (word.left < border) == is_left]


def _are_columns(block: list[WordRow], border: float) -> bool:
    """Return whether text runs on from row to row on both sides of a border.

    Cells of a table are short and begin anew in each row.
    """
    sides = [
        [row for row in (_side(each, border, is_left=is_left) for each in block) if row]
        for is_left in (True, False)
    ]
    if min(len(side) for side in sides) < 2:  # noqa: PLR2004 - one line does not run on
        return False
    return all(map(_runs_on, sides))


def _runs_on(side: list[WordRow]) -> bool:
    lines = [line_of(row) for row in side]
    joined = "".join(lines)
    # A CJK character is as wide as two others.
    characters = [len(line) + len(_CJK.findall(line)) for line in lines]
    if sum(characters) < _MIN_CHARACTERS * len(lines):
        return False
    if sum(map(str.isdigit, joined)) > _MAX_DIGITS * len(joined):
        return False
    left = min(row[0].left for row in side)
    width = max(row[-1].right for row in side) - left
    widths = [row[-1].right - row[0].left for row in side]
    if median(widths) < _MIN_FILL * width:
        return False
    pairs = list(zip(lines, lines[1:], widths, strict=False))
    running = sum(
        _continues(first, second, is_full=wide > 0.85 * width)
        for first, second, wide in pairs
    )
    return running >= _MIN_RUNNING_ON * len(pairs)


def _continues(first: str, second: str, *, is_full: bool) -> bool:
    """Return whether a line goes on in the one below it."""
    if first[-1:] in (",", "、", "，", *_HYPHENS):
        return True
    if _SENTENCE_END.search(first):
        return False
    if second[:1].islower():
        return True
    return is_full and bool(_CJK.match(second) and _CJK.match(first[-1:]))


def _is_padded(block: list[WordRow], border: float) -> bool:
    """Return whether rows stand apart as those of a table, on both sides at once."""
    steps = [above[0].v - below[0].v for above, below in pairwise(block)]
    least = min(steps)
    apart = [
        row
        for row, step in zip(block[1:], steps, strict=True)
        if step > _ROW_PADDING * least
    ]
    both = [
        row
        for row in apart
        if _side(row, border, is_left=True) and _side(row, border, is_left=False)
    ]
    return len(apart) > 1 and len(both) >= 0.8 * len(apart)


def _is_ruled(block: list[WordRow], rules: Sequence[RuledLine]) -> bool:
    """Return whether horizontal lines part the rows of a block."""
    top, bottom, size = block[0][0].v, block[-1][0].v, block[0][0].size
    left = min(row[0].left for row in block)
    right = max(row[-1].right for row in block)
    middle = (left + right) / 2
    crossing = {
        round(rule.v)
        for rule in rules
        if bottom - size < rule.v < top + 1.5 * size and rule.left < middle < rule.right
    }
    inside = [v for v in crossing if bottom < v < top]
    return len(crossing) > 1 and bool(inside)


def line_of(row: WordRow) -> str:
    """Return the text of a row: spaces between words, tabs between cells."""
    pieces: list[str] = []
    previous: Word | None = None
    for word in _unspaced(row):
        if previous is not None:
            pieces.append(_between(previous, word))
        pieces.append(raised(word.text) if word.is_raised else word.text)
        previous = word
    return "".join(pieces)


def _unspaced(row: WordRow) -> Iterator[Word]:
    """Yield the words of a row, those whose letters are spaced out as one word."""
    at = 0
    while at < len(row):
        end, gap = at + 1, 0.0
        while end < len(row) and _is_letter(row[end - 1]) and _is_letter(row[end]):
            step = row[end].left - row[end - 1].right
            is_even = end == at + 1 or abs(step - gap) <= _EVEN * row[end].size
            if row[end].after_space or not is_even or step > _GUTTER * row[end].size:
                break
            end, gap = end + 1, step
        first, run = row[at], row[at:end]
        if len(run) >= _SPACED_LETTERS:
            text = "".join(word.text for word in run)
            yield replace(first, text=text, right=run[-1].right)
        else:
            yield from run
        at = end


def _is_letter(word: Word) -> bool:
    return len(word.text) == 1 and word.text.isalpha() and not word.is_raised


def _between(left: Word, right: Word) -> str:
    gap = right.left - left.right
    size = max(left.size, right.size)
    if gap > _CELL_GAP * size or right.starts_cell:
        return "\t"
    if _CJK.match(left.text[-1]) and _CJK.match(right.text[0]):
        # Justified lines are stretched; that is no space.
        return " " if gap > _CJK_GAP * size else ""
    is_apart = gap > _WORD_GAP * size * (2 if right.is_raised else 1)
    return " " if is_apart or (right.after_space and not right.is_raised) else ""


def rejoined(lines: list[str]) -> list[str]:
    """Return the lines with words that a hyphen broke made whole again.

    A code (`PEG-40`, `50-00-0`) and a compound keep their hyphen.
    """
    whole = "\n".join(lines)
    result: list[str] = []
    for line in lines:
        before = result[-1] if result else ""
        broken = _ENDS_IN_HYPHEN.search(before) if "\t" not in before else None
        first = _FIRST_WORD.match(line)
        if broken is None or first is None:
            result.append(line)
            continue
        head = first[0].partition("\t")[0]
        result[-1] = before[: -len(_HYPHENS[0])] + _joint(broken, head, whole) + head
        rest = line[len(head) :].lstrip(" ")
        if rest:
            result.append(rest)
    return result


def _joint(broken: re.Match[str], head: str, whole: str) -> str:
    """Return what stands between the halves of a broken word: a hyphen or nothing."""
    stem = broken[1].rpartition("-")[2] or broken[1]
    if broken[0][-1] == "\u00ad":
        return ""
    is_code = any(map(str.isdigit, stem + head[:1])) or not head[:1].islower()
    # UV-filter, pH-value, D-panthenol: no syllable ends in a capital letter.
    is_abbreviated = stem[-1:].isupper()
    is_compound = stem.lower() in _KEEP_HYPHEN or f"{stem}-{head}" in whole
    return "-" if is_code or is_abbreviated or is_compound else ""
