"""The board: the state of each item and of each of its requirements.

States are computed from the evidence and never set by hand. What a person states, a
waiver or a declaration, is an input like a document; evidence takes precedence over it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from dossier.core.findings import Finding, Severity
from dossier.documents.facts.types import FactName, ProductIdentity
from dossier.pif.constants import (
    COMPLETE_STATES,
    STATE_ORDER,
    Coverage,
    DecisionKind,
    FileStatus,
    FormulaChange,
    ItemState,
    JudgementCode,
    Means,
)
from dossier.pif.rules.changes import (
    composition_sha256,
    formula_changes,
    shown_changes,
)
from dossier.pif.rules.coverage import CoverageRow, coverage_of, state_with
from dossier.pif.rules.evidence import (
    Confirmation,
    Judgement,
    ReadDocument,
    Subject,
    best_state,
    judge_document,
    subject_of,
    version_key,
)
from dossier.pif.rules.items import Item, Requirement, rulebook

SIGNED_REQUIREMENT: Final = "tw-16.assessment"
"""The conclusion that the signatory signs, with the reasons for waivers."""


NO_IDENTITY: Final = ProductIdentity(names=())
"""Of a product of which nothing is known."""


@dataclass(frozen=True, slots=True)
class EvidenceLink:
    """A document that serves an item; without a requirement, the whole item.

    `formula` are the quantities by ingredient when it was linked.
    """

    document_id: UUID
    item: int
    requirement: str | None = None
    formula: Mapping[str, str] | None = None


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
    `is_formula_undecided`: a formula file is there, but no line was taken from it.
    `documents` are the linked ones; `formula_document_id` is the document that the
    formula was imported from; `formula` are its quantities by ingredient, imported at
    `formula_at`; `earlier_formulas` are the documents of the imports before that;
    `site_steps` are what the sites of the identity do.
    `exempt_materials` are reasons by the normalised name of the material.
    """

    as_of: date
    phase_in_on: date | None
    filled: frozenset[str] = frozenset()
    has_formula: bool = False
    is_formula_undecided: bool = False
    formula_findings: tuple[Finding, ...] = ()
    links: tuple[EvidenceLink, ...] = ()
    decisions: tuple[Decision, ...] = ()
    documents: tuple[ReadDocument, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    identity: ProductIdentity = field(default=NO_IDENTITY)
    formula_document_id: UUID | None = None
    formula: Mapping[str, str] = field(default_factory=dict)
    formula_at: datetime | None = None
    earlier_formulas: tuple[ReadDocument, ...] = ()
    site_steps: tuple[str, ...] = ()
    exempt_materials: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoardRequirement:
    """A requirement with its state, the documents linked to it and how they count."""

    rule: Requirement
    state: ItemState
    documents: tuple[UUID, ...]
    judgements: tuple[Judgement, ...] = ()
    coverage: tuple[CoverageRow, ...] = ()


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

    `blocked`: complete by their state, but with a blocking finding. Complete, blocked,
    unconfirmed, stale and missing make up the total.
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
    status: FileStatus


def board_items(evidence: Evidence, market: str = "tw") -> tuple[BoardItem, ...]:
    """Return the items of a market with their states."""
    signed_item = rulebook(market).item_of(SIGNED_REQUIREMENT)
    subject = subject_of(
        evidence.as_of,
        evidence.identity,
        evidence.documents,
        formula_document_id=evidence.formula_document_id,
        signed=[
            link.document_id
            for link in evidence.links
            if link.item == signed_item.number
            and link.requirement in (None, SIGNED_REQUIREMENT)
        ],
        site_steps=evidence.site_steps,
    )
    signed = _board_item(signed_item, evidence, subject)
    conclusions = [each.document for each in signed_conclusions([signed])]
    if conclusions:
        # The credentials are those of who signed the assessment that counts.
        subject = replace(
            subject,
            identity=replace(
                subject.identity,
                signers=tuple(
                    fact.value
                    for document in conclusions
                    for fact in document.read(FactName.SIGNER_NAME)
                ),
            ),
        )
        signed = _board_item(signed_item, evidence, subject)
    return tuple(
        signed
        if item is signed_item
        else _board_item(item, evidence, subject, conclusions)
        for item in rulebook(market).items
    )


def signed_conclusions(items: Sequence[BoardItem]) -> Iterator[Judgement]:
    """Yield the documents that count as the signed 16(1)."""
    for item in items:
        for requirement in item.requirements:
            if requirement.rule.code == SIGNED_REQUIREMENT:
                for judgement in requirement.judgements:
                    if judgement.state is ItemState.PRESENT:
                        yield judgement


def completeness(
    items: Sequence[BoardItem], findings: Sequence[Finding] = ()
) -> Completeness:
    """Count the items by state."""
    counts = Counter(item.state for item in items)
    blocking = {each.item for each in findings if each.severity is Severity.BLOCKING}
    done = [item for item in items if item.state in COMPLETE_STATES]
    blocked = sum(1 for item in done if item.rule.number in blocking)
    complete = len(done) - blocked
    status = FileStatus.COMPLETE if complete == len(items) else FileStatus.OPEN
    if blocking or counts[ItemState.MISSING]:
        status = FileStatus.BLOCKED
    return Completeness(
        **{state.value: counts[state] for state in ItemState},
        blocked=blocked,
        complete=complete,
        total=len(items),
        status=status,
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


def _board_item(
    item: Item,
    evidence: Evidence,
    subject: Subject,
    conclusions: Sequence[ReadDocument] = (),
) -> BoardItem:
    """Return an item; `conclusions` are the signed 16(1), which may waive it."""
    decision = next(
        (
            decision
            for decision in evidence.decisions
            if decision.item == item.number and decision.kind is item.allows
        ),
        None,
    )
    requirements = tuple(
        _board_requirement(item, rule, decision, evidence, subject, conclusions)
        for rule in item.requirements
    )
    worst = max((each.state for each in requirements), key=STATE_ORDER.__getitem__)
    return BoardItem(item, worst, requirements, decision)


def _board_requirement(
    item: Item,
    rule: Requirement,
    decision: Decision | None,
    evidence: Evidence,
    subject: Subject,
    conclusions: Sequence[ReadDocument],
) -> BoardRequirement:
    """Judge the documents of a requirement; the best of all means is its state."""
    of_item: dict[UUID, list[EvidenceLink]] = {}
    for link in evidence.links:
        if link.item == item.number:
            of_item.setdefault(link.document_id, []).append(link)
    elsewhere = _serving_another(item, rule, evidence.documents)
    linked = {
        link.document_id
        for links in of_item.values()
        for link in links
        if link.requirement == rule.code
        or (link.requirement is None and link.document_id not in elsewhere)
    }
    judged = []
    for document in sorted(evidence.documents, key=lambda each: each.document_id):
        if document.document_id not in of_item or not rule.documents:
            continue
        confirmation = _confirmation(document, item, rule, evidence)
        judgement = judge_document(
            document,
            rule,
            subject,
            allows=item.allows,
            confirmation=confirmation,
            formula_change=""
            if _covers_formula(confirmation, evidence)
            or _names_new_version(document, subject, evidence)
            else _formula_change(of_item[document.document_id], rule, evidence),
        )
        judged.append(judgement)
    judgements = (
        *(each for each in judged if each.document.document_id in linked),
        *_read_elsewhere(item, rule, evidence, subject),
        *_waived_by(item, rule, conclusions),
    )
    # A table in a document of another requirement may name materials too.
    coverage = coverage_of(rule.coverage, judged, subject, evidence.exempt_materials)
    states = [documents_state(rule, judgements, coverage)]
    states += _other_states(rule, decision, evidence)
    linked |= {each.document.document_id for each in judgements}
    return BoardRequirement(
        rule,
        min(states, key=STATE_ORDER.__getitem__),
        tuple(sorted(linked)),
        judgements,
        coverage,
    )


def _other_states(
    rule: Requirement, decision: Decision | None, evidence: Evidence
) -> Iterator[ItemState]:
    """Yield the states that fields, the formula, a decision and the category give."""
    has_fields = bool(rule.fields) and all(
        evidence.filled.intersection(group) for group in rule.fields
    )
    if Means.PRODUCT_FIELD in rule.satisfied_by and has_fields:
        yield ItemState.PRESENT
    if Means.FORMULA in rule.satisfied_by and evidence.has_formula:
        is_open = evidence.is_formula_undecided
        yield ItemState.UNCONFIRMED if is_open else ItemState.PRESENT
    if decision is not None:
        is_waiver = decision.kind is DecisionKind.WAIVER
        yield ItemState.WAIVED if is_waiver else ItemState.DECLARED
    if evidence.phase_in_on is None:
        yield ItemState.NOT_APPLICABLE


def _waived_by(
    item: Item, rule: Requirement, conclusions: Sequence[ReadDocument]
) -> Iterator[Judgement]:
    """Yield the signed 16(1) that says why a test is not needed (PIF Reg. Art. 3)."""
    if item.allows is not DecisionKind.WAIVER:
        return
    kinds = {need.kind for need in rule.documents}
    for document in conclusions:
        for fact in document.read(FactName.WAIVER_REASON):
            if fact.value in kinds:
                yield Judgement(
                    document=document,
                    state=ItemState.WAIVED,
                    code=JudgementCode.WAIVER_REASON,
                    fact=fact,
                )


def _read_elsewhere(
    item: Item, rule: Requirement, evidence: Evidence, subject: Subject
) -> Iterator[Judgement]:
    """Yield documents of other items that show what a requirement asks for."""
    kinds = {need.kind for need in rule.documents if need.anywhere}
    if not kinds:
        return
    here = {each.document_id for each in evidence.links if each.item == item.number}
    others = {each.document_id for each in evidence.links} - here
    for document in evidence.documents:
        kind = document.kind.kind if document.kind else None
        if document.document_id in others and kind in kinds:
            judgement = judge_document(document, rule, subject)
            if judgement.code is JudgementCode.READ:
                yield judgement


def _serving_another(
    item: Item, rule: Requirement, documents: Sequence[ReadDocument]
) -> set[UUID]:
    """Return documents that by their kind meet another requirement of an item.

    Linked to the whole item they are no evidence, not even an unconfirmed one, of what
    their content does not speak of.
    """
    own = {need.kind for need in rule.documents}
    others = {need.kind for each in item.requirements for need in each.documents} - own
    return {
        document.document_id
        for document in documents
        if document.kind is not None and document.kind.kind in others
    }


def documents_state(
    rule: Requirement,
    judgements: Sequence[Judgement],
    coverage: Sequence[CoverageRow],
) -> ItemState:
    """Return the state that documents give a requirement.

    Of raw materials, naming them all is enough: a profile may name others beside them.
    A person who confirms a document answers for what it covers.
    """
    state = best_state(judgements)
    if rule.coverage is None:
        return state
    if rule.coverage is Coverage.SITES:
        return state_with(coverage, state)
    if any(each.code is JudgementCode.CONFIRMED for each in judgements):
        return state
    if not any(row.documents for row in coverage):
        return ItemState.UNCONFIRMED if state is ItemState.PRESENT else state
    if all(row.is_covered for row in coverage):
        return ItemState.PRESENT
    is_open = state in {ItemState.PRESENT, ItemState.MISSING}
    return ItemState.UNCONFIRMED if is_open else state


def _covers_formula(confirmation: Confirmation | None, evidence: Evidence) -> bool:
    """Return whether a confirmation was made for the present formula.

    One of another composition is none (see `_confirmation`).
    """
    return confirmation is not None and (
        confirmation.formula is not None
        or bool(evidence.formula_at and confirmation.at > evidence.formula_at)
    )


def _names_new_version(
    document: ReadDocument, subject: Subject, evidence: Evidence
) -> bool:
    """Return whether a document names the present version, and no formula before did.

    A changed formula that kept its version number leaves open which one is meant.
    """
    before = [_versions(each) for each in evidence.earlier_formulas]
    new = subject.formula_versions.difference(*before)
    return all(before) and bool(before and _versions(document) & new)


def _versions(document: ReadDocument) -> set[str]:
    return {version_key(f.value) for f in document.read(FactName.FORMULA_VERSION)}


def _formula_change(
    links: Sequence[EvidenceLink], rule: Requirement, evidence: Evidence
) -> str:
    """Return how the formula has changed since a document was linked, or nothing.

    The best link counts.
    """
    words: list[str] = []
    for link in links:
        if link.requirement not in (None, rule.code):
            continue
        changes = formula_changes(link.formula, evidence.formula)
        words = [
            each
            for change in FormulaChange
            if change in rule.stale_after
            for each in changes.get(change, ())
        ]
        if not words:
            return ""
    return shown_changes(words)


def _confirmation(
    document: ReadDocument, item: Item, rule: Requirement, evidence: Evidence
) -> Confirmation | None:
    """Return the confirmation of a document that counts: of its bytes, the newest.

    One that names a composition counts for that one alone, where the composition
    matters.
    """
    return max(
        (
            each
            for each in evidence.confirmations
            if each.document_id == document.document_id
            and each.sha256 == document.sha256
            and each.item == item.number
            and each.requirement in (None, rule.code)
            and not (rule.stale_after and of_other_formula(each, evidence))
        ),
        key=lambda each: each.at,
        default=None,
    )


def of_other_formula(confirmation: Confirmation, evidence: Evidence) -> bool:
    """Return whether a confirmation names another composition than the present one."""
    if confirmation.formula is None or not evidence.formula:
        return False
    return not composition_sha256(evidence.formula).startswith(confirmation.formula)
