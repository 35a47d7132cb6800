"""A number in a text, whichever way it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

GAP = ";"
"""Stands where a number was: neither a blank nor part of another one."""
Readings = tuple[tuple[Decimal, ...], ...]
"""Each tells the values that it takes to say the same."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, and what it may mean."""

    written: str
    start: int
    end: int
    readings: Readings
    is_percent: bool = False
    is_quantity: bool = True
    """Not what is only a word with a number in it: `unique`, `the first`."""


def share_of(part: Decimal, whole: Decimal) -> Readings:
    """Return the readings of a fraction: as it is written, or as one value."""
    return ((part, whole), (part / whole,)) if whole else ((part, whole),)


def blanked(text: str, numbers: Sequence[Number]) -> str:
    """Return a text without these numbers."""
    for number in sorted(numbers, key=lambda each: each.start, reverse=True):
        text = f"{text[: number.start]}{GAP}{text[number.end :]}"
    return text
