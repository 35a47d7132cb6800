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
from typing import Any, Final

from dossier.products.constants import Use
from dossier.products.types import Category
from dossier.regulations.constants import Form, Population, Purpose, Site, User
from dossier.regulations.exceptions import ProductFactsInvalidError
from dossier.regulations.rules.records import Clause

_FORM_TAGS: Final[Mapping[Form, frozenset[str]]] = {
    Form.SPRAY: frozenset({"spray", "inhalable"}),
    Form.AEROSOL: frozenset({"spray", "aerosol", "inhalable"}),
    Form.LOOSE_POWDER: frozenset({"powder", "loose_powder", "inhalable"}),
    Form.PRESSED_POWDER: frozenset({"powder"}),
    Form.ROLL_ON: frozenset({"roll_on"}),
    Form.BAR: frozenset({"bar_soap"}),
}
_POPULATION_TAGS: Final[Mapping[Population, frozenset[str]]] = {
    Population.UNDER_1: frozenset({"under_1", "under_3", "under_6", "under_10"}),
    Population.UNDER_3: frozenset({"under_3", "under_6", "under_10"}),
    Population.UNDER_6: frozenset({"under_6", "under_10"}),
    Population.UNDER_10: frozenset({"under_10", "aged_6_to_9"}),
}
_SITE_TAGS: Final[Mapping[Site, frozenset[str]]] = {
    Site.LIP: frozenset({"lip", "mucosa"}),
    Site.ORAL: frozenset({"oral", "mucosa"}),
    Site.INTIMATE: frozenset({"intimate", "mucosa", "skin"}),
    Site.NAPPY: frozenset({"nappy", "skin", "body"}),
    Site.FACE: frozenset({"face", "skin"}),
    Site.BODY: frozenset({"body", "skin"}),
    Site.HAND: frozenset({"hand", "skin"}),
    Site.FOOT: frozenset({"foot", "skin"}),
    Site.EYE: frozenset({"eye", "skin"}),
}


@cache
def tag_table() -> Mapping[str, Any]:
    """Return the tags of each category: `is`, `may` and the usual forms."""
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
    user: User | None = None
    ph: Decimal | None = None
    mixed_share: Decimal | None = None

    def tags(self) -> dict[str, bool | None]:
        """Return what is true of the product and what is open; the rest is false."""
        row = tag_table()[self.category.id]
        true = {*row["is"], self.category.use.value}
        may = set(row.get("may", ()))
        forms = [self.form] if self.form else [Form(each) for each in row["forms"]]
        of_forms = [_FORM_TAGS.get(each, frozenset()) for each in forms]
        true |= frozenset.intersection(*of_forms)
        may |= frozenset.union(*of_forms)
        sites = {each.value for each in Site}
        if self.sites:
            stated = frozenset().union(
                *(_SITE_TAGS.get(each, frozenset({each.value})) for each in self.sites)
            )
            may -= sites
            true |= stated
        population = self.population
        if population is None and "under_3" in self.category.annex_classes:
            population = Population.UNDER_3
        if population is not None:
            true |= _POPULATION_TAGS.get(population, frozenset())
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


_PURPOSES: Final[tuple[tuple[str, Purpose], ...]] = (
    ("preservative", Purpose.PRESERVATIVE),
    ("preservation", Purpose.PRESERVATIVE),
    ("antimicrobial", Purpose.PRESERVATIVE),
    ("防腐", Purpose.PRESERVATIVE),
    ("colorant", Purpose.COLOURANT),
    ("colourant", Purpose.COLOURANT),
    ("pigment", Purpose.COLOURANT),
    ("色素", Purpose.COLOURANT),
    ("著色", Purpose.COLOURANT),
    ("着色", Purpose.COLOURANT),
    ("uv filter", Purpose.UV_FILTER),
    ("uv-filter", Purpose.UV_FILTER),
    ("uv absorber", Purpose.UV_FILTER),
    ("sunscreen", Purpose.UV_FILTER),
    ("防曬", Purpose.UV_FILTER),
    ("紫外線", Purpose.UV_FILTER),
)
_USES: Final[tuple[tuple[str, str], ...]] = (
    ("solvent", "as_solvent"),
    ("溶劑", "as_solvent"),
    ("ph adjust", "as_ph_adjuster"),
    ("neutrali", "as_ph_adjuster"),
    ("酸鹼", "as_ph_adjuster"),
    ("ph調整", "as_ph_adjuster"),
    ("fragrance", "as_fragrance"),
    ("perfum", "as_fragrance"),
    ("香料", "as_fragrance"),
    ("stabili", "as_stabiliser"),
    ("denatur", "as_denaturant"),
    ("rust", "as_rust_inhibitor"),
)
USE_TAGS: Final = frozenset({tag for _, tag in _USES} | {"as_trace"})


def purposes_of(function: str | None) -> frozenset[Purpose] | None:
    """Return the purposes that the stated function names; `None` where none is."""
    words = (function or "").casefold().strip()
    if not words or words in {"-", "/", "n/a"}:
        return None
    found = {purpose for word, purpose in _PURPOSES if word in words}
    return frozenset(found or {Purpose.OTHER})


def use_tags(function: str | None) -> dict[str, bool | None]:
    """Return the tags of what an ingredient does; all are open where none is stated."""
    words = (function or "").casefold().strip()
    if not words or words in {"-", "/", "n/a"}:
        return dict.fromkeys(USE_TAGS)
    return {tag: True for word, tag in _USES if word in words}
