"""Text and numbers as people type them, folded to one spelling.

Widths, dashes and tildes; decimal points or commas; grouped thousands.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

# Hyphens, en and em dash, horizontal bar, minus sign, small and full-width hyphen.
_DASHES: Final = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"), "-"
)
# Full-width tilde, wave dash, tilde operator, small tilde.
_TILDES: Final = dict.fromkeys(map(ord, "\uff5e\u301c\u223c\u02dc"), "~")

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


class DecimalMark(StrEnum):
    """The character between the whole and the fraction."""

    POINT = "."
    COMMA = ","


def half_width(text: str) -> str:
    """Return the text with full-width letters and digits narrowed, and one dash."""
    # Dashes and tildes go first: NFKC would turn the small tilde into a space.
    return unicodedata.normalize("NFKC", text.translate(_DASHES | _TILDES))


def folded(text: str) -> str:
    """Return the text for comparing: half width, lower case, single spaces."""
    return " ".join(half_width(text).lower().split())


def parse_number(text: str, mark: DecimalMark | None = None) -> Decimal | None:
    """Return the value, or `None` when the text is no number.

    `1,000` is one thousand only where `mark` says that the column writes points: a
    share is rarely a thousand and often given with three decimals.
    """
    spaced = re.sub(r"['\u00a0\u202f]", " ", text).strip()
    bare = _LOOSE_SPACE.sub("", spaced)
    if len(bare) > _MAX_DIGITS:
        return None
    if "," in bare:
        bare = _with_decimal_point(bare, mark)
    elif bare.count(".") > 1 and _GROUPED_BY_POINT.fullmatch(bare):
        bare = bare.replace(".", "")
    return Decimal(bare) if _PLAIN.fullmatch(bare) else None


def _with_decimal_point(text: str, mark: DecimalMark | None) -> str:
    """Drop commas that group thousands, or replace the comma that is the mark."""
    has_one_comma_only = "." not in text and text.count(",") == 1
    is_ambiguous = has_one_comma_only and mark is not DecimalMark.POINT
    if _GROUPED_BY_COMMA.fullmatch(text) and not is_ambiguous:
        return text.replace(",", "")
    return text.replace(".", "").replace(",", ".")


def column_mark(texts: Iterable[str]) -> DecimalMark | None:
    """Return the decimal mark that the unambiguous numbers agree on, if they do."""
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
