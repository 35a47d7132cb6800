"""Splits Chinese and English texts into sentences."""

# ruff: noqa: RUF001 - Chinese punctuation is as it is

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dossier.knowledge.rules.line_breaks import Lines

SENTENCE_CHARACTERS = 400
"""A longer one is cut at commas: nobody reads a page as one quote."""

_CLOSERS = "」』”’）)]】》〉\"'"
_ENDS = re.compile(
    rf"(?:[。！？；…]|[!?](?![A-Za-z0-9_\[(/&=<%#]))"
    rf"(?:[。！？…{re.escape(_CLOSERS)}]|[!?](?![A-Za-z0-9_\[(/&=<%#]))*"
    rf"|\.(?=[{re.escape(_CLOSERS)}]*(?:\s|$))[{re.escape(_CLOSERS)}]*"
    r"|\n[ \t\u3000]*\n\s*"
    r"|\n"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(（\[])(?:[A-Za-z]|e\.g|i\.e|cf|vs|etc|approx|ca|no|nos|art|arts|fig|figs"
    r"|vol|pp|sec|ref|refs|dr|mr|mrs|ms|prof|inc|ltd|co|corp|st|al|max|min|temp|resp"
    r"|conc|spp|sp|var|[A-Za-z]\.[A-Za-z])\.$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:^|\n)\s*(?:\d{1,3}\.)*\d{1,3}\.$")
_SOFT = re.compile(r"[，,、；;：:]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a text, by its offsets there."""

    text: str
    start: int
    end: int


def split_sentences(text: str, *, by_line: bool = False) -> list[Sentence]:
    """Return the sentences of a passage; with `by_line` its lines instead."""
    line_ends = (match.end() for match in re.finditer(r"\n", text))
    ends = line_ends if by_line else _sentence_ends(text)
    found: list[Sentence] = []
    start = 0
    for end in (*ends, len(text)):
        pieces: list[tuple[int, int]] = []
        while end - start > SENTENCE_CHARACTERS:  # cut at the last comma that fits
            limit = start + SENTENCE_CHARACTERS
            commas = [each.end() for each in _SOFT.finditer(text, start, limit)]
            cut = commas[-1] if commas else limit
            pieces.append((start, cut))
            start = cut
        pieces.append((start, end))
        for first, last in pieces:
            piece = text[first:last]
            left = first + len(piece) - len(piece.lstrip())
            shown = piece.strip()
            if any(c.isalnum() for c in shown):
                found.append(Sentence(shown, left, left + len(shown)))
        start = end
    return found


def _sentence_ends(text: str) -> Iterator[int]:
    lines = Lines(text)
    for match in _ENDS.finditer(text):
        mark = match.group()
        if mark == "\n":
            is_end = lines.is_intended_break(match.start())
        elif mark.startswith("."):
            # A full stop may belong to an abbreviation or to the number of a list.
            before = text[max(0, match.start() - 16) : match.start() + 1]
            is_end = not (_ABBREVIATION.search(before) or _NUMBERED.search(before))
        else:
            is_end = True
        if is_end:
            yield match.end()
