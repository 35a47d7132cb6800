"""What a quantity cell says: a number, a limit, a range, the rest, a trace, nothing.

Values stay in the cell's own unit; `units` turns them into per cent.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dossier.products.rules.folding import folded
from dossier.products.rules.intervals import ZERO, Interval
from dossier.products.rules.numbers import DecimalMark, parse_number, plain


class QuantityKind(StrEnum):
    """The ways in which a formula states a quantity."""

    EXACT = "exact"
    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    RANGE = "range"
    REST = "rest"
    TRACE = "trace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A quantity as stated; `upper` is `None` where nothing bounds it.

    `fills_to` is the total that a filler is said to reach (`q.s. to 100`).
    """

    kind: QuantityKind
    lower: Decimal = ZERO
    upper: Decimal | None = None
    unit: str | None = None
    fills_to: Decimal | None = None
    is_approximate: bool = False

    @property
    def interval(self) -> Interval | None:
        """Return the bounds, or `None` for a rest or a trace."""
        return None if self.upper is None else Interval(self.lower, self.upper)


_BLANK: Final = frozenset({"", "-", "--", "/", "n/a", "na", "nil", "none", "無"})

_QS: Final = re.compile(
    r"(?<![a-z])q\.?\s*s\.?(\s*p\.?)?(?![a-z])|quantum\s*s|適量|足量|適當量"
)
_FILLS: Final = re.compile(
    r"(?<![a-z])(to|ad|up to|make up to|add to|q\.?\s*s\.?(?:\s*p\.?)?)"
    r"\s*1(?:0{2,3})?(?:[.,]0+)?\s*(?:%|g|ml)?$"
    r"|^(加|補|補足|定量)?(至|到)\s*1(?:0{2,3})?(?!\d)|餘量|余量|剩餘|补足|補足|其餘"
    r"|(?<![a-z])(bal(ance)?|remainder|remaining|rest)(?![a-z])"
)
_TARGET: Final = re.compile(r"(?<![\d.,])(1(?:0{2,3})?)(?:[.,]0+)?(?![\d.,])")
_TRACE: Final = re.compile(r"(?<![a-z])traces?(?![a-z])|微量|痕量")

_AT_MOST: Final = (
    r"(?:<=|=<|[≤≦<]|max(?:imum)?\.?|up to|nmt|not more than|less than|"
    r"不超過|不大於|小於|低於|至多|最多|最大)"
)
_AT_LEAST: Final = (
    r"(?:>=|=>|[≥≧>]|min(?:imum)?\.?|nlt|not less than|more than|at least|"
    r"不少於|不低於|大於|至少|最少)"
)
_ABOUT: Final = r"(?:~|≈|ca\.?|c\.|approx(?:imately)?\.?|about|circa|約)"
_NUMBER: Final = r"\d[\d.,' ]*(?:e[+-]?\d+)?"
_UNIT: Final = (
    r"(?:%\s*\(?w/w\)?|%\s*w/v|%\s*v/v|%|‰|percent|pct|ppm|ppb|w/w|wt\s*%|"
    r"[mkμu]?g\s*/\s*(?:100\s*)?[mk]?g|(?!max|min|to\b|e[+-]?\d)[a-zμ]+(?:/[a-z]+)?)"
)

_ONE: Final = re.compile(
    rf"(?P<before>{_AT_MOST}|{_AT_LEAST}|{_ABOUT})?\s*(?P<number>{_NUMBER})"
    rf"\s*(?P<unit>{_UNIT})?\s*(?P<after>以下|以內|以上|max\.?|min\.?|maximum|minimum)?"
)
_RANGE: Final = re.compile(
    rf"{_AT_LEAST}?\s*(?P<low>{_NUMBER})\s*(?P<low_unit>{_UNIT})?\s*"
    rf"(?:-|~|to|至|到|\.\.+)\s*{_AT_MOST}?\s*"
    rf"(?P<high>{_NUMBER})\s*(?P<unit>{_UNIT})?"
)
_SPREAD: Final = re.compile(
    rf"(?P<middle>{_NUMBER})\s*%?\s*(?:±|\+/-|\+-)\s*(?P<spread>{_NUMBER})"
    rf"\s*(?P<unit>{_UNIT})?"
)
_UPPER_WORD: Final = re.compile(rf"{_AT_MOST}|以下|以內")
_LOWER_WORD: Final = re.compile(rf"{_AT_LEAST}|以上")
_ABOUT_WORD: Final = re.compile(_ABOUT)


def is_blank(text: str) -> bool:
    """Return whether a quantity cell says that nothing is stated."""
    return folded(text) in _BLANK


@lru_cache(maxsize=4096)
def parse_quantity(text: str, mark: DecimalMark | None = None) -> Quantity | None:
    """Return what the text states, or `None` when it states no quantity.

    `mark` is the decimal mark of the whole column, for `1,000` and its kind.
    """
    bare = folded(text)
    return _between(bare, mark) or _word(bare) or _alone(bare, mark)


def _word(bare: str) -> Quantity | None:
    if _FILLS.search(bare) or _QS.search(bare):
        return Quantity(kind=QuantityKind.REST, fills_to=_fill_target(bare))
    if _TRACE.search(bare):
        return Quantity(kind=QuantityKind.TRACE)
    return None


def _fill_target(bare: str) -> Decimal | None:
    if not _FILLS.search(bare):
        return None
    target = _TARGET.search(bare)
    return Decimal(target[1]) if target else Decimal(100)


def _between(bare: str, mark: DecimalMark | None) -> Quantity | None:
    if match := _SPREAD.fullmatch(bare):
        return _spread(match, mark)
    match = _RANGE.fullmatch(bare)
    return _range(match, mark) if match else None


def _alone(bare: str, mark: DecimalMark | None) -> Quantity | None:
    match = _ONE.fullmatch(bare)
    return _one(match, mark) if match else None


def _one(match: re.Match[str], mark: DecimalMark | None) -> Quantity | None:
    value = parse_number(match["number"], mark)
    if value is None:
        return None
    sign = f"{match['before'] or ''} {match['after'] or ''}"
    return replace(_signed(sign, value), unit=_unit(match["unit"]))


def _signed(sign: str, value: Decimal) -> Quantity:
    # The lower words come first: "not less than" also holds "less than".
    if _LOWER_WORD.search(sign):
        return Quantity(kind=QuantityKind.AT_LEAST, lower=value)
    if _UPPER_WORD.search(sign):
        return Quantity(kind=QuantityKind.AT_MOST, upper=value)
    about = _ABOUT_WORD.search(sign) is not None
    return exact(value, is_approximate=about)


def exact(
    value: Decimal, *, unit: str | None = None, is_approximate: bool = False
) -> Quantity:
    """Return the quantity of one value."""
    return Quantity(
        kind=QuantityKind.EXACT,
        lower=value,
        upper=value,
        unit=unit,
        is_approximate=is_approximate,
    )


def at_most(value: Decimal, *, unit: str | None = None) -> Quantity:
    """Return the quantity from nothing up to a value."""
    return Quantity(kind=QuantityKind.AT_MOST, upper=value, unit=unit)


def _range(match: re.Match[str], mark: DecimalMark | None) -> Quantity | None:
    low, high = parse_number(match["low"], mark), parse_number(match["high"], mark)
    if low is None or high is None or low > high:
        return None
    unit = _unit(match["unit"] or match["low_unit"])
    return Quantity(kind=QuantityKind.RANGE, lower=low, upper=high, unit=unit)


def _spread(match: re.Match[str], mark: DecimalMark | None) -> Quantity | None:
    middle = parse_number(match["middle"], mark)
    spread = parse_number(match["spread"], mark)
    if middle is None or spread is None or spread > middle:
        return None
    return Quantity(
        kind=QuantityKind.RANGE,
        lower=middle - spread,
        upper=middle + spread,
        unit=_unit(match["unit"]),
    )


def _unit(raw: str | None) -> str | None:
    return re.sub(r"\s+", "", raw) if raw else None


def printed(quantity: Quantity, *, with_unit: bool = True) -> str:
    """Return the quantity as a formula sheet writes it."""
    low, high = (
        f"{plain(each):f}" for each in (quantity.lower, quantity.upper or ZERO)
    )
    texts = {
        QuantityKind.EXACT: low,
        QuantityKind.AT_MOST: f"≤ {high}",
        QuantityKind.AT_LEAST: f"≥ {low}",
        QuantityKind.RANGE: f"{low}\u2013{high}",
        QuantityKind.TRACE: "trace",
        QuantityKind.REST: "q.s.",
    }
    filled = _filled(texts[quantity.kind], quantity)
    return filled + (quantity.unit or "") if with_unit else filled


def _filled(text: str, quantity: Quantity) -> str:
    return f"{text} to {quantity.fills_to:f}" if quantity.fills_to else text
