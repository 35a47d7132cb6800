"""CAS and EC numbers: found in free text, normalised, check digits verified."""

import re
from typing import Final

from dossier.products.formula_import.numbers import half_width

_SPACED_DASH: Final = re.compile(r"(?<=\d)\s*-\s*(?=\d)")
_CAS: Final = re.compile(r"(?<![\d-])0*([1-9]\d{1,6})-(\d{2})-(\d)(?![\d-])")
_CAS_BARE: Final = re.compile(r"0*([1-9]\d{1,6})(\d{2})(\d)")
_EC: Final = re.compile(r"(?<![\d-])(\d{3})-(\d{3})-(\d)(?![\d-])")
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
