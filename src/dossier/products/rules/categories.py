"""The table of categories: one row says all that a category decides.

Every member of a row carries a certainty and a source, by column: `sources()`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from dossier.core.errors import Fault
from dossier.products.constants import MicrobialClass, Use
from dossier.products.exceptions import CategoryUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What a category means to the rules of every market.

    `phase_in_on` is the day from which Taiwan asks for the file; `None` where it
    asks for none. `use` is the usual one; the product states its own.
    """

    id: str
    name_zh: str
    name_en: str
    use: Use
    tfda_category_zh: str
    tfda_category_en: str
    phase_in_on: date | None
    exposure_row_id: str | None
    annex_classes: tuple[str, ...]
    microbial_class: MicrobialClass


@dataclass(frozen=True, slots=True)
class Source:
    """How sure a column is, and where it was read."""

    certainty: str
    source: str


@cache
def categories() -> Mapping[str, Category]:
    """Return all categories by id, in the order of the table."""
    data = _data()
    kinds = data["tfda_categories"]
    rows = (_category(row, kinds[row["tfda_category"]]) for row in data["categories"])
    return {row.id: row for row in rows}


@cache
def sources() -> Mapping[str, Source]:
    """Return the certainty and source of each column."""
    return {name: Source(**entry) for name, entry in _data()["sources"].items()}


def category_of(category_id: str) -> Category:
    """Return a category, or raise with the ids that there are."""
    found = categories().get(category_id)
    if found is None:
        known = ", ".join(categories())
        detail = f"There is no category {category_id!r}; known: {known}."
        fault = Fault("#/category", detail, "unknown")
        raise CategoryUnknownError(detail, faults=(fault,))
    return found


def _category(row: Mapping[str, Any], kind: Mapping[str, str]) -> Category:
    phase_in_on = row["phase_in_on"]
    return Category(
        id=row["id"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        use=Use(row["use"]),
        tfda_category_zh=kind["zh"],
        tfda_category_en=kind["en"],
        phase_in_on=date.fromisoformat(phase_in_on) if phase_in_on else None,
        exposure_row_id=row["exposure_row_id"],
        annex_classes=tuple(row["annex_classes"]),
        microbial_class=MicrobialClass(row["microbial_class"]),
    )


@cache
def _data() -> Mapping[str, Any]:
    text = resources.files("dossier.products").joinpath("data/categories.json")
    data: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return data
