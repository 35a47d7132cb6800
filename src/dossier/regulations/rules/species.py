"""Conversion to what a limit is expressed as: molar masses from formulas, exactly.

Atomic masses: IUPAC's abridged standard values. A substance that is not in
`data/species.json` has no factor; a part of a substance weighs at most the whole.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

from dossier.regulations.rules.matching import Substance, normal_name

_ATOM: Final = re.compile(r"([A-Z][a-z]?|\(|\))(\d*)")
_OF_ATOMS: Final[Mapping[str, tuple[str, str]]] = {
    "NH3": ("N", "NH3"),
    "SO2": ("S", "SO2"),
    "AgCl": ("Ag", "AgCl"),
}
"""Species of which one forms from each atom."""


@dataclass(frozen=True, slots=True)
class Factor:
    """What one gram of a substance counts as; not exact: at most that, or `None`."""

    value: Decimal | None
    is_exact: bool


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("dossier.regulations").joinpath("data/species.json")
    table: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return table


@cache
def _substances() -> Mapping[str, Mapping[str, Any]]:
    """Return each substance by its CAS number and its normalised name."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, row in _table()["substances"].items():
        found[normal_name(name)] = row
        if row.get("cas"):
            found[row["cas"]] = row
    return found


def molar_mass(formula: str) -> Decimal:
    """Return g/mol of a formula such as `C7H5NaO2` or `Al(OH)3`."""
    masses = _table()["atomic_masses"]
    total = Decimal(0)
    for element, count in atoms(formula).items():
        total += Decimal(masses[element]) * count
    return total


def atoms(formula: str) -> dict[str, int]:
    """Return how many atoms of each element a formula has."""
    stack: list[dict[str, int]] = [{}]
    for symbol, digits in _ATOM.findall(formula):
        count = int(digits or 1)
        if symbol == "(":
            stack.append({})
        elif symbol == ")":
            for element, inner in stack.pop().items():
                stack[-1][element] = stack[-1].get(element, 0) + inner * count
        else:
            stack[-1][symbol] = stack[-1].get(symbol, 0) + count
    return stack[0]


def factor_of(substance: Substance, species: str | None) -> Factor:
    """Return the factor from a substance to what a limit is expressed as."""
    if species is None:
        return Factor(Decimal(1), is_exact=True)
    row = next(
        (
            _substances()[key]
            for key in (*substance.cas, *substance.names)
            if key in _substances()
        ),
        None,
    )
    exact = None if row is None else _factor(row, species)
    if exact is not None:
        return Factor(exact, is_exact=True)
    return Factor(Decimal(1) if species in _table()["parts"] else None, is_exact=False)


def _factor(row: Mapping[str, Any], species: str) -> Decimal | None:
    whole = molar_mass(row["formula"])
    stated = row.get("as", {}).get(species)
    if stated is not None:
        formula, _, count = stated.partition("*")
        return molar_mass(formula) * int(count or 1) / whole
    element, formed = _OF_ATOMS.get(species, (species, species))
    count_of = atoms(row["formula"]).get(element, 0)
    return molar_mass(formed) * count_of / whole if count_of else None
