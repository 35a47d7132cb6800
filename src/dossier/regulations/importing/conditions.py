"""The conditions in the columns beside a limit: what they exclude, ask and disclose.

Patterns are taken out of the text one after the other; what is left over was not read,
and the rule says so.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from dossier.regulations.constants import UserGroup
from dossier.regulations.importing.cells import clean, grammar, with_points
from dossier.regulations.importing.maxima import LimitReading, read_maxima
from dossier.regulations.importing.scopes import read_scope
from dossier.regulations.rules.records import Clause, Disclosure

_DAY: Final = r"(\d{1,2} \w+ \d{4})"
_DISCLOSURE: Final = re.compile(
    r"the presence of the substances? (?:or (?:the )?substances? )?(?:must|shall) be"
    r" indicated(?: as)? ?(?:['\"]([^'\"]+?)['\"])? ?in the list of ingredients"
    r" referred to in article \d+\(1\)(?:, point)? ?\(?g\)?,? when (?:its|the)"
    r" concentration(?: exceeds)?(?: of the substances? or (?:the )?substances?)?"
    r"(?: exceeds)?:? ?- ?(0\.001) ?% in leave-on products[.;]? ?- ?(0\.01) ?%"
    r" in rinse-off products\.?",
    re.IGNORECASE,
)
_NOT_PLACED: Final = re.compile(
    rf"from {_DAY},? [^.]*?shall not be placed on the union market\.?", re.IGNORECASE
)
_NOT_AVAILABLE: Final = re.compile(
    rf"from {_DAY},? [^.]*?shall not be made available on the union market\.?",
    re.IGNORECASE,
)
_UNTIL: Final = re.compile(
    rf"cosmetic products containing that substance that do not comply with the"
    rf" conditions may, provided that they comply with the conditions applicable on"
    rf" {_DAY}, be placed on the union market until {_DAY} and, if they have already"
    rf" been placed on the (?:union )?market before that date, (?:continue to )?be made"
    rf" available on the union market until {_DAY}\.?",
    re.IGNORECASE,
)
_AFTER_MIXING: Final = re.compile(
    r"(?:as from \d+ \w+ \d{4}, )?afth?er mixing.{0,110}?must not exceed"
    r" \d+(?:\.\d+)? ?%(?: ?\(?(?:calculated )?as [\w -]+?\)?(?=\.|$| -| \(| or ))?"
    r"(?: (?:or )?\(?\d+(?:\.\d+)? ?%(?: ?\(?(?:calculated )?as [\w -]+\)?)?\)?)?",
    re.IGNORECASE,
)
_NOT_USED: Final = re.compile(
    r"(?:not to be used|no use) (?:in|on) (?!applications|preparations|products for)"
    r"(?P<scope>[^.\d][^.]*?)(?=\.|$|not to be used|for purposes| - )",
    re.IGNORECASE,
)
_CHILDREN: Final = re.compile(
    r"not to be used in (?:products|preparations) for children under (\d+|three) years"
    r" of age(?:, except (?:in|for) (?P<but>[^.]*?))?"
    r"(?P<and>, in oral products and in eye and lip products)?"
    r"(?=\.|$| not to| b\))",
    re.IGNORECASE,
)
_INHALED: Final = re.compile(
    r"-? ?not to be used in (?:applications|(?P<scope>[\w -]+?))(?: products)? that"
    r" may lead to (?:the )?exposure of the end.user'?s'? lungs by inhalation\.?",
    re.IGNORECASE,
)
_PER_SUBSTANCE: Final = re.compile(r"\b[a-z ]+ salts: .*not to be", re.IGNORECASE)
_NAPPY: Final = re.compile(
    r"not to be used in leave-on products designed for application on the nappy area of"
    r" children under three years of age\.?",
    re.IGNORECASE,
)
_PH: Final = re.compile(
    r"(?:ready for use )?ph (?:(?P<low>\d+(?:\.\d+)?) to (?P<high>\d+(?:\.\d+)?)"
    r"|(?P<sign>[<>]) ?(?P<value>\d+(?:\.\d+)?))|up to ph (?P<top>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_NOTES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in grammar()["notes_en"]
)
_DASHES: Final = " .,;:-()"


@dataclass(slots=True)
class Conditions:
    """What a text beside a limit says; `left` is what was not understood."""

    maxima: list[LimitReading] = field(default_factory=list)
    exclusions: list[tuple[Clause, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    user: UserGroup | None = None
    ph: tuple[Decimal | None, Decimal | None] | None = None
    left: str = ""


@dataclass(slots=True)
class Dates:
    """From when a version binds products newly placed, and all products."""

    new_from: date | None = None
    all_from: date | None = None


def take_disclosure(text: str) -> tuple[Disclosure | None, str]:
    """Take the clause on naming a fragrance allergen out of a cell."""
    flat = with_points(clean(text))
    match = _DISCLOSURE.search(flat)
    if match is None:
        return None, flat
    name, leave_on, rinse_off = match.groups()
    disclosure = Disclosure(
        leave_on=Decimal(leave_on), rinse_off=Decimal(rinse_off), name=name
    )
    return disclosure, f"{flat[: match.start()]} {flat[match.end() :]}".strip()


def take_dates(text: str) -> tuple[Dates, str]:
    """Take the transition dates out of a cell."""
    dates = Dates()
    flat = clean(text)
    if match := _UNTIL.search(flat):
        dates.new_from = _day(match[2], days_later=1)
        dates.all_from = _day(match[3], days_later=1)
        flat = flat.replace(match[0], " ")
    if match := _NOT_PLACED.search(flat):
        dates.new_from = _day(match[1])
        flat = flat.replace(match[0], " ")
    if match := _NOT_AVAILABLE.search(flat):
        dates.all_from = _day(match[1])
        flat = flat.replace(match[0], " ")
    return dates, clean(re.sub(r"\(\*\)", " ", flat))


def _day(words: str, *, days_later: int = 0) -> date | None:
    try:
        year, month, day = time.strptime(words, "%d %B %Y")[:3]
    except ValueError:
        return None
    return date(year, month, day) + timedelta(days=days_later)


def read_conditions(text: str, ref: str) -> Conditions:
    """Read one segment of a column of conditions."""
    found = Conditions()
    left = with_points(clean(text))
    if _PER_SUBSTANCE.search(left):
        # Each substance of the entry has conditions of its own.
        found.left = left
        return found
    for take in (_take_mixing, _take_children, _take_inhaled, _take_products):
        left = take(left, found, ref)
    if match := _PH.search(left):
        found.ph = _ph(match)
        left = left.replace(match[0], " ", 1)
    for pattern, code in _NOTES:
        for match in pattern.finditer(left):
            number = next((each for each in match.groups() if each), None)
            found.notes.append(f"{code}:{number}" if number else code)
        left = pattern.sub(" ", left)
    found.user = _user(found.notes)
    found.notes = [
        note for note in found.notes if note not in ("professional", "general")
    ]
    found.left = clean(left).strip(_DASHES)
    return found


def _take_mixing(left: str, found: Conditions, ref: str) -> str:
    match = _AFTER_MIXING.search(left)
    if match is None:
        return left
    read = read_maxima(match[0], ref)
    if isinstance(read, str):
        return left
    found.maxima.extend(read)
    return left.replace(match[0], " ", 1)


def _take_children(left: str, found: Conditions, _: str) -> str:
    if match := _NAPPY.search(left):
        found.exclusions.append((("leave_on", "nappy", "under_3"),))
        left = left.replace(match[0], " ", 1)
    match = _CHILDREN.search(left)
    if match is None:
        return left
    tag = "under_3" if match[1] == "three" else f"under_{match[1]}"
    but = read_scope(match["but"]) if match["but"] else ()
    if but is None:
        return left
    denials = tuple("!" + "+".join(clause) for clause in but)
    clauses: list[Clause] = [(tag, *denials)]
    if match["and"]:
        clauses += [("oral",), ("eye",), ("lip",)]
    found.exclusions.append(tuple(clauses))
    return left.replace(match[0], " ", 1)


def _take_inhaled(left: str, found: Conditions, _: str) -> str:
    match = _INHALED.search(left)
    if match is None:
        return left
    scope = read_scope(match["scope"] + " products") if match["scope"] else ((),)
    if scope is None:
        return left
    found.exclusions.append(tuple((*clause, "inhalable") for clause in scope))
    return left.replace(match[0], " ", 1)


def _take_products(left: str, found: Conditions, _: str) -> str:
    for match in list(_NOT_USED.finditer(left)):
        words = re.sub(r"(?<=products) and in (?=products)", ", ", match["scope"])
        scope = read_scope(re.sub(r" \(\d+\)?$", "", words.strip(" .,;:-")))
        if scope:
            found.exclusions.append(scope)
            left = left.replace(match[0], " ", 1)
    return left


def _ph(match: re.Match[str]) -> tuple[Decimal | None, Decimal | None]:
    if match["low"]:
        return Decimal(match["low"]), Decimal(match["high"])
    if match["top"]:
        return None, Decimal(match["top"])
    value = Decimal(match["value"])
    return (value, None) if match["sign"] == ">" else (None, value)


def _user(notes: Iterable[str]) -> UserGroup | None:
    users = {note for note in notes if note in ("professional", "general")}
    return UserGroup(users.pop()) if len(users) == 1 else None
