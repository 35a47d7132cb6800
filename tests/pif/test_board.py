"""The board: states are computed from evidence alone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.evidence import (
    PRODUCT,
    good_document,
    good_documents,
    read_document,
)

from dossier.core.findings import Finding, Message, Severity
from dossier.pif.constants import STATE_ORDER, DecisionKind, ItemState, Means
from dossier.pif.rules.board import (
    Decision,
    Evidence,
    EvidenceLink,
    board_items,
    completeness,
)
from dossier.pif.rules.evidence import Confirmation, ReadDocument
from dossier.pif.rules.findings import board_findings
from dossier.pif.rules.items import rulebook

BEFORE, DUE, AFTER = date(2026, 6, 30), date(2026, 7, 1), date(2026, 11, 21)
DOCUMENT = UUID(int=7)
DOCUMENTS = good_documents()
FIELDS = frozenset(
    field
    for item in rulebook().items
    for part in item.requirements
    for group in part.fields
    for field in group
)
EMPTY = Evidence(as_of=AFTER, phase_in_on=DUE)
ALL_LINKS = tuple(
    EvidenceLink(document.document_id, rulebook().item_of(code).number, code)
    for code, document in DOCUMENTS.items()
)
FULL = replace(
    EMPTY,
    filled=FIELDS,
    has_formula=True,
    links=ALL_LINKS,
    documents=tuple({each.document_id: each for each in DOCUMENTS.values()}.values()),
    identity=PRODUCT,
)


def decision(kind: DecisionKind, item: int) -> Decision:
    return Decision(
        kind=kind,
        item=item,
        reason="No water.",
        actor_name="Mei",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def linked(
    evidence: Evidence,
    item: int,
    *documents: ReadDocument,
    requirement: str | None = None,
) -> Evidence:
    """Return evidence with documents linked to an item."""
    links = [EvidenceLink(each.document_id, item, requirement) for each in documents]
    return replace(
        evidence,
        identity=PRODUCT,
        documents=(*evidence.documents, *documents),
        links=(*evidence.links, *links),
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
        "“Stability test” is missing: none of the linked documents (2) shows it."
    )
    assert messages[7].en.endswith("none of the linked documents (2) shows it.")
    assert "2 份文件" in messages[11].zh


def test_either_name_is_enough() -> None:
    evidence = replace(FULL, filled=FIELDS - {"name_zh"})

    assert state_of(evidence, 1) is ItemState.PRESENT


def test_document_linked_to_one_requirement_serves_that_one_alone() -> None:
    sds = good_document("sds")
    evidence = linked(EMPTY, 9, sds, requirement="tw-9.ingredients")

    item = board_items(evidence)[8]

    assert item.state is ItemState.MISSING
    assert [(p.rule.code, p.state, p.documents) for p in item.requirements] == [
        ("tw-9.product", ItemState.MISSING, ()),
        ("tw-9.ingredients", ItemState.PRESENT, (sds.document_id,)),
    ]


def test_document_linked_to_a_whole_item_serves_the_requirement_of_its_kind() -> None:
    evidence = linked(EMPTY, 16, good_document("assessment"))

    assert [part.state for part in board_items(evidence)[15].requirements] == [
        ItemState.PRESENT,
        ItemState.MISSING,
    ]
    assert ("missing-requirement", 16) in codes_of(evidence)


def test_document_of_unknown_kind_leaves_all_requirements_unconfirmed() -> None:
    evidence = linked(EMPTY, 16, read_document(None))

    states = {part.state for part in board_items(evidence)[15].requirements}
    assert states == {ItemState.UNCONFIRMED}


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
def test_waiver_needs_the_reason_in_a_signed_assessment_for_that_item(
    item: int,
) -> None:
    waived = replace(FULL, decisions=(decision(DecisionKind.WAIVER, item),))
    waived = replace(waived, links=tuple(x for x in FULL.links if x.item != item))
    assessment = DOCUMENTS["tw-16.assessment"]
    signed = replace(
        waived,
        confirmations=(
            Confirmation(
                item=item,
                requirement=None,
                document_id=assessment.document_id,
                sha256=assessment.sha256,
                reason="Page 4 says why.",
                actor_name="Mei",
                at=datetime(2026, 1, 2, tzinfo=UTC),
            ),
        ),
    )

    assert state_of(waived, item) is ItemState.WAIVED
    assert ("needs-signatory-reason", item) in codes_of(waived)
    assert ("needs-signatory-reason", item) not in codes_of(signed)


def test_document_takes_precedence_over_a_decision() -> None:
    evidence = linked(EMPTY, 11, good_document("stability"))
    evidence = replace(evidence, decisions=(decision(DecisionKind.WAIVER, 11),))

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


poor = [
    read_document(None, "blank.pdf"),
    read_document("stability", "other.pdf", product_code="XX-99", verdict="pass"),
    good_document("gmp", "old.pdf", valid_until="2020-01-01"),
    good_document("assessment", "draft.pdf", signature="draft"),
    good_document("microbial", "failing.pdf", verdict="fail"),
]
papers = st.lists(st.sampled_from([*DOCUMENTS.values(), *poor]), unique_by=id).map(
    tuple
)
decisions = st.lists(
    st.builds(decision, st.sampled_from(DecisionKind), st.integers(1, 16)), max_size=5
).map(tuple)


@st.composite
def evidence_of(draw: st.DrawFn) -> Evidence:
    documents = draw(papers)
    codes = [part.code for item in rulebook().items for part in item.requirements]
    links = [
        EvidenceLink(document.document_id, rulebook().item_of(code).number, code)
        for document in documents
        for code in draw(st.lists(st.sampled_from(codes), max_size=3, unique=True))
    ]
    return Evidence(
        as_of=draw(st.sampled_from([BEFORE, DUE, AFTER])),
        phase_in_on=draw(st.sampled_from([DUE, None])),
        filled=draw(st.frozensets(st.sampled_from(sorted(FIELDS)))),
        has_formula=draw(st.booleans()),
        links=tuple(links),
        decisions=draw(decisions),
        documents=tuple(documents),
        identity=PRODUCT,
    )


evidences = evidence_of()


@settings(max_examples=40)
@given(evidences, evidences)
def test_more_evidence_never_worsens_a_requirement(
    one: Evidence, other: Evidence
) -> None:
    documents = {each.document_id: each for each in one.documents + other.documents}
    more = replace(
        one,
        filled=one.filled | other.filled,
        has_formula=one.has_formula or other.has_formula,
        links=one.links + other.links,
        decisions=one.decisions + other.decisions,
        documents=tuple(documents.values()),
    )

    for before, after in zip(board_items(one), board_items(more), strict=True):
        assert STATE_ORDER[after.state] <= STATE_ORDER[before.state]


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
    found = board_findings(items, evidence)
    counted = completeness(items, found)

    open_items = counted.unconfirmed + counted.stale + counted.missing
    assert counted.complete + counted.blocked + open_items == counted.total == 16
    gaps = {
        ItemState.MISSING: {"missing-item", "missing-requirement", "use-incomplete"},
        ItemState.UNCONFIRMED: {"unconfirmed-requirement"},
        ItemState.STALE: {"stale-requirement"},
    }
    for item in items:
        codes = gaps.get(item.state, set())
        if codes:
            assert any(f.item == item.rule.number and f.code in codes for f in found)
    assert all(f.closes_by.zh and f.closes_by.en for f in found)
