"""Pure rules of products: categories, identity, and the requirements of an item.

`data/categories.json` is the table of categories; each of its columns carries a
certainty and a source.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from dossier.core.errors import Fault, suggestion
from dossier.products.constants import REQUIREMENTS, MicrobialClass, Use
from dossier.products.exceptions import (
    CategoryUnknownError,
    ProductNameMissingError,
    RequirementUnknownError,
)
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


def identity_key(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Return what makes two descriptions the same product: code, else holder and names.

    Width, case and runs of spaces do not make another product.
    """
    if not (name_zh or name_en):
        detail = "State name_zh, name_en or both."
        faults = tuple(
            Fault(f"#/{name}", detail, "missing") for name in ("name_zh", "name_en")
        )
        raise ProductNameMissingError(detail, faults=faults)
    members = ["code", code] if code else ["names", holder, name_zh, name_en]
    folded = (
        " ".join(unicodedata.normalize("NFKC", member or "").casefold().split())
        for member in members
    )
    return hashlib.sha256("\x1f".join(folded).encode()).hexdigest()


def identity_words(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Describe the identity in the error about a product that exists already."""
    if code:
        return f"the code {code}"
    names = " / ".join(filter(None, (name_zh, name_en)))
    return f"the holder {holder} and the name {names}"


def check_requirement(code: str, item: int) -> None:
    """Raise an error that lists the known codes unless the item has this one."""
    known = [f"tw-{item}.{word}" for word in REQUIREMENTS[item]]
    if code not in known:
        detail = (
            f"Item {item} has no requirement {code!r}.{suggestion(code, known)}"
            f" Known: {', '.join(known)}."
        )
        fault = Fault("#/requirement", detail, "unknown")
        raise RequirementUnknownError(detail, faults=(fault,))


def formula_content(
    lines: Iterable[tuple[str | None, Decimal, Decimal | None, bool]],
) -> dict[str, str]:
    """Return the quantities of a formula by ingredient, as they are compared.

    Each line has a name, its interval and whether it fills up to 100: that one changes
    only because others do. The lines of one ingredient are listed together.
    """
    content: dict[str, list[str]] = {}
    for name, lower, upper, is_qs in lines:
        quantity = "q.s." if is_qs else f"{lower.normalize():f}"
        if not is_qs and upper is not None and upper != lower:
            quantity += f"\u2013{upper.normalize():f}"
        content.setdefault((name or "").strip(), []).append(quantity)
    return {name: " + ".join(sorted(each)) for name, each in content.items()}
