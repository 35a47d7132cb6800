"""Parses one quantity: a number, a limit, a range, the rest (`q.s.`) or a trace.

Values stay in the cell's own unit; `amounts` turns them into per cent.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dossier.core.spreadsheets import Cell
from dossier.products.formula_import.numbers import (
    NUMBER,
    DecimalMark,
    folded,
    parse_number,
    plain,
)
from dossier.products.formula_import.types import ZERO, Interval


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
    """A quantity as stated; `upper` is `None` where it has no upper bound.

    `fills_to` is the total that a rest is stated to reach (`q.s. to 100`);
    `is_adjuster`: as much as a property needs (`q.s. to pH 5.5`), which fills nothing.
    `nominal` is the value that is aimed at within a range.
    """

    kind: QuantityKind
    lower: Decimal = ZERO
    upper: Decimal | None = None
    unit: str | None = None
    fills_to: Decimal | None = None
    is_adjuster: bool = False
    nominal: Decimal | None = None

    @property
    def interval(self) -> Interval | None:
        """Return the bounds, or `None` for a rest or a trace."""
        return None if self.upper is None else Interval(self.lower, self.upper)


_BLANK: Final = frozenset({"", "-", "--", "/", "n/a", "na", "nil", "none", "無"})

_QS: Final = re.compile(
    r"(?<![a-z])q\.?\s*s\.?(\s*p\.?)?(?![a-z])|(?<![a-z])(?:c\.?s\.?p|q\.?b)(?![a-z])|quantum\s*s|適量|足量|適當量|적량|적당량"
    r"|as (?:needed|required)|視需要|按需"
)
_ADJUSTS: Final = re.compile(
    r"(?<![a-z])(?:q\.?\s*s\.?|to|until|adjust\w*|適量|調\w*|至|到)\W*(?:to|for|adjust\w*|調\w*|至|到)?"
    r"\W*ph(?![a-z])|ph\s*(?:adjust|調|조절)|ph[\s\d.,~-]*(?:q\.?\s*s|適量|적량)"
    r"|적량\W*ph|as (?:needed|required)|視需要|按需|adjust to"
)
_FILLS: Final = re.compile(
    r"(?<![a-z])(to|ad|auf|up to|(?:to )?make(?: up)?(?: to)?|add(?: to)?"
    r"|rest auf|[-=]*>|→"
    r"|q\.?\s*s\.?(?:\s*p\.?)?\s*(?:加?至|補?足至?|:)?)"
    r"\s*1(?:0{2,3})?(?:[.,]0+)?\s*(?:%|g|ml)?$"
    r"|^[\u4e00-\u9fff ]{0,8}[至到足]\s*1(?:0{2,3})?(?!\d)|餘量|剩餘|補足|其餘"
    r"|^100\s*(?:%|g)?\s*\(?q\.?\s*s\.?\)?$|残[量余り部]|(?<![a-z])(?:c\.?s\.?p\.?|q\.?b\.?)\s*(?:a\s*)?100|잔량|잔여량|잔부"
    r"|(?<![a-z])(bal(ance)?|remainder|remaining|rest(?:e|ant|o)?)(?![a-z])"
)
_TARGET: Final = re.compile(r"(?<![\d.,])(1(?:0{2,3})?)(?:[.,]0+)?(?![\d.,])")
_TRACE: Final = re.compile(r"(?<![a-z])traces?(?![a-z])|微量|痕量|미량")

_AT_MOST: Final = (
    r"(?:<=|=<|[≤≦<]|max(?:imum)?\.?|up to|nmt|not more than|less than|"
    r"不超過|不大於|小於|低於|至多|最多|最大)"
)
_AT_LEAST: Final = (
    r"(?:>=|=>|[≥≧>]|min(?:imum)?\.?|nlt|not less than|more than|at least|"
    r"不少於|不低於|大於|至少|最少)"
)
_ABOUT: Final = r"(?:~|≈|ca\.?|c\.|approx(?:imately)?\.?|about|circa|約)"
_UNIT: Final = (
    r"(?:%\s*\(?w/w\)?|%\s*w/v|%\s*v/v|%|‰|percent|pct|ppm|ppb|w/w|wt\s*%|"
    r"[mkμu]?g\s*/\s*(?:100\s*)?[mk]?g|(?!max|min|to\b|e[+-]?\d)[a-zμ]+(?:/[a-z]+)?)"
)

_ONE: Final = re.compile(
    rf"(?P<before>{_AT_MOST}|{_AT_LEAST}|{_ABOUT})?\s*(?P<number>{NUMBER})"
    rf"\s*(?P<unit>{_UNIT})?\s*(?P<after>以下|以內|以上|max\.?|min\.?|maximum|minimum)?"
)
_RANGE: Final = re.compile(
    rf"{_AT_LEAST}?\s*(?P<low>{NUMBER})\s*(?P<low_unit>{_UNIT})?\s*"
    rf"(?:-|~|to|至|到|\.\.\.)\s*{_AT_MOST}?\s*"
    rf"(?P<high>{NUMBER})\s*(?P<unit>{_UNIT})?"
)
_SPREAD: Final = re.compile(
    rf"(?P<middle>{NUMBER})\s*(?P<middle_unit>{_UNIT})?\s*(?:±|\+/-|\+-)"
    rf"\s*(?P<spread>{NUMBER})\s*(?P<unit>{_UNIT})?"
)
_FOOTNOTE_MARKS: Final = re.compile(r"\s*[*†‡§¶]+$")
_QS_FIGURES: Final = re.compile(r"\d")
_ERROR_VALUE: Final = re.compile(r"#(?:[a-z]+(?:/[a-z0])?[!?]?|div/0!)|err:\d+")
_DAY: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:t.*)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
)
_SEVERAL: Final = re.compile(
    rf"{NUMBER}\s*{_UNIT}?(?:\s*(?:[,;/&+|\n]|or|and|及|或|和|、)\s*{NUMBER}\s*{_UNIT}?)+"
    rf"|{NUMBER}(?:\s+{NUMBER})+"
)
_UPPER_WORD: Final = re.compile(rf"{_AT_MOST}|以下|以內")
_LOWER_WORD: Final = re.compile(rf"{_AT_LEAST}|以上")


def is_blank(text: str) -> bool:
    """Return whether a quantity cell is empty or marks a missing quantity."""
    return folded(text) in _BLANK


def is_error_value(text: str) -> bool:
    """Return whether a cell shows the error of a formula: `#REF!`, `Err:502`."""
    return _ERROR_VALUE.fullmatch(folded(text)) is not None


def states_quantity(cell: Cell) -> bool:
    """Return whether a cell holds a number or a quantity in words; no header does."""
    return cell.number is not None or parse_quantity(cell.text) is not None


@lru_cache(maxsize=4096)
def parse_quantity(text: str, mark: DecimalMark | None = None) -> Quantity | None:
    """Return the quantity that the text states, or `None` when it states none.

    `mark` is the decimal mark of the whole column, for texts such as `1,000`.
    """
    bare = _FOOTNOTE_MARKS.sub("", folded(text))
    return (
        _parse_spread(bare, mark)
        or _parse_range(bare, mark)
        or _parse_rest_or_trace(bare)
        or _parse_single_value(bare, mark)
    )


class Unreadable(StrEnum):
    """Why a text states no quantity; the words are in `formula_messages.json`."""

    ERROR_VALUE = "error-value"
    NO_RESULT = "no-result"
    DATE = "date"
    SEVERAL = "several-values"
    MARKS = "decimal-marks"
    OTHER = "other"


def why_unreadable(text: str) -> Unreadable:
    """Return the reason why `parse_quantity` refuses a text."""
    bare = _FOOTNOTE_MARKS.sub("", folded(text))
    if not bare:
        return Unreadable.NO_RESULT
    if _ERROR_VALUE.fullmatch(bare):
        return Unreadable.ERROR_VALUE
    if _DAY.fullmatch(bare):
        return Unreadable.DATE
    has_several_points = bare.count(".") > 1 and "," in bare
    is_bare = re.fullmatch(r"[\d.,]+", bare) and not has_several_points
    if is_bare and re.search(r"[.,]{2}|\..*,|,.*\.", bare):
        return Unreadable.MARKS
    if _SEVERAL.fullmatch(bare):
        return Unreadable.SEVERAL
    return Unreadable.OTHER


def _parse_spread(bare: str, mark: DecimalMark | None) -> Quantity | None:
    """Parse `5 ± 0.2` and `5 ± 4 %`; `5 % ± 4 %` may mean either and is refused."""
    match = _SPREAD.fullmatch(bare)
    if match is None:
        return None
    middle = parse_number(match["middle"], mark)
    spread = parse_number(match["spread"], mark)
    middle_unit = _without_spaces(match["middle_unit"])
    unit = _without_spaces(match["unit"])
    if middle is None or spread is None or unit == middle_unit == "%":
        return None
    if unit == "%":
        spread, unit = middle * spread / Decimal(100), middle_unit
    if spread > middle:
        return None
    return Quantity(
        kind=QuantityKind.RANGE,
        lower=middle - spread,
        upper=middle + spread,
        unit=unit or middle_unit,
    )


def _parse_range(bare: str, mark: DecimalMark | None) -> Quantity | None:
    if match := _RANGE.fullmatch(bare):
        low = parse_number(match["low"], mark)
        high = parse_number(match["high"], mark)
        if low is None or high is None or low > high:
            return None
        unit = _without_spaces(match["unit"] or match["low_unit"])
        return Quantity(kind=QuantityKind.RANGE, lower=low, upper=high, unit=unit)
    return None


def _parse_rest_or_trace(bare: str) -> Quantity | None:
    if _ADJUSTS.search(bare):
        return Quantity(kind=QuantityKind.REST, is_adjuster=True)
    if _FILLS.search(bare):
        target = _TARGET.search(bare)
        fills_to = Decimal(target[1]) if target else Decimal(100)
        return Quantity(kind=QuantityKind.REST, fills_to=fills_to)
    # With a figure that is no total (`q.s. 0.5`), a rest is not what is meant.
    if _QS.search(bare) and not _QS_FIGURES.search(bare):
        return Quantity(kind=QuantityKind.REST)
    if _TRACE.search(bare):
        return Quantity(kind=QuantityKind.TRACE)
    return None


def _parse_single_value(bare: str, mark: DecimalMark | None) -> Quantity | None:
    match = _ONE.fullmatch(bare)
    if match is None:
        return None
    value = parse_number(match["number"], mark)
    if value is None:
        return None
    limit_words = f"{match['before'] or ''} {match['after'] or ''}"
    unit = _without_spaces(match["unit"])
    # The lower limit is looked for first: "not less than" also holds "less than".
    if _LOWER_WORD.search(limit_words):
        return Quantity(kind=QuantityKind.AT_LEAST, lower=value, unit=unit)
    if _UPPER_WORD.search(limit_words):
        return at_most(value, unit=unit)
    return exact(value, unit=unit)


def _without_spaces(unit: str | None) -> str | None:
    return re.sub(r"\s+", "", unit) if unit else None


def exact(value: Decimal, *, unit: str | None = None) -> Quantity:
    """Return the quantity of one value."""
    return Quantity(kind=QuantityKind.EXACT, lower=value, upper=value, unit=unit)


def at_most(value: Decimal, *, unit: str | None = None) -> Quantity:
    """Return the quantity from 0 up to a value."""
    return Quantity(kind=QuantityKind.AT_MOST, upper=value, unit=unit)


def printed(quantity: Quantity, *, with_unit: bool = True) -> str:
    """Return the quantity as a formula sheet writes it."""
    low = f"{plain(quantity.lower):f}"
    high = f"{plain(quantity.upper or ZERO):f}"
    text = {
        QuantityKind.EXACT: low,
        QuantityKind.AT_MOST: f"≤ {high}",
        QuantityKind.AT_LEAST: f"≥ {low}",
        QuantityKind.RANGE: f"{low}\u2013{high}",
        QuantityKind.TRACE: "trace",
        QuantityKind.REST: "q.s.",
    }[quantity.kind]
    if quantity.fills_to:
        text += f" to {quantity.fills_to:f}"
    if quantity.nominal is not None:
        text = f"{plain(quantity.nominal):f} ({text})"
    return text + (quantity.unit or "") if with_unit else text
