"""Whether words stand in a text, and where: NFKC, white space aside."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MIN_WEIGHT = 5
"""A Chinese character weighs two; `10.5%` is the shortest quote that proves."""
_FIRST_IDEOGRAPH = 0x2E80


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a text."""

    start: int
    end: int


def is_long_enough(quote: str) -> bool:
    """Say whether a quote is more than a word that stands anywhere."""
    folded = "".join(character for character, _start, _end in _folded(quote))
    return sum(2 if ord(c) >= _FIRST_IDEOGRAPH else 1 for c in folded) >= MIN_WEIGHT


def locate(quote: str, text: str) -> Place | None:
    """Return where a quote stands in a text, by the text's own offsets."""
    wanted = "".join(character for character, _start, _end in _folded(quote))
    table = list(_folded(text))
    at = "".join(character for character, _start, _end in table).find(wanted)
    if not wanted or at < 0:
        return None
    return Place(table[at][1], table[at + len(wanted) - 1][2])


def _folded(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the characters that are compared, each with the stretch it stands for."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for character in unicodedata.normalize("NFKC", text[start:end]):
            if not character.isspace() and unicodedata.category(character) != "Cf":
                yield character, start, end
        start = end
