"""Whether the numbers of a sentence stand in the passages that it cites."""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from dossier.chat.rules.chinese_numerals import (
    CHINESE_SCALES,
    MYRIADS,
    POWERS,
    UNITS,
    chinese_numbers,
    in_everyday_numerals,
)
from dossier.chat.rules.english_numerals import ENGLISH_SCALES, english_numbers
from dossier.chat.types import Number

GAP = ";"
"""Stands where a number was: neither a blank nor part of another one."""
_NAME = re.compile(r"(?<![\d.-])(?:\d{2,7}-\d{2}-\d(?!\d)|\d+(?:\.\d+){2,})(?![\d-])")
"""CAS numbers, and what has more than one dot: compared as they are written."""
_SCALES = "|".join(
    (
        rf"(?:{'|'.join(ENGLISH_SCALES)})(?![a-z])",
        rf"[{''.join(POWERS)}](?!{UNITS})",
        rf"[{MYRIADS}](?!分之)",
    )
)
_RUN = rf"(?:\s*(?:{_SCALES})){{1,4}}"
"""`百萬`, `hundred thousand`: all of them count."""
_PART = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_NUMBER = re.compile(
    r"(百分之\s*)?(\d+(?:[.,]\d+)*)"
    rf"({_RUN}(?:\s*{_PART}{_RUN}){{0,6}})?"
    r"(\s*(?:%|per ?cent(?![a-z])))?",
    re.IGNORECASE,
)
_TOKEN = re.compile(rf"(?P<part>{_PART})|{_SCALES}", re.IGNORECASE)
_APART = re.compile(r"(?<=\D)\s+(?=\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_HALVES = re.compile(r"(?<![\d.,-])(\d*)½")
_EMPHASIS = re.compile(r"(?<=\d)[*_`\\]+(?=\d)")
"""Marks that a renderer takes away: what stands beside them is one number then."""
_STRUCK = re.compile(
    r"(?<![~\\])(?:~~(?![\s~])(.{1,200}?)(?<![\s~])~~|~(\d+(?:\.\d+)?)~)(?!~)"
)
"""Tildes are such marks in pairs; a single one means a range: `5~8`."""
_SCALE_OF = ENGLISH_SCALES | CHINESE_SCALES
_WHOLES = {"‰": Decimal(1000), "ppm": Decimal(10**6)}


def unsupported_numbers(sentence: str, passages: Iterable[str]) -> list[str]:
    """Return the numbers of a sentence that stand in none of its passages."""
    rendered, known = _rendered(sentence), [_numbers_of(each) for each in passages]
    plain = {value for each in known for value in each.plain}
    percents = {value for each in known for value in each.percents}
    names = _NAME.findall(rendered)
    return [
        *(name for name in names if not any(name in each.text for each in known)),
        *(
            number.written
            for number in _quantities(rendered)
            if not any(
                (percents if number.is_percent else plain).issuperset(reading)
                for reading in number.readings
            )
        ),
    ]


@dataclass(frozen=True, slots=True)
class _PassageNumbers:
    """The numbers of a passage."""

    text: str
    plain: frozenset[Decimal]
    percents: frozenset[Decimal]
    """Of these, those that are percentages."""


@lru_cache(maxsize=64)
def _numbers_of(passage: str) -> _PassageNumbers:
    """Return all values of a passage; the claims of one answer ask for the same."""
    plain: set[Decimal] = set()
    percents: set[Decimal] = set()
    texts = {unicodedata.normalize("NFKC", passage), _rendered(passage)}
    for text in texts:
        plain |= {whole for name, whole in _WHOLES.items() if name in text}
        for number in (*_in_digits(text), *_in_words(text), *_quantities(text)):
            values = {value for reading in number.readings for value in reading}
            plain |= values
            percents |= values if number.is_percent else set()
    return _PassageNumbers("\n".join(texts), frozenset(plain), frozenset(percents))


def _rendered(text: str) -> str:
    """Return a text as a reader sees it once it is rendered."""
    halves = _HALVES.sub(lambda found: f"{found[1] or 0}.5", html.unescape(text))
    bare = _STRUCK.sub(lambda found: found[1] or found[2], halves)
    return in_everyday_numerals(_EMPHASIS.sub("", unicodedata.normalize("NFKC", bare)))


def _quantities(text: str) -> list[Number]:
    """Return the quantities of a sentence, none of them twice."""
    text = _NAME.sub(GAP, text)
    worded = [each for each in _in_words(text) if each.is_quantity]
    for number in sorted(worded, key=lambda each: each.start, reverse=True):
        text = f"{text[: number.start]}{GAP}{text[number.end :]}"
    return [*worded, *_in_digits(text)]


def _in_words(text: str) -> Iterator[Number]:
    yield from chinese_numbers(text)
    yield from english_numbers(text)


def _in_digits(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        yield Number(
            match.group().strip(),
            match.start(),
            match.end(),
            tuple(_scaled(match[2], match[3])),
            is_percent=bool(match[1] or match[4]),
        )


def _scaled(digits: str, scales: str | None) -> Iterable[tuple[Decimal, ...]]:
    """Read `3萬`, `2 dozen` and `3億5千萬` as what they come to.

    `1,200` may be thousands, `0,5` a decimal, and both two numbers.
    """
    parts = digits.split(",")
    heads: list[tuple[Decimal, ...]] = []
    if _THOUSANDS.fullmatch(digits):
        heads.append((Decimal("".join(parts)),))
    elif len(parts) == 2 and "." not in digits:  # noqa: PLR2004 - two sides of a comma
        heads.append((Decimal(".".join(parts)),))
    if any(part.count(".") > 1 for part in parts):
        # A run of dots and commas is no number, but its digits are.
        parts = re.split("[.,]", digits)
    heads.append(tuple(map(Decimal, parts)))
    yield from (tuple(_total(head, scales or "") for head in each) for each in heads)
    first, *others = _APART.split(scales or "")
    if others:  # `3萬 5千` may be two numbers as well
        apart = tuple(_total(Decimal(0), each) for each in others)
        yield from ((*(_total(head, first) for head in each), *apart) for each in heads)


def _total(head: Decimal, scales: str) -> Decimal:
    """Let each scale multiply what it follows, and all before that is smaller."""
    addends = [head]
    for token in _TOKEN.finditer(scales):
        if token["part"]:
            addends.append(Decimal(token["part"].replace(",", "")))
            continue
        scale, below = _SCALE_OF[token.group().lower()], addends.pop()
        while addends and addends[-1] < scale:
            below += addends.pop()
        addends.append(below * scale)
    return sum(addends, Decimal(0))
