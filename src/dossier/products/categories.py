"""The table of product categories.

Each column of `data/categories.json` carries a certainty and a source.
"""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from dossier.core.errors import Fault, suggestion
from dossier.products.constants import MicrobialClass, Use
from dossier.products.exceptions import CategoryUnknownError
from dossier.products.types import Category, ColumnSource


@cache
def categories() -> Mapping[str, Category]:
    """Return all categories by id, in the order of the table."""
    table = _category_table()
    tfda_categories = table["tfda_categories"]
    found: dict[str, Category] = {}
    for row in table["categories"]:
        tfda_category = tfda_categories[row["tfda_category"]]
        phase_in_on = row["phase_in_on"]
        found[row["id"]] = Category(
            id=row["id"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            use=Use(row["use"]),
            tfda_category_zh=tfda_category["zh"],
            tfda_category_en=tfda_category["en"],
            phase_in_on=date.fromisoformat(phase_in_on) if phase_in_on else None,
            exposure_row_id=row["exposure_row_id"],
            annex_classes=tuple(row["annex_classes"]),
            microbial_class=MicrobialClass(row["microbial_class"]),
        )
    return found


@cache
def sources() -> Mapping[str, ColumnSource]:
    """Return the certainty and source of each column."""
    entries = _category_table()["sources"]
    return {name: ColumnSource(**entry) for name, entry in entries.items()}


@cache
def _category_table() -> Mapping[str, Any]:
    text = resources.files("dossier.products").joinpath("data/categories.json")
    table: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return table


def category_of(category_id: str, *, pointer: str = "#/category") -> Category:
    """Return a category, or raise an error that lists the known ids."""
    found = categories().get(category_id)
    if found is None:
        known = ", ".join(categories())
        nearest = suggestion(category_id, categories())
        detail = f"There is no category {category_id!r}.{nearest} Known: {known}."
        fault = Fault(pointer, detail, "unknown")
        raise CategoryUnknownError(detail, faults=(fault,))
    return found
