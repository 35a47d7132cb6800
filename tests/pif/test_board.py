"""The board: states are computed from evidence alone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.evidence import (
    OTHER,
    THIS,
    UNKNOWN,
    WHOLE_FACTS,
    kind_for,
    linked_document,
)

from dossier.core.findings import Finding, Message, Severity
from dossier.documents.constants import TextState
from dossier.documents.facts.types import FactName
from dossier.pif.constants import DecisionKind, ItemState, Means
from dossier.pif.rules.board import (
    Decision,
    Evidence,
    EvidenceLink,
    board_findings,
    board_items,
    completeness,
)
from dossier.pif.rules.evidence import LinkedDocument
from dossier.pif.rules.items import rulebook

BEFORE, DUE, AFTER = date(2026, 6, 30), date(2026, 7, 1), date(2026, 11, 21)
DOCUMENT = UUID(int=7)
FIELDS = frozenset(
    field
    for item in rulebook().items
    for part in item.requirements
    for group in part.fields
    for field in group
)
EMPTY = Evidence(as_of=AFTER, phase_in_on=DUE)
ALL_LINKS = tuple(
    EvidenceLink(UUID(int=1000 + number), item.number, rule.code)
    for item in rulebook().items
    for number, rule in enumerate(item.requirements, 100 * item.number)
)
ALL_DOCUMENTS = {
    link.document_id: linked_document(
        link.document_id, kind_for(link.requirement or "")
    )
    for link in ALL_LINKS
}
FULL = replace(
    EMPTY,
    filled=FIELDS,
    has_formula=True,
    links=ALL_LINKS,
    documents=ALL_DOCUMENTS,
)
SIGNED = tuple(link for link in ALL_LINKS if link.item == 16)


def decision(kind: DecisionKind, item: int) -> Decision:
    return Decision(
        kind=kind,
        item=item,
        reason="No water.",
        actor_name="Mei",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def state_of(evidence: Evidence, item: int) -> ItemState:
    return board_items(evidence)[item - 1].state


def codes_of(evidence: Evidence) -> list[tuple[str, int | None]]:
    items = board_items(evidence)
    return [(f.code, f.item) for f in board_findings(items, evidence)]


def test_rulebook_holds_sixteen_items_with_unique_requirements() -> None:
    items = rulebook().items
    codes = [part.code for item in items for part in item.requirements]

    assert [item.number for item in items] == list(range(1, 17))
    assert len(codes) == len(set(codes))
    for item in items:
        assert item.requirements
        assert all(p.code.startswith(f"tw-{item.number}.") for p in item.requirements)
        assert all(f"({item.number})" in p.article for p in item.requirements)


def test_rulebook_allows_decisions_only_where_the_regulation_does() -> None:
    allowed = {item.number: item.allows for item in rulebook().items if item.allows}

    assert allowed == {
        5: DecisionKind.DECLARATION,
        8: DecisionKind.DECLARATION,
        11: DecisionKind.WAIVER,
        12: DecisionKind.WAIVER,
        13: DecisionKind.WAIVER,
    }


def test_requirements_of_product_facts_name_fields_and_others_do_not() -> None:
    for item in rulebook().items:
        for part in item.requirements:
            assert bool(part.fields) is (Means.PRODUCT_FIELD in part.satisfied_by)


def test_empty_evidence_leaves_sixteen_blocking_gaps() -> None:
    items = board_items(EMPTY)

    assert {item.state for item in items} == {ItemState.MISSING}
    assert completeness(items).complete == 0
    assert codes_of(EMPTY) == [("missing-item", n) for n in range(1, 17)]
    assert {f.severity for f in board_findings(items, EMPTY)} == {Severity.BLOCKING}


def test_complete_evidence_leaves_no_finding() -> None:
    counted = completeness(board_items(FULL))

    assert (counted.present, counted.complete, counted.total) == (16, 16, 16)
    assert codes_of(FULL) == []


@pytest.mark.parametrize(
    ("as_of", "severity"),
    [
        (BEFORE, Severity.WARNING),
        (DUE, Severity.BLOCKING),
        (AFTER, Severity.BLOCKING),
    ],
)
def test_gap_blocks_from_the_day_of_phase_in(as_of: date, severity: Severity) -> None:
    evidence = replace(EMPTY, as_of=as_of)

    found = board_findings(board_items(evidence), evidence)

    assert {finding.severity for finding in found} == {severity}


def test_partly_met_item_is_missing_and_names_what_is_missing() -> None:
    evidence = replace(FULL, filled=FIELDS - {"holder.phone"})

    items = board_items(evidence)

    assert items[0].state is ItemState.MISSING
    [finding] = board_findings(items, evidence)
    assert (finding.code, finding.item) == ("missing-requirement", 1)
    assert finding.message.en == (
        "“Product identity and responsible parties” lacks “Name, address and "
        "telephone of the manufacturer or importer”: the product's facts do not state "
        "it."
    )
    assert "電話" in finding.message.zh


def test_gap_names_where_evidence_was_looked_for() -> None:
    evidence = replace(
        EMPTY, links=(EvidenceLink(DOCUMENT, 2), EvidenceLink(UUID(int=8), 2))
    )

    messages = {
        f.item: f.message for f in board_findings(board_items(evidence), evidence)
    }

    assert messages[3].en.endswith("is missing: no formula has been imported.")
    assert messages[11].en == (
        "“Stability test” is missing: none of the linked papers (2) shows it."
    )
    assert messages[7].en.endswith(
        "the product's facts do not state it, none of the linked papers (2) shows it."
    )
    assert "2 份文件" in messages[11].zh


def test_either_name_is_enough() -> None:
    evidence = replace(FULL, filled=FIELDS - {"name_zh"})

    assert state_of(evidence, 1) is ItemState.PRESENT


def test_document_linked_to_one_requirement_serves_that_one_alone() -> None:
    evidence = replace(
        EMPTY,
        links=(EvidenceLink(DOCUMENT, 9, "tw-9.ingredients"),),
        documents={DOCUMENT: linked_document(DOCUMENT, "sds")},
    )

    item = board_items(evidence)[8]

    assert item.state is ItemState.MISSING
    assert [(p.rule.code, p.state, p.documents) for p in item.requirements] == [
        ("tw-9.product", ItemState.MISSING, ()),
        ("tw-9.ingredients", ItemState.PRESENT, (DOCUMENT,)),
    ]


def test_document_linked_to_item_three_is_no_formula() -> None:
    evidence = replace(EMPTY, links=(EvidenceLink(DOCUMENT, 3),))

    assert state_of(evidence, 3) is ItemState.MISSING
    assert state_of(replace(EMPTY, has_formula=True), 3) is ItemState.PRESENT


@pytest.mark.parametrize("item", [5, 8])
def test_declaration_replaces_the_documents(item: int) -> None:
    evidence = replace(EMPTY, decisions=(decision(DecisionKind.DECLARATION, item),))

    assert state_of(evidence, item) is ItemState.DECLARED
    assert ("missing-item", item) not in codes_of(evidence)


@pytest.mark.parametrize("item", [11, 12, 13])
def test_waiver_needs_the_signatory_until_item_sixteen_is_present(item: int) -> None:
    waived = replace(EMPTY, decisions=(decision(DecisionKind.WAIVER, item),))
    signed = replace(waived, links=SIGNED, documents=ALL_DOCUMENTS)

    assert state_of(waived, item) is ItemState.WAIVED
    assert ("needs-signatory-reason", item) in codes_of(waived)
    assert ("needs-signatory-reason", item) not in codes_of(signed)


def test_document_takes_precedence_over_a_decision() -> None:
    evidence = replace(
        EMPTY,
        decisions=(decision(DecisionKind.WAIVER, 11),),
        links=(EvidenceLink(DOCUMENT, 11),),
        documents={DOCUMENT: linked_document(DOCUMENT)},
    )

    item = board_items(evidence)[10]
    assert item.state is ItemState.PRESENT
    assert item.decision is not None


@pytest.mark.parametrize("item", range(1, 17))
@pytest.mark.parametrize("kind", list(DecisionKind))
def test_decision_counts_only_where_it_is_allowed(
    item: int, kind: DecisionKind
) -> None:
    evidence = replace(EMPTY, decisions=(decision(kind, item),))

    is_allowed = rulebook().item(item).allows is kind
    assert (state_of(evidence, item) is not ItemState.MISSING) is is_allowed


def test_file_that_is_not_required_has_no_missing_item() -> None:
    evidence = replace(EMPTY, phase_in_on=None, has_formula=True)

    counted = completeness(board_items(evidence))
    assert (counted.present, counted.not_applicable, counted.missing) == (1, 15, 0)
    assert codes_of(evidence) == [("file-not-required", None)]


def test_link_to_an_unknown_requirement_is_ignored_with_a_warning() -> None:
    evidence = replace(EMPTY, links=(EvidenceLink(DOCUMENT, 11, "tw-11.colour"),))

    assert state_of(evidence, 11) is ItemState.MISSING
    assert ("unknown-requirement", 11) in codes_of(evidence)


def test_formula_findings_are_sorted_among_the_others_by_severity() -> None:
    words = Message(zh="總和", en="total")
    formula = Finding(
        code="total-not-100",
        severity=Severity.BLOCKING,
        market="tw",
        item=3,
        article=None,
        message=words,
        closes_by=words,
    )
    evidence = replace(
        FULL,
        as_of=BEFORE,
        formula_findings=(formula,),
        links=tuple(link for link in ALL_LINKS if link.item != 14),
    )

    assert codes_of(evidence) == [("total-not-100", 3), ("missing-item", 14)]


links = st.builds(
    EvidenceLink,
    document_id=st.uuids(),
    item=st.integers(1, 16),
    requirement=st.one_of(
        st.none(),
        st.sampled_from([p.code for i in rulebook().items for p in i.requirements]),
    ),
)
decisions = st.lists(
    st.builds(decision, st.sampled_from(DecisionKind), st.integers(1, 16)), max_size=5
).map(tuple)
documents = st.builds(
    linked_document,
    document_id=st.uuids(),
    kind=st.sampled_from(["stability", "sds", "assessment", "label", None]),
    identity=st.sampled_from([THIS, OTHER, UNKNOWN, None]),
    facts=st.sampled_from(
        [WHOLE_FACTS, {FactName.VALID_UNTIL: "2020-01-01"}, {FactName.VERDICT: "fail"}]
    ),
    text_state=st.sampled_from(TextState),
)


@st.composite
def linked(draw: st.DrawFn) -> tuple[EvidenceLink, LinkedDocument]:
    link, document = draw(links), draw(documents)
    return replace(link, document_id=document.document_id), document


def evidence_of(
    pairs: list[tuple[EvidenceLink, LinkedDocument]], **members: Any
) -> Evidence:
    return Evidence(
        links=tuple(link for link, _ in pairs),
        documents={document.document_id: document for _, document in pairs},
        **members,
    )


evidences = st.builds(
    evidence_of,
    st.lists(linked(), max_size=12),
    as_of=st.sampled_from([BEFORE, DUE, AFTER]),
    phase_in_on=st.sampled_from([DUE, None]),
    filled=st.frozensets(st.sampled_from(sorted(FIELDS))),
    has_formula=st.booleans(),
    decisions=decisions,
)


@settings(max_examples=40)
@given(evidences, evidences)
def test_more_evidence_never_lowers_completeness(
    one: Evidence, other: Evidence
) -> None:
    more = replace(
        one,
        filled=one.filled | other.filled,
        has_formula=one.has_formula or other.has_formula,
        links=one.links + other.links,
        documents={**one.documents, **other.documents},
        decisions=one.decisions + other.decisions,
    )

    before, after = completeness(board_items(one)), completeness(board_items(more))
    assert after.complete >= before.complete
    assert after.present >= before.present


@settings(max_examples=40)
@given(evidences, st.randoms(use_true_random=False))
def test_states_depend_on_the_evidence_and_not_on_its_order(
    evidence: Evidence, random: Random
) -> None:
    shuffled = list(evidence.links)
    random.shuffle(shuffled)
    again = replace(evidence, links=tuple(shuffled))

    assert board_items(again) == board_items(evidence)


@settings(max_examples=40)
@given(evidences)
def test_counts_add_up_and_every_gap_has_a_finding(evidence: Evidence) -> None:
    items = board_items(evidence)
    counted = completeness(items, board_findings(items, evidence))

    closed, open_ = counted.complete + counted.blocked, counted.stale + counted.missing
    assert closed + open_ + counted.unconfirmed == counted.total == 16
    missing = {item.rule.number for item in items if item.state is ItemState.MISSING}
    found = board_findings(items, evidence)
    gaps = {"missing-item", "missing-requirement"}
    assert {f.item for f in found if f.code in gaps} == missing
    assert all(f.closes_by.zh and f.closes_by.en for f in found)
