"""Which rules name an ingredient: by CAS, EC, colour index or exact normalised name.

A fragment of a name never matches, and nothing is matched approximately. A word that
only hints at a class (`mercur…`) makes a *possible* match, which never prohibits.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from dossier.products.formula_import.identifiers import find_cas, find_ec, is_cas, is_ec
from dossier.regulations.rules.records import AnnexRule

_SPACES: Final = re.compile(r"\s+")
_TIGHT: Final = re.compile(r"\s*([-/,:;()\[\]+])\s*")
_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_PRIMES: Final = dict.fromkeys(map(ord, "\u2019\u2018\u00b4`\u2032"), "'")
_SPELLINGS: Final[tuple[tuple[str, str], ...]] = (
    ("sulph", "sulf"),
    ("aluminium", "aluminum"),
    (".alpha.", "alpha"),
    (".beta.", "beta"),
    ("\u03b1", "alpha"),
    ("\u03b2", "beta"),
    ("caesium", "cesium"),
)
_CI: Final = re.compile(r"\bci\s*-?\s*(\d{5})(?::\d)?\b", re.IGNORECASE)
_ONLY_CI: Final = re.compile(r"[\[(+/\- ]*ci\s*-?\s*\d{5}(?::\d)?[\])]*", re.IGNORECASE)
_NANO: Final = re.compile(r"\bnano\b|奈米", re.IGNORECASE)
_NANO_MARK: Final = re.compile(
    r"\s*[\[((]?\s*(?:nano|奈米)\s*[\]))]?\s*", re.IGNORECASE
)


@lru_cache(maxsize=65536)
def normal_name(text: str) -> str:
    """Return a name as it is compared: width, case, dashes and spelling levelled."""
    flat = unicodedata.normalize("NFKC", text).translate(_DASHES | _PRIMES).casefold()
    for one, other in _SPELLINGS:
        flat = flat.replace(one, other)
    flat = _SPACES.sub(" ", flat).strip(" .*'\"")
    return _TIGHT.sub(r"\1", flat).strip()


@cache
def name_table() -> Mapping[str, Any]:
    """Return synonyms, members of classes, hints and known names."""
    text = resources.files("dossier.regulations").joinpath("data/names.json")
    table: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return table


@cache
def _synonyms() -> Mapping[str, str]:
    return {
        normal_name(one): normal_name(other)
        for one, other in name_table()["synonyms"].items()
    }


@cache
def _known_names() -> frozenset[str]:
    return frozenset(map(normal_name, name_table()["identified"]))


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(each) for each in name_table()["name_patterns"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """The identifiers of a line of a formula, normalised; wrong check digits left out.

    `is_blend`: a perfume, an extract blend or another mixture whose parts are unknown.
    """

    shown: str
    names: tuple[str, ...]
    cas: tuple[str, ...] = ()
    ec: tuple[str, ...] = ()
    ci: tuple[str, ...] = ()
    is_nano: bool = False
    is_blend: bool = False
    is_only_ci: bool = False


def substance_of(
    *,
    inci: str | None,
    trade_name: str | None = None,
    cas: str | None = None,
    ec: str | None = None,
) -> Substance:
    """Return what identifies a line."""
    shown = inci or trade_name or cas or ec or ""
    found: dict[str, None] = {}
    for text in filter(None, (inci, trade_name)):
        bare = normal_name(_NANO_MARK.sub(" ", text))
        for name in (normal_name(text), bare, *_alternatives(bare)):
            if name:
                found[name] = None
                found[_synonyms().get(name, name)] = None
    names = tuple(found)
    cas_text = f"{cas or ''} {inci or ''}"
    return Substance(
        shown=shown,
        names=names,
        cas=tuple(each for each in find_cas(cas_text) if is_cas(each)),
        ec=tuple(each for each in find_ec(ec or "") if is_ec(each)),
        ci=tuple(dict.fromkeys([*_CI.findall(shown), *_colour_index(names)])),
        is_nano=bool(_NANO.search(shown)),
        is_blend=any(name in name_table()["blends"] for name in names),
        is_only_ci=bool(inci and _ONLY_CI.fullmatch(inci.strip())),
    )


def _colour_index(names: Iterable[str]) -> list[str]:
    table = name_table()["colour_index"]
    return [number for name in names for number in table.get(name, ())]


def _alternatives(name: str) -> list[str]:
    """Return the parts of `aqua/water` and `aqua (water)`, never of one INCI name.

    A part counts only where the synonym table knows it or the whole is such a pair.
    """
    match = re.fullmatch(r"([^()/]+)[(/]([^()/]+)\)?", name)
    if match is None:
        return []
    one, other = (part.strip() for part in match.groups())
    table = _synonyms()
    return [one, other] if table.get(one, one) == table.get(other, other) else []


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that names an ingredient, by what, and whether it is only possible."""

    rule: AnnexRule
    by: str
    is_possible: bool = False


class RuleIndex:
    """Looks up the rules of a set by every identifier."""

    def __init__(self, rules: Iterable[AnnexRule]) -> None:
        self.rules = tuple(rules)
        self._cas: dict[str, list[AnnexRule]] = {}
        self._ec: dict[str, list[AnnexRule]] = {}
        self._ci: dict[str, list[AnnexRule]] = {}
        self._names: dict[str, list[AnnexRule]] = {}
        self._keys: dict[str, list[AnnexRule]] = {}
        for rule in self.rules:
            self._add(rule)
        self._add_members()

    def _add(self, rule: AnnexRule) -> None:
        dropped = set(map(normal_name, rule.not_names))
        self._keys.setdefault(f"{rule.list}/{rule.ref}", []).append(rule)
        for number in rule.cas:
            self._cas.setdefault(number, []).append(rule)
        for number in rule.ec:
            self._ec.setdefault(number, []).append(rule)
        for number in rule.ci:
            self._ci.setdefault(number.split(":")[0], []).append(rule)
        for name in dict.fromkeys(map(normal_name, rule.names)):
            if name not in dropped:
                self._names.setdefault(name, []).append(rule)

    def _add_members(self) -> None:
        """Add the known members of classes that entries name without numbers."""
        for key, members in name_table()["members"].items():
            for rule in self._keys.get(key, ()):
                for name, cas in members.items():
                    for table, at in (
                        (self._names, normal_name(name)),
                        (self._cas, cas),
                    ):
                        held = table.setdefault(at, []) if at else []
                        if rule not in held:
                            held.append(rule)

    def matches(self, substance: Substance) -> list[Match]:
        """Return every rule that names a substance, each once."""
        found: dict[str, Match] = {}
        tables = (
            ("CAS", self._cas, substance.cas),
            ("EC", self._ec, substance.ec),
            ("CI", self._ci, substance.ci),
            ("name", self._names, substance.names),
        )
        for kind, table, values in tables:
            for value in values:
                for rule in table.get(value, ()):
                    if _is_other_size(rule, substance):
                        continue
                    found.setdefault(_at(rule), Match(rule, f"{kind} {value}"))
        if not found:
            for word, keys in name_table()["hints"].items():
                hints = (re.search(word, name) for name in substance.names)
                if hint := next(filter(None, hints), None):
                    for rule in (r for key in keys for r in self._keys.get(key, ())):
                        found.setdefault(
                            _at(rule),
                            Match(rule, f"word {hint[0]!r}", is_possible=True),
                        )
        return list(found.values())

    def names(self, substance: Substance) -> bool:
        """Return whether any rule names a substance, in whatever size."""
        tables = (
            (self._cas, substance.cas),
            (self._ec, substance.ec),
            (self._ci, substance.ci),
            (self._names, substance.names),
        )
        return any(value in table for table, values in tables for value in values)

    def has_nano_entry(self, rule: AnnexRule) -> bool:
        """Return whether the rule's list has an entry of its own for the nano form."""
        return any(
            other.nano and set(other.cas) & set(rule.cas)
            for number in rule.cas
            for other in self._cas.get(number, ())
            if other.list == rule.list
        )


def _at(rule: AnnexRule) -> str:
    return f"{rule.key}@{rule.new_from}@{rule.new_until}@{rule.source_sha256}"


def _is_other_size(rule: AnnexRule, substance: Substance) -> bool:
    """An entry for the nano form says nothing of the substance in another form."""
    return rule.nano and not substance.is_nano


def is_identified(substance: Substance) -> bool:
    """Return whether the substance is known, though no rule names it."""
    if substance.cas or substance.ec or substance.ci:
        return True
    return any(
        name in _known_names() or any(p.fullmatch(name) for p in _patterns())
        for name in substance.names
    )


def searched(substance: Substance) -> str:
    """Return by what a substance was looked for."""
    parts = [f"name {substance.shown!r}"]
    parts += [f"CAS {each}" for each in substance.cas]
    parts += [f"EC {each}" for each in substance.ec]
    parts += [f"CI {each}" for each in substance.ci]
    return ", ".join(parts)
