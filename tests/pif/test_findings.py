"""Findings of a board: their codes, weight, basis and what they follow from."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.factories.evidence import (
    NAMED,
    PRODUCT,
    SITE,
    good_document,
    read_document,
)

from dossier.core.findings import Basis, Finding, Message, Severity
from dossier.documents.facts.types import KindReading, MaterialIdentity, SiteIdentity
from dossier.pif.constants import FileStatus, ItemState, JudgementCode
from dossier.pif.rules.board import Evidence, EvidenceLink, board_items, completeness
from dossier.pif.rules.changes import composition_sha256
from dossier.pif.rules.evidence import Confirmation, ReadDocument
from dossier.pif.rules.findings import board_findings
from dossier.pif.rules.items import rulebook
from dossier.pif.rules.messages import sentences

TODAY = date(2026, 11, 21)
OTHER_SITE = SiteIdentity("Dusk Works", "9 Hill Road, Tainan")


def evidence_of(item: int, *documents: ReadDocument, **members: object) -> Evidence:
    values = {"identity": PRODUCT, "site_steps": ("filling",), **members}
    return Evidence(
        as_of=TODAY,
        phase_in_on=date(2026, 7, 1),
        links=tuple(EvidenceLink(each.document_id, item) for each in documents),
        documents=documents,
        **values,  # type: ignore[arg-type]
    )


def found_in(evidence: Evidence, item: int) -> dict[str, Finding]:
    found = board_findings(board_items(evidence), evidence)
    return {each.code: each for each in found if each.item == item}


@pytest.mark.parametrize(
    ("item", "document", "code", "severity", "basis", "article"),
    [
        (
            2,
            good_document("notification", valid_until="2026-11-20"),
            "notification-lapsed",
            Severity.BLOCKING,
            Basis.LAW,
            "Notif. Reg. Art. 8",
        ),
        (
            2,
            good_document("notification", valid_until="2027-02-20"),
            "notification-renewal-due",
            Severity.INFO,
            Basis.LAW,
            "Notif. Reg. Art. 8",
        ),
        (
            5,
            good_document("gmp", valid_until="2026-11-20"),
            "stale-requirement",
            Severity.WARNING,
            Basis.LAW,
            "PIF Reg. Art. 3(1)(5)",
        ),
        (
            5,
            good_document("gmp", company=OTHER_SITE.name, site=OTHER_SITE.address),
            "gmp-other-site",
            Severity.WARNING,
            Basis.LAW,
            "PIF Reg. Art. 3(1)(5)",
        ),
        (
            7,
            read_document("usage", **NAMED, use_amount="1 g"),
            "use-incomplete",
            Severity.WARNING,
            Basis.GUIDANCE,
            "TFDA PIF guide, item 7",
        ),
        (
            13,
            read_document("challenge", product_code="XX-99", verdict="pass"),
            "identity-drift",
            Severity.WARNING,
            Basis.PRACTICE,
            None,
        ),
        (
            14,
            read_document("efficacy", product_code="XX-99"),
            "evidence-other-product",
            Severity.WARNING,
            Basis.LAW,
            "Claims Std. Art. 3(2)",
        ),
        (
            16,
            good_document("assessment", signature="blank"),
            "unsigned",
            Severity.BLOCKING,
            Basis.LAW,
            "PIF Reg. Art. 3(1)(16)(i)",
        ),
        (
            16,
            good_document("assessment", signature="unknown"),
            "unconfirmed-requirement",
            Severity.WARNING,
            Basis.LAW,
            "PIF Reg. Art. 3(1)(16)(i)",
        ),
        (
            8,
            replace(
                read_document("adverse", **NAMED),
                kind=KindReading("adverse", "不良反應聲明書", 1, Decimal(1)),
            ),
            "declaration-incomplete",
            Severity.WARNING,
            Basis.PRACTICE,
            None,
        ),
    ],
)
def test_defect_of_a_document_has_the_weight_and_basis_of_its_rule(
    item: int,
    document: ReadDocument,
    code: str,
    severity: Severity,
    basis: Basis,
    article: str | None,
) -> None:
    finding = found_in(evidence_of(item, document), item)[code]

    assert (finding.severity, finding.basis) == (severity, basis)
    assert finding.article == article


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"formula_version": "3"}, "stability-other"),
        ({"formula_code": "F-9"}, "stability-other"),
        ({"pack_version": "1"}, "stability-other"),
    ],
)
def test_stability_of_another_formula_or_pack_says_so(
    stated: dict[str, str], code: str
) -> None:
    sheet = read_document("formula", formula_code="F-4", formula_version="4")
    pack = good_document("packaging", pack_version="2")
    report = good_document("stability", **stated)
    evidence = evidence_of(11, report, formula_document_id=sheet.document_id)
    evidence = replace(evidence, documents=(sheet, pack, report))

    finding = found_in(evidence, 11)[code]

    assert (finding.article, finding.blocks_signing) == ("PIF Reg. Art. 3(4)", True)


def test_unsigned_conclusion_weighs_as_much_as_a_missing_one() -> None:
    evidence = evidence_of(16, good_document("assessment", signature="blank"))

    early = found_in(replace(evidence, as_of=date(2026, 6, 30)), 16)

    assert early["unsigned"].severity is Severity.WARNING


def test_documents_of_one_requirement_with_two_defects_share_the_general_finding() -> (
    None
):
    unsigned = good_document("assessment", signature="blank")
    scan = good_document("assessment", "scan.pdf", signature="")

    found = found_in(evidence_of(16, unsigned, scan), 16)

    assert "unsigned" not in found
    assert "unconfirmed-requirement" in found


def test_what_follows_from_another_finding_is_linked_to_it() -> None:
    other = read_document("challenge", product_code="XX-99", verdict="pass")
    missing = found_in(evidence_of(13, other), 13)
    credentials = good_document("credentials", "credentials.pdf")
    unsigned = found_in(evidence_of(16, credentials), 16)
    profile = good_document("toxicology")
    nothing = evidence_of(10, profile, identity=replace(PRODUCT, materials=()))

    assert missing["missing-item"].caused_by == missing["identity-drift"].id
    assert (
        unsigned["unconfirmed-requirement"].caused_by
        == unsigned["missing-requirement"].id
    )
    assert (
        found_in(nothing, 10)["unconfirmed-requirement"].caused_by
        == found_in(nothing, 3)["missing-item"].id
    )


def test_gaps_that_a_wrong_certificate_or_an_unnamed_line_explains_follow_from_it() -> (
    None
):
    words = Message(zh="缺 INCI", en="no INCI name")
    unnamed = Finding(
        code="missing-inci",
        severity=Severity.BLOCKING,
        market="tw",
        item=3,
        article=None,
        message=words,
        closes_by=words,
    )
    blend = MaterialIdentity(("Botanical Complex",))
    aqua = MaterialIdentity((), ("Aqua",), ("7732-18-5",))
    sds = read_document("sds", inci_name="Aqua")
    evidence = evidence_of(
        10,
        sds,
        formula_findings=(unnamed,),
        identity=replace(PRODUCT, materials=(aqua, blend)),
    )
    other = good_document("gmp", "c.pdf", company="Third", site="5 Sea Road, Tainan")
    sites = evidence_of(
        5,
        good_document("gmp"),
        other,
        identity=replace(PRODUCT, sites=(SITE, OTHER_SITE)),
        site_steps=("compounding", "filling"),
    )

    gap = found_in(evidence, 10)["coverage-incomplete"]
    of_sites = found_in(sites, 5)

    assert gap.caused_by == unnamed.id
    assert of_sites["coverage-incomplete"].caused_by == of_sites["gmp-other-site"].id


def test_message_names_five_documents_and_counts_the_rest() -> None:
    scans = [read_document(None, f"scan-{number}.pdf") for number in range(7)]

    message = found_in(evidence_of(11, *scans), 11)["unconfirmed-requirement"].message

    assert message.en.count("does not show by its content") == 5
    assert message.en.endswith("; 2 more.")
    assert message.zh.endswith("另有 2 份。")


def test_confirmed_assessment_without_a_date_is_not_signed_too_early() -> None:
    scan = good_document("assessment", signed_on="")
    report = good_document("stability", document_date="2026-11-15")
    sure = replace(confirmation(scan, "tw-16.assessment", 2), item=16)
    evidence = evidence_of(16, scan, confirmations=(sure,))
    evidence = replace(
        evidence,
        documents=(scan, report),
        links=(*evidence.links, EvidenceLink(report.document_id, 11)),
    )

    assert board_items(evidence)[15].requirements[0].state is ItemState.PRESENT
    assert "signed-too-early" not in found_in(evidence, 16)


def test_formula_file_without_a_decided_sheet_is_unconfirmed_and_says_so() -> None:
    words = Message(zh="兩張工作表", en="two sheets")
    ambiguous = Finding(
        code="ambiguous-sheet",
        severity=Severity.BLOCKING,
        market="tw",
        item=3,
        article=None,
        message=words,
        closes_by=words,
    )
    evidence = evidence_of(
        3, has_formula=True, is_formula_undecided=True, formula_findings=(ambiguous,)
    )

    found = found_in(evidence, 3)

    assert board_items(evidence)[2].state is ItemState.UNCONFIRMED
    assert found["unconfirmed-requirement"].caused_by == ambiguous.id
    assert "undecided" in found["unconfirmed-requirement"].message.en


def test_directions_that_state_a_part_have_one_finding_for_the_rest() -> None:
    evidence = evidence_of(
        7,
        read_document("usage", **NAMED, use_amount="1 g", body_site="face"),
        filled=frozenset({"population"}),
    )

    [finding] = found_in(evidence, 7).values()

    assert finding.message.en == (
        "“How the product is used” does not state: Method of use, Frequency of use."
    )
    states = [each.state for each in board_items(evidence)[6].requirements]
    assert states.count(ItemState.PRESENT) == 3


def test_label_of_item_four_meets_item_seven_for_what_it_states() -> None:
    label = read_document("label", **NAMED, use_amount="1 g")
    stranger = read_document("label", "other.pdf", product_name="Balm", use_method="x")
    evidence = evidence_of(4, label, stranger)

    method, _, amount, *_ = board_items(evidence)[6].requirements

    assert (amount.state, amount.documents) == (ItemState.PRESENT, (label.document_id,))
    assert (method.state, method.documents) == (ItemState.MISSING, ())


def confirmation(
    document: ReadDocument, requirement: str | None, day: int
) -> Confirmation:
    return Confirmation(
        item=9,
        requirement=requirement,
        document_id=document.document_id,
        sha256=document.sha256,
        reason=f"Read on day {day}.",
        actor_name="Mei",
        at=datetime(2026, 11, day, 20, tzinfo=UTC),
    )


def test_newest_confirmation_of_a_document_counts_and_shows_its_day_in_taipei() -> None:
    scan = read_document(None, "scan.pdf")
    older, newer = confirmation(scan, None, 2), confirmation(scan, "tw-9.product", 4)
    for order in ([older, newer], [newer, older]):
        evidence = evidence_of(9, scan, confirmations=tuple(order))
        [judgement] = board_items(evidence)[8].requirements[0].judgements
        assert judgement.confirmation == newer


def test_materials_that_only_a_confirmation_covers_are_named() -> None:
    materials = (
        MaterialIdentity((), ("Aqua",), ("7732-18-5",)),
        MaterialIdentity((), ("Glycerin",), ("56-81-5",)),
    )
    sds = read_document("sds", inci_name="Aqua")
    evidence = evidence_of(
        9,
        sds,
        identity=replace(PRODUCT, materials=materials),
        confirmations=(confirmation(sds, "tw-9.ingredients", 2),),
    )

    finding = found_in(evidence, 9)["coverage-by-confirmation"]

    assert finding.severity is Severity.INFO
    assert finding.message.en.endswith("documents name 1 of 2, and not: Glycerin.")


def test_confirmed_certificate_still_covers_no_day_outside_of_its_validity() -> None:
    gmp = good_document("gmp", valid_from="2026-01-01")
    report = good_document("stability", manufacture_date="2025-06-01")
    evidence = evidence_of(
        5, gmp, confirmations=(replace(confirmation(gmp, None, 2), item=5),)
    )
    evidence = replace(evidence, documents=(gmp, report))

    assert board_items(evidence)[4].state is ItemState.STALE
    assert "gmp-not-valid-then" in found_in(evidence, 5)


def test_confirmed_declaration_is_still_a_declaration() -> None:
    paper = replace(
        read_document("gmp", company=SITE.name, site=SITE.address, signature="draft"),
        kind=KindReading("gmp", "GMP 聲明書", 1, Decimal(1)),
    )
    evidence = evidence_of(
        5, paper, confirmations=(replace(confirmation(paper, None, 2), item=5),)
    )

    [judgement] = board_items(evidence)[4].requirements[0].judgements

    assert judgement.code is JudgementCode.CONFIRMED
    assert judgement.state is ItemState.DECLARED


@pytest.mark.parametrize(
    ("left_out", "lacking"),
    [
        (set(), []),
        ({"company", "signer_name"}, ["company", "signer"]),
        ({"site"}, ["site"]),
        ({"signed_on"}, []),
        ({"signed_on", "document_date"}, ["date of signing"]),
    ],
)
def test_declaration_of_good_manufacturing_names_holder_site_date_and_signer(
    left_out: set[str], lacking: list[str]
) -> None:
    facts = {
        "company": "Rose Co.",
        "site": f"{SITE.name}, {SITE.address}",
        "document_date": "2026-01-01",
        "signed_on": "2026-01-02",
        "signer_name": "Mei",
    }
    paper = replace(
        read_document("gmp", **{k: v for k, v in facts.items() if k not in left_out}),
        kind=KindReading("gmp", "GMP 聲明書", 1, Decimal(1)),
    )
    sure = replace(confirmation(paper, None, 2), item=5)
    evidence = evidence_of(5, paper, confirmations=(sure,))

    found = found_in(evidence, 5)

    assert board_items(evidence)[4].state is ItemState.DECLARED
    messages = [each.message.en for each in found.values()]
    assert len(messages) == (1 if lacking else 0)
    for words in lacking:
        assert words in messages[0]


def test_declaration_for_one_of_two_sites_lacks_the_other() -> None:
    paper = replace(
        read_document(
            "gmp",
            company=SITE.name,
            site=SITE.address,
            signed_on="2026-01-02",
            signer_name="Mei",
        ),
        kind=KindReading("gmp", "GMP 聲明書", 1, Decimal(1)),
    )
    identity = replace(PRODUCT, sites=(SITE, OTHER_SITE))
    for steps, count in ((("compounding", "filling"), 1), (("filling", "storage"), 0)):
        evidence = evidence_of(5, paper, identity=identity, site_steps=steps)

        assert len(found_in(evidence, 5)) == count


@pytest.mark.parametrize(
    ("stated", "lacking"),
    [
        ({"period_until": "2025-12-31"}, False),
        ({"period_from": "2025-01-01"}, False),
        ({}, True),
    ],
)
def test_declaration_that_no_effect_is_known_names_its_period(
    stated: dict[str, str], *, lacking: bool
) -> None:
    facts = {"company": "Rose Co.", "signed_on": "2026-01-02", "signer_name": "Mei"}
    paper = replace(
        read_document("adverse", **NAMED, **facts, **stated),
        kind=KindReading("adverse", "不良反應聲明書", 1, Decimal(1)),
    )

    found = found_in(evidence_of(8, paper), 8)

    assert ("declaration-incomplete" in found) is lacking


@pytest.mark.parametrize(
    ("evidence", "status"),
    [
        (evidence_of(4), FileStatus.BLOCKED),
        (replace(evidence_of(4), phase_in_on=None), FileStatus.COMPLETE),
        (
            replace(evidence_of(4, read_document(None)), phase_in_on=None),
            FileStatus.COMPLETE,
        ),
    ],
)
def test_status_of_the_file_follows_the_counts(
    evidence: Evidence, status: FileStatus
) -> None:
    items = board_items(evidence)

    assert completeness(items, board_findings(items, evidence)).status is status


def test_every_finding_of_a_rule_has_its_sentences() -> None:
    rules = [
        rule
        for item in rulebook().items
        for rule in (
            item.partly,
            *(f for r in item.requirements for f in r.findings.values()),
        )
        if rule
    ]

    assert {each.code for each in rules} <= set(sentences())
    assert set(map(str, JudgementCode)) <= set(sentences()["reasons"])


BEFORE, AFTER = {"Aqua": "q.s.", "Glycerin": "70"}, {"Aqua": "q.s.", "Glycerin": "7"}


def changed_evidence(report: ReadDocument, **members: object) -> Evidence:
    """Return evidence of a report that was linked before the formula changed."""
    members = {"formula": AFTER, "formula_at": datetime(2026, 11, 2, tzinfo=UTC)} | {
        **members
    }
    evidence = evidence_of(11, report, **members)
    link = replace(evidence.links[0], formula=BEFORE)
    return replace(evidence, links=(link,))


def test_change_of_the_formula_is_named_with_the_ways_to_close_it() -> None:
    evidence = changed_evidence(good_document("stability"))

    found = found_in(evidence, 11)["stale-requirement"]

    assert "(Glycerin 70 \u2192 7)" in found.message.en
    assert "confirmed" in found.closes_by.en
    assert "names the present version" in found.closes_by.en


@pytest.mark.parametrize(
    ("formula", "state"),
    [
        (composition_sha256(AFTER)[:12], ItemState.PRESENT),
        (composition_sha256(BEFORE)[:12], ItemState.STALE),
        (None, ItemState.STALE),
    ],
)
def test_confirmation_counts_for_the_composition_that_it_names(
    formula: str | None, state: ItemState
) -> None:
    report = good_document("stability")
    # Confirmed before the import, but for the composition that was imported.
    stated = replace(confirmation(report, None, 1), item=11, formula=formula)
    evidence = changed_evidence(report, confirmations=(stated,))

    assert board_items(evidence)[10].state is state
    codes = found_in(evidence, 11)
    assert ("confirmation-without-effect" in codes) is (state is ItemState.STALE)
    undecided = replace(evidence, formula={}, is_formula_undecided=True)
    assert board_items(undecided)[10].state is ItemState.PRESENT


@pytest.mark.parametrize(
    ("earlier", "state"), [("3", ItemState.PRESENT), ("4", ItemState.STALE)]
)
def test_report_that_names_the_new_version_counts_at_once(
    earlier: str, state: ItemState
) -> None:
    sheet = read_document("formula", formula_version="4")
    old = read_document("formula", "old.xlsx", formula_version=earlier)
    evidence = changed_evidence(
        good_document("stability", formula_version="4"),
        formula_document_id=sheet.document_id,
        earlier_formulas=(old,),
    )
    evidence = replace(evidence, documents=(*evidence.documents, sheet))

    assert board_items(evidence)[10].state is state


def test_credentials_are_of_the_signer_of_the_assessment_that_counts() -> None:
    current = good_document("assessment")
    draft = good_document(
        "assessment", "old.pdf", signer_name="Lin Mei", formula_code="RC-99"
    )
    sheet = read_document("formula", formula_code="RC-01")
    of_other = read_document("credentials", signer_name="Lin Mei")
    evidence = evidence_of(
        16, current, draft, of_other, formula_document_id=sheet.document_id
    )
    evidence = replace(evidence, documents=(*evidence.documents, sheet))

    credentials = board_items(evidence)[15].requirements[1]

    assert credentials.state is not ItemState.PRESENT


def test_materials_that_no_document_names_are_listed_and_not_called_no_formula() -> (
    None
):
    profile = read_document("toxicology", **NAMED)
    evidence = evidence_of(10, profile, has_formula=True, formula=AFTER)

    found = found_in(evidence, 10)["coverage-incomplete"]

    assert "0 of 1" in found.message.en
