"""Dates as documents print them, read only where one reading is possible.

Known forms: ISO, year first with any separator, ROC years (民國114年5月30日,
114.05.30), Chinese numerals, English month names, eight or seven digits. `03/04/2026`
is read only where the document proves its order: by a stated form (DD/MM/YYYY) or by
another date that has one order only. A year of two digits is no date; a month without
a day is one only where it ends or begins a period. Libraries (dateparser, dateutil)
were refused: they complete and guess.
"""

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from dossier.documents.facts.folding import fold

FIRST_YEAR: Final = 1950
LAST_YEAR: Final = 2100
ROC_OFFSET: Final = 1911
_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ZH: Final = "〇零○o0一二三四五六七八九十百元"
_ERA: Final = r"(?:中\s*华\s*民\s*国|民国|r\.?o\.?c\.?)\s*"
_YMD: Final = r"\s*(?:[-/.]|年)\s*(\d{1,2})\s*(?:[-/.]|月)\s*(\d{1,2})(?:\s*[日号])?"
_FORMS: Final = (
    ("foreign", rf"(?:令和|平成|昭和|佛历)\s*[\d{_ZH}]+年\s*\d*月?\s*\d*日?"),
    ("roc", rf"{_ERA}(\d{{1,3}}){_YMD}"),
    ("roc_zh", rf"{_ERA}([{_ZH}]+)年\s*([{_ZH}]+)月\s*([{_ZH}]+)日"),
    ("western_zh", rf"([{_ZH}]{{4}})年\s*([{_ZH}]{{1,3}})月\s*([{_ZH}]{{1,3}})日"),
    ("western", rf"(\d{{4}}){_YMD}"),
    ("roc", rf"(1\d\d){_YMD}"),
    (
        "dmy",
        rf"(\d{{1,2}})(?:st|nd|rd|th)?[\s.,/-]*(?:day\s+)?(?:of\s+)?({_MONTH})[\s.,/-]*(\d{{4}})",
    ),
    ("mdy", rf"({_MONTH})[.\s-]*(\d{{1,2}})(?:st|nd|rd|th)?[\s,-]+(\d{{4}})"),
    ("western", rf"(\d{{4}})[\s./-]*({_MONTH})[\s.,/-]*(\d{{1,2}})(?:st|nd|rd|th)?"),
    ("numeric", r"(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4})"),
    ("western", r"((?:19|20)\d\d)(\d\d)(\d\d)"),
    ("roc", r"(1\d\d)(\d\d)(\d\d)"),
    ("month_first", rf"({_MONTH})[\s.,'/-]*(\d{{4}})"),
    ("partial", rf"(?:\d{{1,2}}[\s-])?{_MONTH}[\s.,'-]*\d{{2}}"),
    ("partial", r"\d{1,2}[-/.]\d{1,2}[-/.]\d{1,2}"),
    ("roc_month", rf"{_ERA}(\d{{1,3}})\s*[-/.年]\s*(\d{{1,2}})\s*月?"),
    ("roc_month", r"(1\d\d)\s*年\s*(\d{1,2})\s*月"),
    ("month", r"((?:19|20)\d\d)\s*[-/.年]\s*(\d{1,2})\s*月?"),
    ("partial", r"\d{2,4}\s*[-/.年]\s*\d{1,2}\s*月?"),
    ("month_first", r"(\d{1,2})[-/.]((?:19|20)\d\d)"),
    ("partial", r"\d{1,2}[-/.]\d{4}"),
)
_DATES: Final = tuple(
    (form, re.compile(rf"(?<![0-9a-z])(?<!\d[./-]){pattern}(?![0-9a-z])(?![./-]\d)"))
    for form, pattern in _FORMS
)
_STATED_ORDER: Final = re.compile(r"(dd|mm)\s?[-/.]\s?(dd|mm)\s?[-/.]\s?yyyy")
_TIME: Final = re.compile(r"(?<=\d)t(?=\d\d:\d\d)")


class DateOrder(StrEnum):
    """Order of day and month before the year."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


@dataclass(frozen=True, slots=True)
class DateReading:
    """A date at a place of a text; `value` is `None` where it is not certain.

    `month` is the first day of a month that is stated without a day.
    """

    value: date | None
    start: int
    end: int
    is_proved_elsewhere: bool = False
    month: date | None = None

    @property
    def last_day(self) -> date | None:
        """Return the date, or the last day of a month: until when something lasts."""
        if self.month is None:
            return self.value
        days = calendar.monthrange(self.month.year, self.month.month)[1]
        return self.month.replace(day=days)


def find_dates(text: str, order: DateOrder | None = None) -> list[DateReading]:
    """Return the dates of a text in order; `order` is what the document proves."""
    folded = _TIME.sub(" ", fold(text))
    own = stated_order(folded)
    found: list[DateReading] = []
    for form, pattern in _DATES:
        for match in pattern.finditer(folded):
            if any(match.start() < d.end and d.start < match.end() for d in found):
                continue
            by_order = form == "numeric" and numeric_order(match) is None
            found.append(
                DateReading(
                    _value(form, match, own or order),
                    match.start(),
                    match.end(),
                    by_order and not own,
                    _month(form, match),
                )
            )
    return sorted(found, key=lambda reading: reading.start)


def proved_order(texts: Iterable[str]) -> DateOrder | None:
    """Return the order of day and month that a whole document proves."""
    orders = set()
    numeric = next(pattern for form, pattern in _DATES if form == "numeric")
    for text in texts:
        folded = fold(text)
        orders.add(stated_order(folded))
        orders.update(numeric_order(match) for match in numeric.finditer(folded))
    proved = orders - {None}
    return proved.pop() if len(proved) == 1 else None


def stated_order(folded: str) -> DateOrder | None:
    """Return the order that a stated form names: DD/MM/YYYY."""
    orders = {match[1] for match in _STATED_ORDER.finditer(folded)}
    if len(orders) != 1:
        return None
    return DateOrder.DAY_FIRST if orders == {"dd"} else DateOrder.MONTH_FIRST


def numeric_order(match: re.Match[str]) -> DateOrder | None:
    """Return the only possible order of a numeric date, if there is only one."""
    first, second = int(match[1]), int(match[3])
    if first > len(_MONTHS) >= second:
        return DateOrder.DAY_FIRST
    if second > len(_MONTHS) >= first:
        return DateOrder.MONTH_FIRST
    return None


def _value(form: str, match: re.Match[str], order: DateOrder | None) -> date | None:
    if form in {"foreign", "partial"} or "month" in form:
        return None
    parts = match.groups()
    if form == "numeric":
        first, _, second, year = parts
        is_same = int(first) == int(second)  # the order makes no difference
        order = DateOrder.DAY_FIRST if is_same else numeric_order(match) or order
        if order is None:
            return None
        is_day_first = order is DateOrder.DAY_FIRST
        month, day = (second, first) if is_day_first else (first, second)
    else:
        year, month, day = {
            "dmy": (parts[2], parts[1], parts[0]),
            "mdy": (parts[2], parts[0], parts[1]),
        }.get(form, parts)
    offset = ROC_OFFSET if form.startswith("roc") else 0
    return _date(_number(year) + offset, _number(month), _number(day))


def _month(form: str, match: re.Match[str]) -> date | None:
    if "month" not in form:
        return None
    first, second = match.groups()
    year, month = (second, first) if form == "month_first" else (first, second)
    offset = ROC_OFFSET if form == "roc_month" else 0
    return _date(_number(year) + offset, _number(month), 1)


def _date(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(text: str) -> int:
    """Return a number in digits, as a month's name or in Chinese numerals."""
    if text.isascii() and text.isdigit():
        return int(text)
    if text[:3] in _MONTHS:
        return _MONTHS.index(text[:3]) + 1
    return _chinese_number(text)


def _chinese_number(text: str) -> int:
    if text == "元":
        return 1
    digits = {c: n for n, c in enumerate("〇一二三四五六七八九")}
    digits |= dict.fromkeys("零○o0", 0)
    if not set(text) & set("十百"):
        return int("".join(str(digits.get(character, 0)) for character in text))
    total = current = 0
    for character in text:
        if character in "十百":
            total += (current or 1) * (10 if character == "十" else 100)
            current = 0
        else:
            current = digits.get(character, 0)
    return total + current
