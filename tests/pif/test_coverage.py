"""Raw materials and sites, one by one."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from tests.factories.evidence import (
    PRODUCT,
    SITE,
    good_document,
    read_document,
)

from dossier.core.findings import Finding, Severity
from dossier.documents.facts.types import MaterialIdentity, PageText, SiteIdentity
from dossier.pif.constants import DecisionKind, ItemState
from dossier.pif.rules.board import (
    BoardRequirement,
    Decision,
    Evidence,
    EvidenceLink,
    board_items,
    completeness,
)
from dossier.pif.rules.evidence import ReadDocument
from dossier.pif.rules.findings import board_findings

TODAY = date(2026, 11, 21)
MATERIALS = (
    MaterialIdentity((), ("Aqua",), ("7732-18-5",)),
    MaterialIdentity(("Glycerin 99.5",), ("Glycerin",), ("56-81-5",)),
    MaterialIdentity(("PreservaSet PE",), ("Phenoxyethanol",), ("122-99-6",)),
    MaterialIdentity(("PreservaSet PE",), ("Ethylhexylglycerin",), ("70445-33-9",)),
)
WATER = {"aqua": "Purified water"}


def evidence_of(item: int, *documents: ReadDocument, **members: object) -> Evidence:
    values = {
        "identity": replace(PRODUCT, materials=MATERIALS),
        "exempt_materials": WATER,
        "site_steps": ("compounding and filling",),
        **members,
    }
    return Evidence(
        as_of=TODAY,
        phase_in_on=date(2026, 7, 1),
        links=tuple(EvidenceLink(each.document_id, item) for each in documents),
        documents=documents,
        **values,  # type: ignore[arg-type]
    )


def requirement(evidence: Evidence, code: str) -> BoardRequirement:
    return next(
        row
        for item in board_items(evidence)
        for row in item.requirements
        if row.rule.code == code
    )


def finding(evidence: Evidence, code: str) -> Finding:
    [found] = [
        each
        for each in board_findings(board_items(evidence), evidence)
        if each.subject == code
    ]
    return found


def with_text(document: ReadDocument, text: str) -> ReadDocument:
    return replace(document, pages=(PageText(1, text),))


def test_material_is_covered_by_its_cas_number_inci_name_or_trade_name() -> None:
    evidence = evidence_of(
        10,
        read_document("sds", "1.pdf", cas_number="56-81-5"),
        read_document("sds", "2.pdf", trade_name="PreservaSet PE"),
    )

    found = requirement(evidence, "tw-10.toxicology")

    assert found.state is ItemState.PRESENT
    assert [(row.name, len(row.documents), row.reason) for row in found.coverage] == [
        ("Aqua", 0, "Purified water"),
        ("Glycerin", 1, None),
        ("Phenoxyethanol", 1, None),
        ("Ethylhexylglycerin", 1, None),
    ]


def test_partial_coverage_is_unconfirmed_with_one_finding_that_lists_the_gaps() -> None:
    evidence = evidence_of(
        10, read_document("sds", cas_number="122-99-6"), exempt_materials={}
    )

    assert requirement(evidence, "tw-10.toxicology").state is ItemState.UNCONFIRMED
    found = finding(evidence, "tw-10.toxicology")
    assert (found.code, found.blocks_signing) == ("coverage-incomplete", True)
    assert found.message.en.endswith(
        "1 of 4 are covered; without a document: Aqua, Glycerin, Ethylhexylglycerin."
    )


@pytest.mark.parametrize(
    ("text", "is_covered"),
    [
        ("INCI\tForm\nGlycerin\tliquid", True),
        ("成分 Glycerin 液體", True),
        ("1. Glycerin 56.1 %", True),
        ("Contains: Glycerin, Panthenol", True),
        ("Glycerin Stearate\tsolid", False),
        ("Polyglycerin\tsolid", False),
    ],
)
def test_name_in_a_text_counts_where_it_stands_by_itself(
    text: str, *, is_covered: bool
) -> None:
    profile = with_text(read_document("toxicology", inci_name="Aqua"), text)
    evidence = evidence_of(10, profile)

    rows = requirement(evidence, "tw-10.toxicology").coverage

    assert rows[1].is_covered is is_covered


@pytest.mark.parametrize(
    ("text", "is_covered"),
    [
        ("Glycerin (56-81-5): no data", False),
        ("Glycerin\t56-81-5\tno toxicological data available", False),
        ("Glycerin：查無資料。", False),
        ("There are no data for Aqua, Glycerin (56-81-5).", False),
        ("尚無 Glycerin 之毒理資料", False),
        ("Glycerin: no data.\nGlycerin: NOAEL 10 000 mg/kg", True),
        ("Glycerin: no data on absorption, NOAEL 10 000 mg/kg", True),
        ("Glycerin: NOAEL 10 000; no data on light", True),
    ],
)
def test_statement_that_there_is_no_data_of_a_material_covers_nothing(
    text: str, *, is_covered: bool
) -> None:
    profile = with_text(read_document("toxicology", cas_number="56-81-5"), text)

    rows = requirement(evidence_of(10, profile), "tw-10.toxicology").coverage

    assert rows[1].is_covered is is_covered


def test_profile_that_names_all_materials_and_one_more_covers_them() -> None:
    numbers = ["56-81-5", "122-99-6", "70445-33-9", "63148-62-9"]
    evidence = evidence_of(10, read_document("toxicology", cas_number=numbers))

    assert requirement(evidence, "tw-10.toxicology").state is ItemState.PRESENT


def test_material_of_two_lines_is_listed_once() -> None:
    twice = replace(PRODUCT, materials=(*MATERIALS, MATERIALS[1]))
    evidence = evidence_of(10, read_document("toxicology"), identity=twice)

    rows = requirement(evidence, "tw-10.toxicology").coverage

    assert [row.name for row in rows].count("Glycerin") == 1


def test_formula_or_label_is_no_data_of_the_materials_that_it_lists() -> None:
    sheet = read_document("formula", cas_number=["56-81-5", "122-99-6", "70445-33-9"])
    evidence = evidence_of(9, sheet)

    found = requirement(evidence, "tw-9.ingredients")

    assert found.state is ItemState.UNCONFIRMED
    assert not any(row.documents for row in found.coverage)


def test_table_in_the_specification_of_the_product_covers_materials() -> None:
    table = good_document(
        "product_spec",
        cas_number="56-81-5",
        trade_name="PreservaSet PE",
    )
    sds = read_document("sds", cas_number="122-99-6")
    evidence = evidence_of(9, table, sds)

    assert requirement(evidence, "tw-9.ingredients").state is ItemState.PRESENT


def test_without_a_formula_nothing_shows_that_all_materials_are_covered() -> None:
    evidence = evidence_of(
        10,
        good_document("toxicology"),
        identity=replace(PRODUCT, materials=()),
    )

    assert requirement(evidence, "tw-10.toxicology").state is ItemState.UNCONFIRMED
    assert "no formula" in finding(evidence, "tw-10.toxicology").message.en


OTHER_SITE = SiteIdentity("Dusk Works", "9 Hill Road, Tainan")


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("充填 filling", ItemState.UNCONFIRMED),
        ("貼標及貯存 labelling and storage", ItemState.PRESENT),
        ("外包裝 secondary packing", ItemState.PRESENT),
    ],
)
def test_every_site_that_makes_the_product_needs_a_certificate(
    step: str, state: ItemState
) -> None:
    evidence = evidence_of(
        5,
        good_document("gmp"),
        identity=replace(PRODUCT, sites=(SITE, OTHER_SITE)),
        site_steps=("compounding", step),
    )

    assert requirement(evidence, "tw-5.gmp").state is state
    if state is ItemState.UNCONFIRMED:
        found = finding(evidence, "tw-5.gmp")
        assert found.message.en.endswith("without a document: Dusk Works.")


@pytest.mark.parametrize(
    ("made", "state"),
    [
        ("2026-01-05", ItemState.PRESENT),
        ("2025-06-01", ItemState.PRESENT),
        ("2022-01-05", ItemState.STALE),
    ],
)
def test_certificates_are_valid_on_the_days_of_manufacture(
    made: str, state: ItemState
) -> None:
    today = good_document("gmp", valid_from="2025-12-01")
    before = good_document(
        "gmp", "old.pdf", valid_from="2023-01-01", valid_until="2025-11-30"
    )
    report = good_document("stability", manufacture_date=made)
    evidence = evidence_of(5, today, before)
    evidence = replace(evidence, documents=(*evidence.documents, report))

    assert requirement(evidence, "tw-5.gmp").state is state
    if state is ItemState.STALE:
        found = finding(evidence, "tw-5.gmp")
        assert found.code == "gmp-not-valid-then"
        assert "Dawn Works (2022-01-05)" in found.message.en


@pytest.mark.parametrize(("dated", "count"), [("2026-01-01", 1), ("2026-03-01", 0)])
def test_date_before_the_formula_gives_a_note_and_changes_no_state(
    dated: str, count: int
) -> None:
    sheet = read_document("formula", document_date="2026-02-01")
    report = good_document("stability", document_date=dated)
    evidence = evidence_of(11, report, formula_document_id=sheet.document_id)
    evidence = replace(evidence, documents=(sheet, report))

    found = board_findings(board_items(evidence), evidence)

    assert requirement(evidence, "tw-11.stability").state is ItemState.PRESENT
    assert [each.code for each in found].count("older-than-formula") == count


def test_assessment_signed_before_a_report_that_it_rests_on_is_named() -> None:
    report = good_document("stability", document_date="2026-11-15")
    assessment = good_document("assessment")
    evidence = evidence_of(11, report)
    evidence = replace(
        evidence,
        documents=(report, assessment),
        links=(*evidence.links, EvidenceLink(assessment.document_id, 16)),
    )

    found = board_findings(board_items(evidence), evidence)

    [early] = [each for each in found if each.code == "signed-too-early"]
    assert "2026-11-01" in early.message.en
    assert "stability.pdf" in early.message.en


def test_failing_report_blocks_its_item_even_if_it_is_waived() -> None:
    report = good_document("microbial", verdict="fail")
    waiver = Decision(
        kind=DecisionKind.WAIVER,
        item=12,
        reason="No water.",
        actor_name="Mei",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    evidence = replace(evidence_of(12, report), decisions=(waiver,))

    found = board_findings(board_items(evidence), evidence)

    [failing] = [each for each in found if each.code == "report-fails"]
    assert (failing.severity, failing.item) == (Severity.BLOCKING, 12)
    assert completeness(board_items(evidence), found).blocked == 1


@pytest.mark.parametrize(
    ("item", "reason", "lacking"),
    [
        (5, "Dawn Works follows GMP.", None),
        (5, "We follow GMP.", "site"),
        (8, "None known in 2025.", None),
        (8, "None is known.", "period"),
    ],
)
def test_declaration_without_site_or_period_stays_declared_with_a_warning(
    item: int, reason: str, lacking: str | None
) -> None:
    declaration = Decision(
        kind=DecisionKind.DECLARATION,
        item=item,
        reason=reason,
        actor_name="Mei",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    evidence = replace(evidence_of(item), decisions=(declaration,))

    items = board_items(evidence)
    found = board_findings(items, evidence)

    assert items[item - 1].state is ItemState.DECLARED
    named = [each for each in found if each.code == "declaration-incomplete"]
    assert len(named) == (1 if lacking else 0)
    assert all(f"does not state: {lacking}." in each.message.en for each in named)


@pytest.mark.parametrize(
    ("kind_beside", "language_beside", "count"),
    [
        (None, None, 1),
        ("stability", None, 0),  # its translation
        ("stability", "ko", 2),
        ("microbial", None, 1),
    ],
)
def test_prose_in_a_foreign_language_without_a_translation_is_a_warning(
    kind_beside: str | None, language_beside: str | None, count: int
) -> None:
    documents = [good_document("stability", "korean.pdf", language="ko")]
    if kind_beside is not None:
        facts = {"language": language_beside} if language_beside else {}
        documents.append(good_document(kind_beside, "beside.pdf", **facts))
    evidence = evidence_of(11, *documents)

    found = [
        each
        for each in board_findings(board_items(evidence), evidence)
        if each.code == "untranslated"
    ]

    assert len(found) == count
    for each in found:
        assert (each.severity, each.item) == (Severity.WARNING, 11)
        assert each.article == "PIF Reg. Art. 3(2)"
        assert "(ko)" in each.message.en
