"""CAS and EC numbers: found in free text, normalised, check digits verified."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from dossier.products.formula_import.numbers import DASHES, half_width

_SPACED_DASH: Final = re.compile(r"(?<=\d)\s*-\s*(?=\d)")
_CAS: Final = re.compile(r"(?<![\d-])0*([1-9]\d{1,6})-(\d{2})-(\d)(?![\d-])")
_CAS_BARE: Final = re.compile(r"0*([1-9]\d{1,6})(\d{2})(\d)")
_LABELLED_CAS: Final = re.compile(
    r"[(\[（【]?\s*(?:\bcas\b[\s:.#]*(?:rn|nos?|nr|number)?[\s:.#]*)?"
    rf"{_CAS.pattern}\s*[)\]）】]?",
    re.IGNORECASE,
)
_EC: Final = re.compile(r"(?<![\d-])(\d{3})-(\d{3})-(\d)(?![\d-])")
_DAY: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{2}:\d{2}.*)?")
_DAY_LAST_YEAR: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_LAST_SERIAL: Final = 2_958_465  # 31 December 9999
_LAST_CHECK_DIGIT: Final = 9
_SHORT_YEARS: Final = (1930, 2029)
"""Years that programs make of two digits."""
_EC_MODULUS: Final = 11
_CAS_MODULUS: Final = 10
_MISSING: Final = frozenset(
    {"", "-", "/", "n/a", "na", "none", "nil", "無", "not available", "n.a.", "—"}
)


def folded_identifier(text: str) -> str:
    """Return the text half width, every dash a hyphen, no space around hyphens."""
    return _SPACED_DASH.sub("-", half_width(text)).strip()


def is_missing(text: str) -> bool:
    """Return whether the cell marks a missing number: `-`, `n/a`, `none`."""
    return folded_identifier(text).lower() in _MISSING


def find_cas(text: str) -> list[str]:
    """Return every CAS number in the text, in order, check digits unverified."""
    folded = folded_identifier(text)
    found = ["-".join(match.groups()) for match in _CAS.finditer(folded)]
    if found:
        return found
    bare = _CAS_BARE.fullmatch(folded)
    candidate = "-".join(bare.groups()) if bare else ""
    # Digits without hyphens are a CAS number only with a right check digit.
    return [candidate] if candidate and is_cas(candidate) else []


@dataclass(frozen=True, slots=True)
class CasReading:
    """The CAS numbers of a cell; `turned_into` is a date that a program made of one."""

    numbers: list[str]
    turned_into: str | None = None


def read_cas(text: str) -> CasReading:
    """Return the CAS numbers of a cell, also one that became a date or its serial.

    Programs turn 9003-01-4 into 4 January 9003. The number is restored where exactly
    one reading of the date has a right check digit.
    """
    numbers = find_cas(text)
    bare = half_width(text).strip()
    day = _day_of(bare)
    if numbers or day is None:
        return CasReading(numbers)
    shown = bare.split("T")[0].split(" ")[0]
    return CasReading(
        sorted(_cas_of_day(day)) if len(_cas_of_day(day)) == 1 else [], shown
    )


def _day_of(text: str) -> tuple[int, int, int] | None:
    """Return the numbers of a date: year first or last, or a spreadsheet's serial."""
    if match := _DAY.fullmatch(text):
        year, month, day = map(int, match.groups())
        return year, month, day
    if match := _DAY_LAST_YEAR.fullmatch(text):
        first, second, year = map(int, match.groups())
        return year, first, second
    if text.isascii() and text.isdigit() and int(text) <= _LAST_SERIAL:
        found = date(1899, 12, 30) + timedelta(days=int(text))
        # Dates before this century are mostly plain numbers, not serials.
        is_cas_like = found.day <= _LAST_CHECK_DIGIT and _cas_of_day(
            (found.year, found.month, found.day)
        )
        return (found.year, found.month, found.day) if is_cas_like else None
    return None


def _cas_of_day(numbers: tuple[int, int, int]) -> set[str]:
    """Return the CAS numbers with right check digits that a date may have been."""
    year, one, other = numbers
    years = (
        {str(year), str(year)[2:]}
        if _SHORT_YEARS[0] <= year <= _SHORT_YEARS[1]
        else {str(year)}
    )
    found = {
        f"{shown.lstrip('0')}-{middle:02d}-{check}"
        for shown in years
        for middle, check in ((one, other), (other, one))
        if check <= _LAST_CHECK_DIGIT and len(shown.lstrip("0")) > 1
    }
    return {each for each in found if is_cas(each)}


@lru_cache(maxsize=4096)
def states_identifier(text: str) -> bool:
    """Return whether a text holds a hyphenated CAS or EC number that is right."""
    found = [
        "-".join(match.groups()) for match in _CAS.finditer(folded_identifier(text))
    ]
    return any(map(is_cas, found)) or any(map(is_ec, find_ec(text)))


def without_cas(text: str) -> str:
    """Return a text without its CAS numbers, their label and what set them apart."""
    bare = _LABELLED_CAS.sub(" ", _SPACED_DASH.sub("-", text.translate(DASHES)))
    return " ".join(bare.split()).strip(" /|,;:-")


def find_ec(text: str) -> list[str]:
    """Return every EC number in the text, in order, check digits unverified."""
    return ["-".join(match.groups()) for match in _EC.finditer(folded_identifier(text))]


def is_cas(number: str) -> bool:
    """Return whether a normalised CAS number's check digit is right.

    The digits before the last, counted from the right, weigh 1, 2, 3 …; their sum
    modulo 10 is the last digit.
    """
    match = _CAS.fullmatch(number)
    if match is None:
        return False
    *body, check = map(int, number.replace("-", ""))
    weighed = sum(
        weight * digit for weight, digit in enumerate(reversed(body), start=1)
    )
    return weighed % _CAS_MODULUS == check


def is_ec(number: str) -> bool:
    """Return whether a normalised EC number's check digit is right.

    The six digits before the last, from the left, weigh 1 to 6; their sum modulo 11 is
    the last digit.
    """
    match = _EC.fullmatch(number)
    if match is None:
        return False
    *body, check = map(int, number.replace("-", ""))
    weighed = sum(weight * digit for weight, digit in enumerate(body, start=1))
    return weighed % _EC_MODULUS == check
