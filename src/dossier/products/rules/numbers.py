"""Numbers as people write them: decimal points or commas, grouped thousands."""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final


class DecimalMark(StrEnum):
    """What stands between the whole and the fraction."""

    POINT = "."
    COMMA = ","


_PLAIN: Final = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_GROUPED_BY_COMMA: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_POINT: Final = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_CLEAR_COMMA: Final = re.compile(
    r"(?<![\d.,])\d+,(?:\d{1,2}|\d{4,})(?![\d.,])|\d\.\d{3},\d"
)
_CLEAR_POINT: Final = re.compile(r"(?<![\d.,])\d+\.\d+(?![\d,])")
# A space groups thousands or stands beside the mark; "90 10" is two numbers.
_LOOSE_SPACE: Final = re.compile(r"(?<=\d) (?=\d{3}(?!\d))| ?(?=[.,])|(?<=[.,]) ")
_MAX_DIGITS: Final = 30


def parse_number(text: str, mark: DecimalMark | None = None) -> Decimal | None:
    """Return the value, or `None` when it is no number.

    `1,000` is one thousand only where `mark` says that the column writes points: a
    share is rarely a thousand and often given with three decimals.
    """
    spaced = re.sub(r"['\u00a0\u202f]", " ", text).strip()
    bare = _LOOSE_SPACE.sub("", spaced)
    if len(bare) > _MAX_DIGITS:
        return None
    if "," in bare:
        bare = _without_commas(bare, mark)
    elif bare.count(".") > 1 and _GROUPED_BY_POINT.fullmatch(bare):
        bare = bare.replace(".", "")
    return Decimal(bare) if _PLAIN.fullmatch(bare) else None


def _without_commas(text: str, mark: DecimalMark | None) -> str:
    if _is_grouped(text, mark):
        return text.replace(",", "")
    return text.replace(".", "").replace(",", ".")


def _is_grouped(text: str, mark: DecimalMark | None) -> bool:
    if not _GROUPED_BY_COMMA.fullmatch(text):
        return False
    return "." in text or text.count(",") > 1 or mark is DecimalMark.POINT


def column_mark(texts: Iterable[str]) -> DecimalMark | None:
    """Return the decimal mark that the column's clear cases use, if they agree."""
    every = list(texts)
    commas = any(_CLEAR_COMMA.search(text) for text in every)
    points = any(_CLEAR_POINT.search(text) for text in every)
    if commas == points:
        return None
    return DecimalMark.COMMA if commas else DecimalMark.POINT


def plain(value: Decimal) -> Decimal:
    """Return the value without exponent and without zeros after its last digit."""
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Decimal(digits)
