"""The board: the state of each item, and a finding for each thing that is missing.

States are computed from the evidence and never set by hand. What a person states, a
waiver or a declaration, is an input like a document; evidence takes precedence over it.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from dossier.core.findings import Finding, Message, Severity
from dossier.pif.constants import COMPLETE_STATES, DecisionKind, ItemState, Means
from dossier.pif.rules.items import Item, Requirement, rulebook

SIGNED_ITEM = 16
"""The item in which the signatory gives the reasons for waivers."""

_RANK = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class EvidenceLink:
    """A document that serves an item; without a requirement, the whole item."""

    document_id: UUID
    item: int
    requirement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A waiver or a declaration with its reason."""

    kind: DecisionKind
    item: int
    reason: str
    actor_name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a board is computed from.

    `filled` are the product's filled fields; `phase_in_on` is the day from which the
    file is asked for, `None` where it is not; `as_of` is the day of the board.
    """

    as_of: date
    phase_in_on: date | None
    filled: frozenset[str] = frozenset()
    has_formula: bool = False
    formula_findings: tuple[Finding, ...] = ()
    links: tuple[EvidenceLink, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardRequirement:
    """A requirement with its state and the documents that meet it."""

    rule: Requirement
    state: ItemState
    documents: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class BoardItem:
    """An item with its state."""

    rule: Item
    state: ItemState
    requirements: tuple[BoardRequirement, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """How many items are in which state."""

    present: int
    declared: int
    waived: int
    not_applicable: int
    stale: int
    missing: int
    complete: int
    total: int


def board_items(evidence: Evidence, market: str = "tw") -> tuple[BoardItem, ...]:
    """Return the items of a market with their states."""
    return tuple(_board_item(item, evidence) for item in rulebook(market).items)


def completeness(items: Sequence[BoardItem]) -> Completeness:
    """Count the items by state."""
    counts = dict.fromkeys(ItemState, 0)
    for item in items:
        counts[item.state] += 1
    return Completeness(
        **{state.value: count for state, count in counts.items()},
        complete=sum(counts[state] for state in COMPLETE_STATES),
        total=len(items),
    )


def filled_fields(facts: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that hold something, as requirements name them.

    A field inside another is named with a dot: `holder.address`.
    """
    names = set()
    for name, value in facts.items():
        if isinstance(value, Mapping):
            names |= {f"{name}.{inner}" for inner in filled_fields(value)}
        elif value.strip() if isinstance(value, str) else value:
            names.add(name)
    return frozenset(names)


def _board_item(item: Item, evidence: Evidence) -> BoardItem:
    decision = next(
        (
            decision
            for decision in evidence.decisions
            if decision.item == item.number and decision.kind is item.allows
        ),
        None,
    )
    fallback = _state_without_evidence(decision, evidence)
    requirements = []
    for rule in item.requirements:
        documents = {
            link.document_id
            for link in evidence.links
            if link.item == item.number and link.requirement in (None, rule.code)
        }
        has_fields = bool(rule.fields) and all(
            evidence.filled.intersection(group) for group in rule.fields
        )
        met_by = {
            Means.DOCUMENT: bool(documents),
            Means.FORMULA: evidence.has_formula,
            Means.PRODUCT_FIELD: has_fields,
        }
        is_met = any(met_by[means] for means in rule.satisfied_by)
        state = ItemState.PRESENT if is_met else fallback
        requirements.append(BoardRequirement(rule, state, tuple(sorted(documents))))
    is_present = all(entry.state is ItemState.PRESENT for entry in requirements)
    state = ItemState.PRESENT if is_present else fallback
    return BoardItem(item, state, tuple(requirements), decision)


def _state_without_evidence(decision: Decision | None, evidence: Evidence) -> ItemState:
    """Return the state of an item or requirement that no evidence meets."""
    if decision is not None and decision.kind is DecisionKind.WAIVER:
        return ItemState.WAIVED
    if decision is not None:
        return ItemState.DECLARED
    if evidence.phase_in_on is None:
        return ItemState.NOT_APPLICABLE
    return ItemState.MISSING


def board_findings(
    items: Sequence[BoardItem], evidence: Evidence, market: str = "tw"
) -> tuple[Finding, ...]:
    """Return the findings of a board and its formula, the gravest first."""
    severity = gap_severity(evidence)
    found = [
        *evidence.formula_findings,
        *_missing(items, evidence, severity, market),
        *_unsigned_waivers(items, severity, market),
    ]
    codes = {
        requirement.code
        for item in rulebook(market).items
        for requirement in item.requirements
    }
    found += [
        _finding(
            "unknown-requirement",
            market,
            severity=Severity.WARNING,
            item=link.item,
            article=None,
            words={"code": link.requirement},
        )
        for link in evidence.links
        if link.requirement is not None and link.requirement not in codes
    ]
    if evidence.phase_in_on is None:
        found.append(
            _finding(
                "file-not-required",
                market,
                severity=Severity.INFO,
                item=None,
                article=rulebook(market).exemption_article,
                words={},
            )
        )
    return tuple(sorted(found, key=lambda each: (_RANK[each.severity], each.item or 0)))


def gap_severity(evidence: Evidence) -> Severity:
    """Weigh a gap: it blocks from the day on which the file is asked for."""
    if evidence.phase_in_on is None:
        return Severity.INFO
    is_due = evidence.phase_in_on <= evidence.as_of
    return Severity.BLOCKING if is_due else Severity.WARNING


def _missing(
    items: Sequence[BoardItem], evidence: Evidence, severity: Severity, market: str
) -> Iterator[Finding]:
    """Yield one finding for an item that lacks all, else one per requirement."""
    document_count = len({link.document_id for link in evidence.links})
    for item in items:
        if item.state is not ItemState.MISSING:
            continue
        rule = item.rule
        title = {"title_zh": rule.title.zh, "title_en": rule.title.en}
        missing = [r.rule for r in item.requirements if r.state is ItemState.MISSING]
        if len(missing) == len(item.requirements):
            means = frozenset().union(*(each.satisfied_by for each in missing))
            yield _finding(
                "missing-item",
                market,
                severity=severity,
                item=rule.number,
                article=rule.article,
                words=title | _searched(means, document_count),
                closes_by=rule.closes_by,
            )
            continue
        for requirement in missing:
            words = title | _searched(requirement.satisfied_by, document_count)
            words |= {"part_zh": requirement.name.zh, "part_en": requirement.name.en}
            yield _finding(
                "missing-requirement",
                market,
                severity=severity,
                item=rule.number,
                article=requirement.article,
                words=words,
                closes_by=requirement.closes_by,
            )


def _searched(means: Collection[Means], document_count: int) -> dict[str, str]:
    """Return where evidence was looked for, in both languages."""
    searched = [words for way, words in _sentences()["sought"].items() if way in means]
    zh, en = ([words[language] for words in searched] for language in ("zh", "en"))
    return {
        "sought_zh": "\uff0c".join(zh).format(documents=document_count),
        "sought_en": ", ".join(en).format(documents=document_count),
    }


def _unsigned_waivers(
    items: Sequence[BoardItem], severity: Severity, market: str
) -> Iterator[Finding]:
    if items[SIGNED_ITEM - 1].state is ItemState.PRESENT:
        return
    for item in items:
        if item.state is ItemState.WAIVED:
            yield _finding(
                "needs-signatory-reason",
                market,
                severity=severity,
                item=item.rule.number,
                article=rulebook(market).waiver_article,
                words={"item": item.rule.number},
            )


def _finding(
    code: str,
    market: str,
    *,
    severity: Severity,
    item: int | None,
    article: str | None,
    words: Mapping[str, Any],
    closes_by: Message | None = None,
) -> Finding:
    """Return a finding with the sentences of its code, filled with the words."""
    sentences = _sentences()[code]
    message = {
        language: text.format_map(words)
        for language, text in sentences["message"].items()
    }
    return Finding(
        code=code,
        severity=severity,
        market=market,
        item=item,
        article=article,
        message=Message(**message),
        closes_by=closes_by or Message(**sentences["closes_by"]),
    )


@cache
def _sentences() -> Mapping[str, Any]:
    text = resources.files("dossier.pif").joinpath("data/findings.json")
    sentences: Mapping[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return sentences
