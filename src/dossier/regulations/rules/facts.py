"""What is known of a product, as three-valued tags that the clauses of rules ask for.

`True` and `False` are stated or follow from the category; `None` is open: neither the
category nor the caller decides it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from dossier.products.constants import Use
from dossier.products.types import Category
from dossier.regulations.constants import (
    Form,
    IngredientPurpose,
    Population,
    Site,
    UserGroup,
)
from dossier.regulations.exceptions import ProductFactsInvalidError
from dossier.regulations.rules.records import Clause


@cache
def tag_table() -> Mapping[str, Any]:
    """Return the tags of categories, forms, sites, populations and functions."""
    text = resources.files("dossier.regulations").joinpath("data/product_tags.json")
    table: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """The product that a formula is checked as.

    `mixed_share` is the share of this formula in what is applied after mixing (0.5 for
    1:1), where a product is mixed before use.
    """

    category: Category
    form: Form | None = None
    sites: tuple[Site, ...] = ()
    population: Population | None = None
    user: UserGroup | None = None
    ph: Decimal | None = None
    mixed_share: Decimal | None = None

    def tags(self) -> dict[str, bool | None]:
        """Return what is true of the product and what is open; the rest is false."""
        table = tag_table()
        row = table["categories"][self.category.id]
        true = {*row["is"], self.category.use.value}
        may = set(row.get("may", ()))
        forms = [self.form] if self.form else [Form(each) for each in row["forms"]]
        of_forms = [frozenset(table["forms"].get(each, ())) for each in forms]
        true |= frozenset.intersection(*of_forms)
        may |= frozenset.union(*of_forms)
        sites = {each.value for each in Site}
        if self.sites:
            stated = {
                tag for each in self.sites for tag in table["sites"].get(each, (each,))
            }
            may -= sites
            true |= stated
        population = self.population
        if population is None and "under_3" in self.category.annex_classes:
            population = Population.UNDER_3
        if population is not None:
            true |= set(table["populations"].get(population, ()))
        if population in (None, Population.GENERAL):
            may.add("aged_6_to_9")
        if population is Population.UNDER_3:
            may.add("under_1")
        return {**dict.fromkeys(may - true), **dict.fromkeys(true, True)}

    @property
    def is_leave_on(self) -> bool:
        """Return whether the product stays on the body."""
        return self.category.use is Use.LEAVE_ON


def check_use(category: Category, use: Use | None) -> None:
    """Raise an error where a stated use contradicts the category."""
    if use is not None and use is not category.use:
        msg = f"{category.id} is a {category.use.value} category, not {use.value}."
        raise ProductFactsInvalidError(msg)


def holds(
    clauses: tuple[Clause, ...],
    tags: Mapping[str, bool | None],
    *,
    is_other: bool | None = None,
) -> bool | None:
    """Return whether one of the clauses is true of the product; no clause: all are.

    `is_other` says whether no other limb of the entry applies.
    """
    if not clauses:
        return True
    values = [_clause(clause, tags, is_other=is_other) for clause in clauses]
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def _clause(
    clause: Clause, tags: Mapping[str, bool | None], *, is_other: bool | None
) -> bool | None:
    result: bool | None = True
    for tag in clause:
        value: bool | None
        if tag == "other":
            value = is_other
        elif tag.startswith("!"):
            inner = _clause(tuple(tag[1:].split("+")), tags, is_other=is_other)
            value = None if inner is None else not inner
        else:
            value = tags.get(tag, False)
        if value is False:
            return False
        result = None if value is None else result
    return result


def purposes_of(function: str | None) -> frozenset[IngredientPurpose] | None:
    """Return the purposes that the stated function names; `None` where none is."""
    words = (function or "").casefold().strip()
    if not words or words in {"-", "/", "n/a"}:
        return None
    found = {
        IngredientPurpose(to) for word, to in tag_table()["purposes"] if word in words
    }
    return frozenset(found or {IngredientPurpose.OTHER})


def use_tags(function: str | None) -> dict[str, bool | None]:
    """Return the tags of what an ingredient does; all are open where none is stated."""
    words = (function or "").casefold().strip()
    if not words or words in {"-", "/", "n/a"}:
        return dict.fromkeys(["as_trace", *(tag for _, tag in tag_table()["uses"])])
    return {tag: True for word, tag in tag_table()["uses"] if word in words}
