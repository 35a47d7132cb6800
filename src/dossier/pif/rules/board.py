"""The board: the state of each item, and a finding for each thing that is missing.

States are computed from the evidence and never set by hand. What a person states, a
waiver or a declaration, is an input like a document; evidence takes precedence over it.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from dossier.core.findings import Finding, Message, Place, Severity
from dossier.pif.constants import COMPLETE_STATES, DecisionKind, ItemState, Means
from dossier.pif.rules.evidence import (
    Confirmation,
    EvidenceReason,
    Judgement,
    LinkedDocument,
    Material,
    judge_document,
    uncovered,
)
from dossier.pif.rules.items import Item, Requirement, rulebook

SIGNED_ITEM = 16
"""The item in which the signatory gives the reasons for waivers."""

COVERAGE = frozenset({"tw-9.ingredients", "tw-10.toxicology"})
"""Requirements that ask for a document on every raw material of the formula."""

_RANK = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}

# The first state that holds is the state of a requirement, the last one that of an
# item: evidence counts before a decision, a decision before what a person must look at.
_ORDER = (
    ItemState.PRESENT,
    ItemState.WAIVED,
    ItemState.DECLARED,
    ItemState.NOT_APPLICABLE,
    ItemState.STALE,
    ItemState.UNCONFIRMED,
    ItemState.MISSING,
)


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
    documents: Mapping[UUID, LinkedDocument] = field(default_factory=dict)
    confirmations: tuple[Confirmation, ...] = ()
    materials: tuple[Material, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardRequirement:
    """A requirement with its state and what each linked document shows of it.

    `gaps` are the raw materials that no document covers, of `material_count`.
    """

    rule: Requirement
    state: ItemState
    documents: tuple[UUID, ...]
    judgements: tuple[Judgement, ...] = ()
    gaps: tuple[str, ...] = ()
    material_count: int = 0


@dataclass(frozen=True, slots=True)
class BoardItem:
    """An item with its state."""

    rule: Item
    state: ItemState
    requirements: tuple[BoardRequirement, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """How many items are in which state.

    `complete` + `blocked` + `stale` + `unconfirmed` + `missing` = `total`: a blocked
    item would be complete but for a blocking finding on it.
    """

    present: int
    declared: int
    waived: int
    not_applicable: int
    stale: int
    unconfirmed: int
    missing: int
    blocked: int
    complete: int
    total: int


def board_items(evidence: Evidence, market: str = "tw") -> tuple[BoardItem, ...]:
    """Return the items of a market with their states."""
    return tuple(_board_item(item, evidence) for item in rulebook(market).items)


def completeness(
    items: Sequence[BoardItem], findings: Iterable[Finding] = ()
) -> Completeness:
    """Count the items by state, and those that a blocking finding keeps open."""
    counts = dict.fromkeys(ItemState, 0)
    for item in items:
        counts[item.state] += 1
    blocking = {
        finding.item for finding in findings if finding.severity is Severity.BLOCKING
    }
    complete = [item for item in items if item.state in COMPLETE_STATES]
    blocked = sum(item.rule.number in blocking for item in complete)
    return Completeness(
        **{state.value: count for state, count in counts.items()},
        blocked=blocked,
        complete=len(complete) - blocked,
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
    requirements = tuple(
        _board_requirement(rule, item, evidence, decision) for rule in item.requirements
    )
    state = max((entry.state for entry in requirements), key=_ORDER.index)
    return BoardItem(item, state, requirements, decision)


def _board_requirement(
    rule: Requirement, item: Item, evidence: Evidence, decision: Decision | None
) -> BoardRequirement:
    """Return the best state that product facts, formula, documents or a decision give.

    A requirement on every raw material is unconfirmed while one of them is uncovered.
    """
    judgements = _judgements(rule, item, evidence)
    states = {_state_without_evidence(decision, evidence)}
    states |= {each.state for each in judgements if each.state is not None}
    has_fields = bool(rule.fields) and all(
        evidence.filled.intersection(group) for group in rule.fields
    )
    if Means.PRODUCT_FIELD in rule.satisfied_by and has_fields:
        states.add(ItemState.PRESENT)
    if Means.FORMULA in rule.satisfied_by and evidence.has_formula:
        states.add(ItemState.PRESENT)
    gaps: tuple[str, ...] = ()
    if rule.code in COVERAGE and ItemState.PRESENT in states:
        gaps = uncovered(evidence.materials, judgements)
        if gaps:
            states = states - {ItemState.PRESENT} | {ItemState.UNCONFIRMED}
    documents = {
        link.document_id
        for link in evidence.links
        if link.item == item.number and link.requirement in (None, rule.code)
    }
    return BoardRequirement(
        rule,
        min(states, key=_ORDER.index),
        tuple(sorted(documents)),
        judgements,
        gaps,
        len(evidence.materials) if rule.code in COVERAGE else 0,
    )


def _judgements(
    rule: Requirement, item: Item, evidence: Evidence
) -> tuple[Judgement, ...]:
    """Judge the documents that are linked to a requirement, or to its whole item.

    Of the latter, one whose kind serves another requirement of the item is left out.
    """
    need = rule.documents
    if need is None:
        return ()
    elsewhere = frozenset[str]().union(
        *(each.documents.kinds for each in item.requirements if each.documents)
    )
    confirmed = {
        each.document_id: each
        for each in evidence.confirmations
        if each.item == item.number and each.requirement == rule.code
    }
    found = {}
    for link in evidence.links:
        document = evidence.documents.get(link.document_id)
        if link.item != item.number or document is None:
            continue
        if link.requirement not in (None, rule.code):
            continue
        judgement = judge_document(
            document,
            need,
            as_of=evidence.as_of,
            confirmation=confirmed.get(document.document_id),
        )
        is_for_another = link.requirement is None and document.kind in elsewhere
        if judgement.reason is EvidenceReason.OTHER_KIND and is_for_another:
            continue
        found[document.document_id] = judgement
    return tuple(found[key] for key in sorted(found))


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
        *_of_documents(items, market),
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


def _of_documents(items: Sequence[BoardItem], market: str) -> Iterator[Finding]:
    """Yield what is wrong with linked documents, one finding for each of an item.

    A document that does not show a requirement is no finding where another one does.
    """
    seen = set()
    for item in items:
        for entry in item.requirements:
            for judgement in entry.judgements:
                noted = _noted(judgement, entry.state)
                if noted is None:
                    continue
                code, severity, words = noted
                document = judgement.document
                if (key := (code, item.rule.number, document.document_id)) in seen:
                    continue
                seen.add(key)
                yield _finding(
                    code,
                    market,
                    severity=severity,
                    item=item.rule.number,
                    article=entry.rule.article,
                    words=words
                    | {
                        "filename": document.filename,
                        "part_zh": entry.rule.name.zh,
                        "part_en": entry.rule.name.en,
                    },
                    place=Place(
                        filename=document.filename,
                        sha256=document.sha256,
                        document_id=str(document.document_id),
                        page=judgement.fact.page if judgement.fact else None,
                    ),
                )
            if entry.gaps:
                total = entry.material_count
                yield _finding(
                    "materials-not-covered",
                    market,
                    severity=Severity.WARNING,
                    item=item.rule.number,
                    article=entry.rule.article,
                    words={
                        "part_zh": entry.rule.name.zh,
                        "part_en": entry.rule.name.en,
                        "total": total,
                        "covered": total - len(entry.gaps),
                        "gaps": ", ".join(entry.gaps),
                    },
                )


def _noted(
    judgement: Judgement, state: ItemState
) -> tuple[str, Severity, dict[str, Any]] | None:
    """Return code, severity and words of the finding on a document, if there is one."""
    document = judgement.document
    if judgement.reason is EvidenceReason.OTHER_PRODUCT:
        raw = document.identity.raw if document.identity else ""
        return "other-product", Severity.WARNING, {"raw": raw}
    if (failed := judgement.failed) is not None:
        return "report-fails", Severity.BLOCKING, {"raw": failed.raw}
    if judgement.reason is EvidenceReason.EXPIRED and judgement.fact:
        is_all = state is ItemState.STALE
        severity = Severity.WARNING if is_all else Severity.INFO
        return "expired-document", severity, {"value": judgement.fact.value}
    if state is ItemState.UNCONFIRMED and judgement.state is ItemState.UNCONFIRMED:
        why, facts = _sentences()["why"][judgement.reason], _sentences()["facts"]
        unread = [facts[name] for name in judgement.unread]
        words = {
            "why_zh": why["zh"].format(facts_zh="、".join(n["zh"] for n in unread)),
            "why_en": why["en"].format(facts_en=", ".join(n["en"] for n in unread)),
        }
        return "unconfirmed-evidence", Severity.WARNING, words
    return None


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
    place: Place | None = None,
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
        place=place,
    )


@cache
def _sentences() -> Mapping[str, Any]:
    text = resources.files("dossier.pif").joinpath("data/findings.json")
    sentences: Mapping[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return sentences
