"""The text of one annex cell: normalised, and cut into its lettered limbs.

Cells write `(a) 2% (b) 5%`, `a) 6%`, `For (a) and (b): 1 %`, `(a) (i) 8% (ii) 11%`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

_MARK: Final = re.compile(r"(?<![A-Za-z0-9'])\(?([a-r])\)")
_JOIN: Final = re.compile(r"\s*(?:,|and|&|to|-|;)?\s*(?:for\s+)?", re.IGNORECASE)
_LEAD: Final = re.compile(r"(?:^|(?<=\s)|(?<=\())\(?for\s*$", re.IGNORECASE)
_SUB: Final = re.compile(r"(?<!\w)(?:\((i{1,3}|iv)\)|([1-4])\.(?=\s))")
_SUB_NUMBER: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_EXCEPTED: Final = re.compile(r" \(except (?:\([a-z]\)(?:, | and )?)+\)")
_LEVELLED: Final = {
    **dict.fromkeys((0xAD, 0x200B, 0xFEFF)),  # soft hyphen, zero width
    **dict.fromkeys((0x2018, 0x2019, 0x2032), "'"),
    **dict.fromkeys((0x201C, 0x201D), '"'),
    **dict.fromkeys((0x2010, 0x2011, 0x2013, 0x2014, 0x2D7), "-"),
}
_SPACES: Final = re.compile(r"[\s\u00a0\u3000]+")
_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")


@cache
def grammar() -> Mapping[str, Any]:
    """Return the patterns of notes and warnings, and the names of columns."""
    text = resources.files("dossier.regulations").joinpath("data/grammar.json")
    table: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return table


def warning_codes(text: str) -> tuple[str, ...]:
    """Return the codes of the warnings that a cell demands on the label.

    The sentence of the source is not kept; `see_entry` where no pattern knows it.
    """
    flat = clean(text)
    if not flat or flat == "-":
        return ()
    found = tuple(
        code
        for code, pattern in grammar()["warnings"].items()
        if re.search(pattern, flat, re.IGNORECASE)
    )
    return found or ("see_entry",)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a cell and the limb it speaks of; without letters: every limb.

    `sub` is the number of a sub-limb: (i) is 1, (ii) is 2.
    """

    letters: tuple[str, ...]
    sub: int | None
    text: str


def clean(text: str) -> str:
    """Return the cell in one line, quotation marks and dashes levelled."""
    flat = _SPACES.sub(" ", text.translate(_LEVELLED)).strip()
    return flat.strip(" '\"") if flat else ""


def with_points(text: str) -> str:
    """Return the text with decimal points: 0,0015 becomes 0.0015."""
    return _COMMA.sub(".", text)


def segments(text: str, known: frozenset[str] | None = None) -> list[Segment] | None:
    """Cut a cell at its letters; `None` where they do not run from a on.

    `known` are the letters of the entry's other columns, of which a cell may name some.
    A cell without letters is one segment.
    """
    flat = _EXCEPTED.sub(" (except of the foregoing)", clean(text))
    heads = _heads(flat, known)
    if not heads:
        return [Segment((), None, flat)] if flat else []
    found: list[Segment] = []
    lead = _LEAD.sub("", flat[: heads[0][0]]).strip()
    if lead:
        found.append(Segment((), None, lead))
    for position, (_, end, letters) in enumerate(heads):
        stop = heads[position + 1][0] if position + 1 < len(heads) else len(flat)
        body = _LEAD.sub("", flat[end:stop]).strip(" :")
        found.extend(_sub_limbs(letters, body))
    used = {letter for each in found for letter in each.letters}
    expected = known or alphabet(len(used))
    return found if used <= expected else None


def letters_of(*cells: str) -> frozenset[str]:
    """Return every letter that marks a limb in one of the cells of an entry."""
    found: set[str] = set()
    for cell in cells:
        flat = _EXCEPTED.sub("", clean(cell))
        found.update(
            letter for _, _, letters in _heads(flat, None) for letter in letters
        )
    return frozenset(found)


def alphabet(count: int) -> frozenset[str]:
    """Return the first `count` letters of the alphabet."""
    return frozenset(chr(ord("a") + n) for n in range(count))


def _heads(
    flat: str, known: frozenset[str] | None
) -> list[tuple[int, int, tuple[str, ...]]]:
    """Return start, end and letters of each head; neighbours are one head."""
    heads: list[tuple[int, int, tuple[str, ...]]] = []
    seen: set[str] = set()
    for match in _MARK.finditer(flat):
        letter = match[1]
        is_roman = letter == "i" and "h" not in seen
        if is_roman or (known is not None and letter not in known):
            continue  # the number of a sub-limb, or the letter of a column
        between = flat[heads[-1][1] : match.start()] if heads else None
        if heads and between is not None and _JOIN.fullmatch(between):
            start, _, letters = heads[-1]
            between = between.strip()
            is_range = between in ("to", "-")
            first, last = ord(letters[-1]) + 1, ord(letter)
            more = [chr(n) for n in range(first, last)] if is_range else []
            heads[-1] = (start, match.end(), (*letters, *more, letter))
        else:
            heads.append((match.start(), match.end(), (letter,)))
        seen.add(letter)
    return heads


def _sub_limbs(letters: tuple[str, ...], body: str) -> list[Segment]:
    marks = list(_SUB.finditer(body))
    if not marks or body[: marks[0].start()].strip():
        return [Segment(letters, None, body)]
    ends = [mark.start() for mark in marks[1:]] + [len(body)]
    return [
        Segment(
            letters,
            _SUB_NUMBER[mark[1]] if mark[1] else int(mark[2]),
            body[mark.end() : end].strip(" :"),
        )
        for mark, end in zip(marks, ends, strict=True)
    ]
