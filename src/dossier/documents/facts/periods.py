"""Periods of time: what a record covers, and for how long a certificate is valid."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from dossier.documents.facts.dates import (
    FIRST_YEAR,
    LAST_YEAR,
    ROC_OFFSET,
    DateOrder,
    find_dates,
)
from dossier.documents.facts.folding import fold

_BETWEEN: Final = re.compile(
    fold(
        r"^\s*(?:起)?\s*(?:至|到|~|-|迄|to|until|through|till|and)\s*(?:西元|公元)?\s*$"
    )
)
_FROM: Final = re.compile(
    fold(r"(?:自|從|由|from|between|since|期間(?:為|是)?|period)\s*(?:of)?[:\s(]*$")
)
_YEAR: Final = re.compile(
    r"(?P<roc>民国\s*)?(?P<year>\d{2,4})\s*(?:年度|年全年|年整年)"
    r"|(?:calendar |financial )?year (?P<en>(?:19|20)\d\d)(?!\d)"
)
_COUNTS: Final = {
    **{c: n for n, c in enumerate("一二三四五六七八九十", start=1)},
    "两": 2, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
}  # fmt: skip
_COUNT: Final = (
    r"(?P<count>\d{1,2}|[一两二三四五六七八九十]|one|two|three|four|five|six)"
    r"(?: *\(\d{1,2}\))?"
)
_LENGTH: Final = rf"{_COUNT} *(?:-|个)? *(?P<unit>年|月|years?|yrs?|months?)"
_ISSUE: Final = (
    r"(?:发证|核发|签发|发布|核定|出具|登录|签署|声明|发行)(?:之)?(?:日期|日)"
    r"|(?:the |its )?(?:date of )?(?:this |the )?(?:issue|issuance|signature|signing"
    r"|certification|certificate|notification|registration)(?: date)?"
)
_DURATIONS: Final = (
    re.compile(
        rf"自(?:本(?:证书|证明书|声明书))?(?:{_ISSUE})(?:起算?)?,? *"
        rf"(?:有效(?:期[限间]?)?为?)? *{_LENGTH}内?(?:有效|为限|止)?"
    ),
    re.compile(rf"有效期[限间]?[为:]? *(?:自(?:{_ISSUE})起算?)? *{_LENGTH}"),
    re.compile(
        r"(?:valid|validity|expires?)(?: for| after| is)?(?: a)?(?: period of)? *:? *"
        rf"{_LENGTH}(?: (?:from|after|following|as of|since) (?:{_ISSUE}))?"
        r"(?![a-z]| *(?:from|after))"
    ),
)


@dataclass(frozen=True, slots=True)
class Period:
    """The first and last day of a period, and its words as printed."""

    first: date
    last: date
    raw: str


def covered_periods(text: str, order: DateOrder | None) -> list[Period]:
    """Return the periods that a text names: two dates, two months or a whole year."""
    folded = fold(text)
    readings = find_dates(text, order)
    found = []
    for start, end in pairwise(readings):
        first, last = start.month or start.value, end.last_day
        before = folded[: start.start]
        if (
            first is not None
            and last is not None
            and first <= last
            and _BETWEEN.match(folded[start.end : end.start])
            and (not before.strip() or _FROM.search(before[-30:]))
        ):
            found.append(Period(first, last, text[start.start : end.end].strip()))
    for match in _YEAR.finditer(folded):
        year = int(match["year"] or match["en"])
        year += ROC_OFFSET if match["roc"] or year < FIRST_YEAR else 0
        if FIRST_YEAR <= year <= LAST_YEAR:
            raw = text[match.start() : match.end()].strip()
            found.append(Period(date(year, 1, 1), date(year, 12, 31), raw))
    return found


def durations(text: str) -> Iterator[tuple[int, str]]:
    """Yield the months for which a document says it is valid, counted from its date."""
    folded = fold(text)
    for pattern in _DURATIONS:
        for match in pattern.finditer(folded):
            count = _COUNTS.get(match["count"]) or int(match["count"])
            months = count * (12 if match["unit"][0] in "年y" else 1)
            yield months, text[match.start() : match.end()].strip()


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
