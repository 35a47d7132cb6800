"""What changed in a formula since a document was linked, by content and not by date."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from dossier.documents.facts.folding import name_key
from dossier.pif.constants import FormulaChange

SHOWN: Final = 5
"""Ingredients that are named; the others are counted."""


def formula_changes(
    before: Mapping[str, str] | None, after: Mapping[str, str]
) -> dict[FormulaChange, list[str]]:
    """Return what differs, each ingredient in words that need no translation.

    Both are quantities by ingredient. Without a formula before or after, nothing has
    changed: of a file whose sheet or column is undecided no line is known.
    """
    if not before or not after:
        return {}
    old = {name_key(name): (name, quantity) for name, quantity in before.items()}
    new = {name_key(name): (name, quantity) for name, quantity in after.items()}
    ingredients = [f"+ {new[key][0]}" for key in new if key not in old]
    ingredients += [f"\u2212 {old[key][0]}" for key in old if key not in new]
    quantities = [
        f"{new[key][0]} {old[key][1]} \u2192 {new[key][1]}"
        for key in new
        if key in old and old[key][1] != new[key][1]
    ]
    found = {
        FormulaChange.INGREDIENTS: ingredients,
        FormulaChange.QUANTITIES: quantities,
    }
    return {change: words for change, words in found.items() if words}


def composition_sha256(formula: Mapping[str, str]) -> str:
    """Return a hash of quantities by ingredient, the same for every file of them."""
    lines = sorted((name_key(name), quantity) for name, quantity in formula.items())
    text = json.dumps(lines, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def shown_changes(words: list[str]) -> str:
    """Return changes on one line."""
    rest = len(words) - SHOWN
    return ", ".join(words[:SHOWN] + ([f"+ {rest} \u2026"] if rest > 0 else []))
