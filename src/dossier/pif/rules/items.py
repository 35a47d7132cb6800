"""The sixteen items of Taiwan's file and their requirements, read from data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dossier.core.findings import Basis, Message, Severity
from dossier.documents.facts.types import FactName
from dossier.pif.constants import (
    Coverage,
    DecisionKind,
    FormulaChange,
    IdentityKey,
    JudgementCode,
    Means,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentNeed:
    """A kind of document that meets a requirement, and what must be read in it.

    `expires`: it counts only until the end of its validity. `signed`: it counts only
    with a signature. `anywhere`: it counts where it is linked to another item too, as
    far as the facts were read.
    """

    kind: str
    identity: IdentityKey
    facts: tuple[FactName, ...]
    expires: bool
    signed: bool
    anywhere: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRule:
    """A finding of its own for one defect, instead of that for gaps of its kind.

    Without a severity it weighs as much as a document that is missing.
    """

    code: str
    severity: Severity | None
    article: str
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that an item asks for.

    `fields` are groups of product fields: each group needs one that is filled.
    `documents` are the kinds of which one is needed; `coverage` is what the documents
    must name one by one; `stale_after` are the changes of the formula after which
    documents that were linked before count no more. `findings` are those of documents
    that do not count, by what decided it.
    """

    code: str
    name: Message
    article: str
    satisfied_by: frozenset[Means]
    fields: tuple[tuple[str, ...], ...]
    documents: tuple[DocumentNeed, ...]
    coverage: Coverage | None
    stale_after: frozenset[FormulaChange]
    findings: Mapping[JudgementCode, FindingRule]
    evidence: Message
    closes_by: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of the sixteen items.

    `allows` is the decision that may replace documents; `partly` is the finding of an
    item of which only some requirements are met.
    """

    number: int
    title: Message
    article: str
    allows: DecisionKind | None
    partly: FindingRule | None
    closes_by: Message
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """What one market asks for, with the articles of its exceptions."""

    market: str
    items: tuple[Item, ...]
    waiver_article: str
    exemption_article: str
    language_article: str

    def item(self, number: int) -> Item:
        """Return an item by its number, from 1."""
        return self.items[number - 1]

    def item_of(self, requirement: str) -> Item:
        """Return the item of a requirement by its code."""
        return next(
            item
            for item in self.items
            if any(each.code == requirement for each in item.requirements)
        )


@cache
def rulebook(market: str = "tw") -> Rulebook:
    """Return what a market asks for."""
    name = f"data/{market}_items.json"
    data = json.loads(
        resources.files("dossier.pif").joinpath(name).read_text(encoding="utf-8")
    )
    return Rulebook(
        market=data["market"],
        items=tuple(_item(entry) for entry in data["items"]),
        waiver_article=data["waiver_article"],
        exemption_article=data["exemption_article"],
        language_article=data["language_article"],
    )


def _item(entry: Mapping[str, Any]) -> Item:
    return Item(
        number=entry["number"],
        title=Message(zh=entry["zh"], en=entry["en"]),
        article=entry["article"],
        allows=DecisionKind(entry["allows"]) if entry["allows"] else None,
        partly=_finding_rule(entry["partly"]) if "partly" in entry else None,
        closes_by=Message(**entry["closes_by"]),
        requirements=tuple(map(_requirement, entry["requirements"])),
    )


def _requirement(entry: Mapping[str, Any]) -> Requirement:
    return Requirement(
        code=entry["code"],
        name=Message(zh=entry["zh"], en=entry["en"]),
        article=entry["article"],
        satisfied_by=frozenset(Means(word) for word in entry["satisfied_by"]),
        fields=tuple(tuple(group) for group in entry["fields"]),
        documents=tuple(map(_need, entry["documents"])),
        coverage=Coverage(entry["coverage"]) if entry["coverage"] else None,
        stale_after=frozenset(map(FormulaChange, entry["stale_after"])),
        findings={
            JudgementCode(code): _finding_rule(rule)
            for code, rule in entry.get("findings", {}).items()
        },
        evidence=Message(**entry["evidence"]),
        closes_by=Message(**entry["closes_by"]),
    )


def _finding_rule(entry: Mapping[str, Any]) -> FindingRule:
    return FindingRule(
        code=entry["code"],
        severity=Severity(entry["severity"]) if entry["severity"] else None,
        article=entry["article"],
        basis=Basis(entry.get("basis", Basis.LAW)),
    )


def _need(entry: Mapping[str, Any]) -> DocumentNeed:
    return DocumentNeed(
        kind=entry["kind"],
        identity=IdentityKey(entry["identity"]),
        facts=tuple(map(FactName, entry["facts"])),
        expires=entry["expires"],
        signed=entry["signed"],
        anywhere=entry.get("anywhere", False),
    )
