"""Whether the numbers of a sentence stand in the passages that it cites."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dossier.core.patterns import pattern

_NAME = pattern(r"(?<![\d.-])(?:\d{2,7}-\d{2}-\d(?!\d)|\d+(?:\.\d+){2,})(?![\d-])")
"""CAS numbers, and what has more than one dot: compared as they are written."""
_NUMBER = pattern(r"(百分之\s*)?(\d+(?:[.,]\d+)*)(\s*(?:%|percent\b|per cent\b))?")
_THOUSANDS = pattern(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "兩": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_CHINESE = pattern("[〇零一二三四五六七八九兩十百千]+")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, and what it may mean."""

    written: str
    readings: tuple[tuple[Decimal, ...], ...]
    is_percent: bool


def unsupported_numbers(sentence: str, passages: Iterable[str]) -> list[str]:
    """Return the numbers of a sentence that stand in none of its passages."""
    said = unicodedata.normalize("NFKC", sentence)
    texts = [unicodedata.normalize("NFKC", each) for each in passages]
    missing = [
        name for name in _NAME.findall(said) if not any(name in each for each in texts)
    ]
    plain, percents = _values(texts)
    rest = _NAME.sub(" ", said)
    missing += [
        number.written
        for number in _numbers(rest)
        if not _is_known(number, percents if number.is_percent else plain)
    ]
    return missing


def _is_known(number: Number, known: set[Decimal]) -> bool:
    return any(known.issuperset(reading) for reading in number.readings)


def _values(texts: Iterable[str]) -> tuple[set[Decimal], set[Decimal]]:
    """Return all values that stand in the texts, and those that are percentages."""
    plain: set[Decimal] = set()
    percents: set[Decimal] = set()
    for text in texts:
        for number in _numbers(text):
            values = {value for reading in number.readings for value in reading}
            plain |= values
            percents |= values if number.is_percent else set()
        plain |= {Decimal(_chinese(each)) for each in _CHINESE.findall(text)}
    return plain, percents


def _numbers(text: str) -> list[Number]:
    return [
        Number(
            written=match.group().strip(),
            readings=tuple(_readings(match[2])),
            is_percent=bool(match[1] or match[3]),
        )
        for match in _NUMBER.finditer(text)
    ]


def _readings(digits: str) -> Iterable[tuple[Decimal, ...]]:
    """Read `1,200` as thousands, `0,5` as a decimal, and both as two numbers."""
    parts = digits.split(",")
    if _THOUSANDS.fullmatch(digits):
        yield (Decimal("".join(parts)),)
    elif len(parts) == 2 and "." not in digits:  # noqa: PLR2004 - two sides of a comma
        yield (Decimal(".".join(parts)),)
    if all(part.count(".") <= 1 for part in parts):
        yield tuple(Decimal(part) for part in parts)
    else:  # a run of dots and commas is no number, but its digits are
        yield tuple(Decimal(part) for part in re.split("[.,]", digits))


def _chinese(written: str) -> int:
    """Read `三十六`, `一百零五` or, digit by digit, `二〇二四`."""
    if not any(c in _POWERS for c in written):
        return int("".join(str(_DIGITS[c]) for c in written))
    total, digit = 0, 0
    for c in written:
        if c in _POWERS:
            total, digit = total + (digit or 1) * _POWERS[c], 0
        else:
            digit = _DIGITS[c]
    return total + digit
