"""Data sets of rules: the shipped one, and those read from an operator's files.

A set is immutable and named by the SHA-256 of its rules; a check states which set it
rests on, as of when, and which rows are known to be missing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

from dossier.regulations.constants import LISTS, Market
from dossier.regulations.exceptions import DateOutsideDataError
from dossier.regulations.rules.matching import RuleIndex, Substance
from dossier.regulations.rules.records import AnnexRule, Disclosure, rule_of, to_json

SHIPPED: Final = "shipped"


@dataclass(frozen=True, slots=True)
class ListSource:
    """Where the rules of one market come from, and for which days they answer."""

    market: str
    source: str
    licence: str
    as_of: str
    begins: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class DataSet:
    """Rules of several lists; `id` is derived from their content."""

    id: str
    name: str
    sources: tuple[ListSource, ...]
    rules: Mapping[Market, tuple[AnnexRule, ...]]
    _indexes: dict[tuple[Market, date, date], RuleIndex] = field(
        default_factory=dict, compare=False, repr=False
    )
    _all: list[RuleIndex] = field(default_factory=list, compare=False, repr=False)

    def has_list(self, market: Market, list_name: str) -> bool:
        """Return whether the set holds a list of a market."""
        return list_name in self.lists(market)

    def lists(self, market: Market) -> frozenset[str]:
        """Return the lists of a market that the set holds."""
        return frozenset(rule.list for rule in self.rules.get(market, ()))

    def missing_lists(self, market: Market) -> tuple[str, ...]:
        """Return the lists of a market that the set lacks."""
        held = self.lists(market)
        return tuple(name for name in LISTS[market] if name not in held)

    def source_of(self, market: Market) -> ListSource | None:
        """Return where the rules of a market come from."""
        return next((s for s in self.sources if s.market == market.value), None)

    def knows(self, substance: Substance) -> bool:
        """Return whether any list, of any market and day, names a substance."""
        if not self._all:
            self._all.append(RuleIndex(r for each in self.rules.values() for r in each))
        return self._all[0].names(substance)

    def begins(self, market: Market) -> date | None:
        """Return the first day for which the set answers."""
        source = self.source_of(market)
        if source is None or source.begins is None:
            return None
        return date.fromisoformat(source.begins)

    def index(self, market: Market, as_of: date, placed_on: date) -> RuleIndex:
        """Return the rules in force; raise an error for a day before the data."""
        begins = self.begins(market)
        if begins is not None and as_of < begins:
            msg = f"The data for {market.value} begin on {begins}; {as_of} lies before."
            raise DateOutsideDataError(msg)
        at = (market, as_of, placed_on)
        if at not in self._indexes:
            rules = self.rules.get(market, ())
            if len(self._indexes) > _MOST_INDEXES:
                self._indexes.clear()
            self._indexes[at] = RuleIndex(
                rule for rule in rules if in_force(rule, as_of, placed_on)
            )
        return self._indexes[at]


_MOST_INDEXES: Final = 16


def in_force(rule: AnnexRule | Disclosure, as_of: date, placed_on: date) -> bool:
    """Return whether a version binds a product first placed on a day, as of a day."""
    has_begun = rule.new_from is None and rule.all_from is None
    has_begun = has_begun or _reached(rule.new_from, placed_on)
    has_begun = has_begun or _reached(rule.all_from, as_of)
    has_ended = _reached(rule.new_until, placed_on) or _reached(rule.all_until, as_of)
    return has_begun and not has_ended


def _reached(limit: date | None, day: date) -> bool:
    return limit is not None and day >= limit


def data_set_of(
    name: str,
    sources: Iterable[ListSource],
    rules: Mapping[Market, Iterable[AnnexRule]],
) -> DataSet:
    """Return a set with the identifier of its content."""
    held = {market: tuple(each) for market, each in rules.items()}
    digest = hashlib.sha256()
    for market in sorted(held):
        for rule in held[market]:
            digest.update(json.dumps(to_json(rule), sort_keys=True).encode())
    return DataSet(f"{name}-{digest.hexdigest()[:12]}", name, tuple(sources), held)


@cache
def shipped() -> DataSet:
    """Return the set that the package ships."""
    folder = resources.files("dossier.regulations").joinpath("data")
    about: dict[str, Any] = json.loads(folder.joinpath("sets.json").read_text("utf-8"))
    rules: dict[Market, list[AnnexRule]] = {}
    for market, names in about["files"].items():
        for name in names:
            content = json.loads(folder.joinpath(name).read_text("utf-8"))
            rules.setdefault(Market(market), []).extend(map(rule_of, content))
    sources = [
        ListSource(**{**each, "missing": tuple(each["missing"])})
        for each in about["sources"]
    ]
    return data_set_of(SHIPPED, sources, rules)
