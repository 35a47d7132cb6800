"""What identifies the substances of a row: names, CAS, EC and colour-index numbers.

Wrong check digits are dropped and counted. A name that would identify another substance
too (a piece of a name with commas, a remark in brackets) is not taken.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from dossier.products.formula_import.identifiers import find_cas, find_ec, is_cas, is_ec
from dossier.regulations.importing.cells import clean, grammar

_CI: Final = re.compile(r"\bCI (\d{5}(?::\d)?)\b", re.IGNORECASE)
_EMPTY: Final = frozenset({"", "-", "/", "n/a"})
_TAIL: Final = re.compile(
    r",? (?:and|with) (?:its|their|the|some of)\b.*$|,? its salts\b.*$"
    r"|,? (?:when used|if (?:it|they|the)|except|unless|with the exception|other than"
    r"|(?:including|excluding) as|not listed|under the)\b.*$"
    r"|: (?:any|all) substances? .*$|,? (?:as )?defined (?:as|by|in)\b.*$"
    r"|,? with exception of\b.*$|\. A [a-z].*$",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(
    r"\s*\((?:INN|ISO|USAN(?::BAN)?|\*|\d{1,2} ?|see note \d+|註)\)|\s*\[(?:INCI|\d)\]"
    r"|\s*註\s*$|\(\d\)\s*$"
)
_INCI: Final = re.compile(r"INCI: ?([^\])]+)")
_BRACKETED: Final = re.compile(
    r"(?<=[a-z] )\(([A-Za-z][a-z]{4,}|[A-Z][a-z]+(?:, [A-Z][a-z]+(?: [A-Z][a-z]+)?)+)\)"
    r"(?=$|[ ,;])"
)
_NO_NAMES: Final = frozenset(grammar()["no_names"])
_FEWEST_LETTERS: Final = 3


@dataclass(slots=True)
class Identity:
    """The identifiers of a row; `faults` say what was dropped."""

    names: list[str] = field(default_factory=list)
    cas: list[str] = field(default_factory=list)
    ec: list[str] = field(default_factory=list)
    ci: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_numbers(identity: Identity, *cells: str) -> None:
    """Add the CAS and EC numbers of cells, whichever column they stand in."""
    for cell in cells:
        flat = re.sub(r"\[\d+\]", " ; ", clean(cell))
        flat = re.sub(r"(?<=\d)(?:\s*[/,;+]\s*|\s+-\s+)(?=\d)", " ; ", flat)
        for number in find_cas(flat):
            _add(identity, "cas", number, is_right=is_cas(number))
        for number in find_ec(flat):
            _add(identity, "ec", number, is_right=is_ec(number))


def _add(identity: Identity, kind: str, number: str, *, is_right: bool) -> None:
    numbers: list[str] = getattr(identity, kind)
    if not is_right:
        identity.faults.append(f"check digit of {kind.upper()} {number}")
    elif number not in numbers:
        numbers.append(number)


def read_names(
    identity: Identity,
    *,
    chemical: str,
    glossary: str = "",
    listed: str = "",
    has_synonyms: bool = False,
) -> None:
    """Add the names of the chemical, the glossary and the ingredients' columns.

    `has_synonyms`: a word in brackets after a name is another name (Annex II).
    """
    for name in re.split(r"\s*;\s*|\s+/\s*|\s*/\s+|,\s+(?=[A-Za-z])", clean(glossary)):
        _name(identity, name)
    for name in comma_separated(listed):
        for part in re.split(r"\s+/\s*|\s*/\s+", name):
            _name(identity, part)
    flat = clean(chemical.replace("[INCI]", ";"))
    for match in _INCI.finditer(flat):
        _name(identity, match[1])
    for match in _BRACKETED.finditer(_MARKS.sub("", flat)) if has_synonyms else ():
        for name in match[1].split(", "):
            if not _NO_NAMES & set(name.lower().split()):
                _name(identity, name)
    flat = re.sub(r"[\[(]?INCI: ?[^\])]+[\])]?", "", flat)
    for name in re.split(r"\s*;\s*|\s+/\s+|\s*\[\d\];?\s*", flat):
        _name(identity, _TAIL.sub("", name))


def comma_separated(text: str) -> list[str]:
    """Split a list at its commas, but not inside a name (`1,2-`, `N,N-`, `2,2'-`).

    A piece that cannot be told from the part of a name is glued to the one before.
    """
    names: list[str] = []
    for piece in clean(text).split(","):
        previous = names[-1] if names else ""
        is_number = re.search(r"(?:^|[-\s(,])[\dNOS]'*$", previous) and not (
            re.fullmatch(r"CI \d{5}(?::\d)?", previous)
        )
        is_locant = is_number and re.match(r"\d|[NOS][-,']", piece)
        if previous and (is_locant or re.match(r" [\d(a-z]", piece)):
            names[-1] = f"{previous},{piece}"
        else:
            names.append(piece.strip())
    return [name for name in names if name]


def _name(identity: Identity, text: str) -> None:
    for match in _CI.finditer(text):
        if match[1] not in identity.ci:
            identity.ci.append(match[1])
    name = _MARKS.sub("", text).strip(" .,;:*'\"[]")
    if name.count("(") != name.count(")") or re.fullmatch(r"\([^()]*\)", name):
        name = name.strip("()")
    known = {each.casefold() for each in identity.names}
    if name in _EMPTY or len(name) < _FEWEST_LETTERS or name.casefold() in known:
        return
    if not re.search(r"[A-Za-z\u4e00-\u9fff]{2}", name) or _CI.fullmatch(name):
        return
    identity.names.append(name)
