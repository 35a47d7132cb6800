"""The board: the state of each item, computed from the evidence and nothing else.

A state is never set by hand. What a person states, a waiver or a declaration, is an
input like a document; evidence takes precedence over it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from dossier.core.findings import Finding
from dossier.pif.constants import COMPLETE_STATES, DecisionKind, ItemState, Means
from dossier.pif.rules.items import Item, Requirement, rulebook


@dataclass(frozen=True, slots=True)
class Link:
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
    links: tuple[Link, ...] = ()
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


def unknown_requirement_links(evidence: Evidence, market: str = "tw") -> list[Link]:
    """Return the links that name a requirement which the market does not have."""
    items = rulebook(market).items
    codes = {part.code for item in items for part in item.requirements}
    return [
        link
        for link in evidence.links
        if link.requirement is not None and link.requirement not in codes
    ]


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
    fallback = _without_evidence(decision, evidence)
    requirements = []
    for rule in item.requirements:
        documents = _documents_for(rule.code, item.number, evidence.links)
        is_met = _is_met(rule, documents, evidence)
        state = ItemState.PRESENT if is_met else fallback
        requirements.append(BoardRequirement(rule, state, documents))
    is_present = all(entry.state is ItemState.PRESENT for entry in requirements)
    state = ItemState.PRESENT if is_present else fallback
    return BoardItem(item, state, tuple(requirements), decision)


def _without_evidence(decision: Decision | None, evidence: Evidence) -> ItemState:
    """Return the state of what no evidence meets."""
    if decision is not None and decision.kind is DecisionKind.WAIVER:
        return ItemState.WAIVED
    if decision is not None:
        return ItemState.DECLARED
    if evidence.phase_in_on is None:
        return ItemState.NOT_APPLICABLE
    return ItemState.MISSING


def _documents_for(code: str, item: int, links: Iterable[Link]) -> tuple[UUID, ...]:
    found = {
        link.document_id
        for link in links
        if link.item == item and link.requirement in (None, code)
    }
    return tuple(sorted(found))


def _is_met(part: Requirement, documents: tuple[UUID, ...], evidence: Evidence) -> bool:
    by = part.satisfied_by
    return (
        (Means.DOCUMENT in by and bool(documents))
        or (Means.FORMULA in by and evidence.has_formula)
        or (Means.PRODUCT_FIELD in by and _are_filled(part.fields, evidence.filled))
    )


def _are_filled(groups: tuple[tuple[str, ...], ...], filled: frozenset[str]) -> bool:
    return bool(groups) and all(filled.intersection(group) for group in groups)
