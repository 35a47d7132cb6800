"""Texts as they come in, read by the rules of reading, and the states that they give.

No state claims more than was read: each row is a way in which it could.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest

from dossier.documents.facts.record import facts_of, kind_of, read_record
from dossier.documents.facts.types import (
    MaterialIdentity,
    OtherProduct,
    PageText,
    ProductIdentity,
    SiteIdentity,
)
from dossier.pif.constants import DecisionKind
from dossier.pif.rules.board import (
    Decision,
    Evidence,
    EvidenceLink,
    board_items,
    completeness,
)
from dossier.pif.rules.evidence import Confirmation, ReadDocument, ReadingState
from dossier.pif.rules.findings import board_findings
from dossier.pif.rules.messages import judgement_words

IDENTITY = ProductIdentity(
    names=("Rose Moisture Cream", "玫瑰保濕面霜"),
    codes=("RC-01",),
    materials=(
        MaterialIdentity((), ("Aqua",), ("7732-18-5",)),
        MaterialIdentity(("Glycerin 99.5",), ("Glycerin",), ("56-81-5",)),
        MaterialIdentity(("PreservaSet PE",), ("Phenoxyethanol",), ("122-99-6",)),
    ),
    sites=(SiteIdentity("Dawn Works Co., Ltd.", "1 Harbour Road, Taoyuan"),),
    others=(OtherProduct(("Rose Night Cream", "玫瑰晚霜"), ("RN-02",)),),
)
OURS = "產品名稱 Product name: Rose Moisture Cream\n"
OTHERS = "產品名稱 Product name: Rose Night Cream\n"
UNKNOWN = "產品名稱 Product name: Lily Cream\n"
PASS, FAIL = "結論 Conclusion: 符合 Pass\n", "結論 Conclusion: 不符合 Fail\n"
STABILITY = "產品安定性試驗報告 Stability test report\n"
NOTIFICATION = "化粧品產品登錄資料 Product notification\n登錄編號 No.: 113A0001\n"
GMP = "GMP 證書 Certificate of GMP\nISO 22716\n"
DECLARATION = "GMP 符合聲明書 GMP declaration\n"
SITE = "廠商 Company: Dawn Works Co., Ltd.\n製造場所 Site: 1 Harbour Road, Taoyuan\n"
OTHER_SITE = "廠商 Company: Dusk Works\n製造場所 Site: 9 Hill Road, Tainan\n"
VALID = "有效期限 Valid until: 2029-05-10\n"
LAPSED = "有效期限 Valid until: 2026-05-10\n"
ASSESSMENT = "產品安全性評估結論 Safety assessment conclusion\n"
SIGNED = """簽署人員 Safety assessor: 高淑芬
簽名 Signature: /s/ 高淑芬
簽署日期 Date of signing: 2026-11-01
"""
CREDENTIALS = "簽署人員資格證明 Signatory credentials\n訓練證書 Training 54 hours\n"
GLYCERIN = """SAFETY DATA SHEET 安全資料表
Trade name: Glycerin 99.5
INCI name: Glycerin
CAS No.: 56-81-5
"""
DIMETHICONE = """SAFETY DATA SHEET 安全資料表
Trade name: Dimethicone 350
INCI name: Dimethicone
CAS No.: 63148-62-9
"""
USAGE = "使用說明 Directions of use\n"
FREQUENCY = "使用頻率 Frequency: 每日2次\n"
LABEL = "標籤文字 Label copy\n"
EFFICACY = "功效試驗報告 Efficacy test report\n"
PACK = "包裝材質資料 Packaging material specification\n"
BATCH = (
    "批次製造紀錄 Batch record\n" + OURS + "製造日期 Manufacturing date: 2025-06-01\n"
)
WAIVER_REASON = "因本品不含水，安定性試驗得免附。\n"


def read(name: str, *pages: str) -> ReadDocument:
    parts = tuple(PageText(number, text) for number, text in enumerate(pages, 1))
    record = read_record(parts)
    return ReadDocument(
        document_id=uuid5(UUID(int=1), name),
        filename=name,
        sha256=name.ljust(64, "0"),
        kind=kind_of(record),
        facts=dict(facts_of(record).items()),
        pages=parts,
    )


def decision(item: int) -> Decision:
    is_waiver = item in {11, 12, 13}
    return Decision(
        kind=DecisionKind.WAIVER if is_waiver else DecisionKind.DECLARATION,
        item=item,
        reason="Dawn Works Co., Ltd. in 2025: no water.",
        actor_name="Mei",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def confirmation(
    document: ReadDocument, item: int, sha256: str | None = None
) -> Confirmation:
    return Confirmation(
        item=item,
        requirement=None,
        document_id=document.document_id,
        sha256=sha256 or document.sha256,
        reason="Read on paper.",
        actor_name="Mei",
        at=datetime(2026, 11, 2, tzinfo=UTC),
    )


def evidence_of(
    documents: Mapping[int, Sequence[ReadDocument]], **members: Any
) -> Evidence:
    values: dict[str, Any] = {
        "as_of": date(2026, 11, 21),
        "phase_in_on": date(2026, 7, 1),
        "identity": IDENTITY,
        "site_steps": ("compounding and filling",),
        "has_formula": True,
    }
    return Evidence(
        **values
        | {
            "documents": tuple(each for some in documents.values() for each in some),
            "links": tuple(
                EvidenceLink(each.document_id, item)
                for item, some in documents.items()
                for each in some
            ),
        }
        | members
    )


def outcome(evidence: Evidence, item: int) -> tuple[str, set[str]]:
    """Return the state of an item and the codes of its findings; check the counts."""
    items = board_items(evidence)
    found = board_findings(items, evidence)
    counted = completeness(items, found)
    of_gaps = counted.unconfirmed + counted.stale + counted.missing
    assert counted.complete + counted.blocked + of_gaps == 16
    ids = {each.id for each in found}
    assert len(ids) == len(found)
    assert all(each.caused_by in ids for each in found if each.caused_by)
    again = board_findings(board_items(evidence), evidence)
    assert [each.id for each in again] == [each.id for each in found]
    codes = {each.code for each in found if each.item == item}
    return items[item - 1].state, codes


Row = tuple[int, list[str], str, set[str]]

TEXTS: dict[str, Row] = {
    "report of this product that passes": (
        11,
        [STABILITY + OURS + PASS],
        "present",
        set(),
    ),
    "report of a known other product": (
        11,
        [STABILITY + OTHERS + PASS],
        "missing",
        {"missing-item", "identity-drift"},
    ),
    "failing report of another product is not ours": (
        11,
        [STABILITY + OTHERS + FAIL],
        "missing",
        {"missing-item", "identity-drift"},
    ),
    "name that differs": (
        11,
        [STABILITY + UNKNOWN + PASS],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "failing report under a name that differs": (
        11,
        [STABILITY + UNKNOWN + FAIL],
        "unconfirmed",
        {"unconfirmed-requirement", "report-fails"},
    ),
    "our name beside the code of another": (
        11,
        [STABILITY + OURS + "Product code: RN-02\n" + PASS],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "name of another beside our code": (
        11,
        [STABILITY + OTHERS + "Product code: RC-01\n" + PASS],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "draft": (
        11,
        [STABILITY + OURS + PASS + "DRAFT\n草稿\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "failing report": (11, [STABILITY + OURS + FAIL], "present", {"report-fails"}),
    "failing report beside one that passes": (
        11,
        [STABILITY + OURS + FAIL, STABILITY + OURS + PASS],
        "present",
        {"report-fails"},
    ),
    "test that goes on": (
        11,
        [STABILITY + OURS + "結論 Conclusion: 試驗進行中 ongoing\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "conclusion without a verdict": (
        11,
        [STABILITY + OURS + "結論 Conclusion: see table 3\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "blank page": (11, [""], "unconfirmed", {"unconfirmed-requirement"}),
    "report of another kind": (
        12,
        [STABILITY + OURS + PASS],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "notification": (2, [NOTIFICATION + OURS + VALID], "present", set()),
    "lapsed notification": (
        2,
        [NOTIFICATION + OURS + LAPSED],
        "stale",
        {"notification-lapsed"},
    ),
    "lapsed notification, year of the republic": (
        2,
        [NOTIFICATION + OURS + "有效期限: 民國115年5月10日\n"],
        "stale",
        {"notification-lapsed"},
    ),
    "lapsed notification beside a valid one": (
        2,
        [NOTIFICATION + OURS + LAPSED, NOTIFICATION + OURS + VALID],
        "present",
        set(),
    ),
    "lapsed notification beside a page that nobody could read": (
        2,
        [NOTIFICATION + OURS + LAPSED, ""],
        "stale",
        {"stale-requirement"},
    ),
    "notification on its last day": (
        2,
        [NOTIFICATION + OURS + "Valid until: 2026-11-21\n"],
        "present",
        {"notification-renewal-due"},
    ),
    "notification without its expiry": (
        2,
        [NOTIFICATION + OURS + "登錄日期 Notified on: 2026-05-10\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "notification with an ambiguous date": (
        2,
        [NOTIFICATION + OURS + "Valid until: 03/04/2027\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "expiry of the goods is not that of the notification": (
        2,
        [NOTIFICATION + OURS + "保存期限 Shelf life: 2020-01-01\n" + VALID],
        "present",
        set(),
    ),
    "certificate": (5, [GMP + SITE + VALID], "present", set()),
    "certificate of another site": (
        5,
        [GMP + OTHER_SITE + VALID],
        "missing",
        {"missing-item", "gmp-other-site"},
    ),
    "certificate without a site": (
        5,
        [GMP + VALID],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "certificate of the company at another address": (
        5,
        [GMP + "Company: Dawn Works Co., Ltd.\nSite: 9 Hill Road, Tainan\n" + VALID],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "expired certificate": (5, [GMP + SITE + LAPSED], "stale", {"stale-requirement"}),
    "expired certificate beside a valid one": (
        5,
        [GMP + SITE + LAPSED, GMP + SITE + VALID],
        "present",
        set(),
    ),
    "certificate of next year": (
        5,
        [GMP + SITE + "Valid from: 2027-01-01\n" + VALID],
        "stale",
        {"stale-requirement"},
    ),
    "declaration of the site": (
        5,
        [DECLARATION + SITE + "日期 Date: 2026-01-01\n"],
        "declared",
        {"declaration-incomplete"},
    ),
    "declaration of another site": (
        5,
        [DECLARATION + OTHER_SITE],
        "missing",
        {"missing-item", "gmp-other-site"},
    ),
    "expired declaration": (
        5,
        [DECLARATION + SITE + LAPSED],
        "stale",
        {"stale-requirement"},
    ),
    "directions that state a part": (
        7,
        [USAGE + OURS + FREQUENCY],
        "unconfirmed",
        {"use-incomplete"},
    ),
    "directions of another product": (
        7,
        [USAGE + OTHERS + FREQUENCY],
        "missing",
        {"missing-item", "identity-drift"},
    ),
    "label": (4, [LABEL + OURS], "present", set()),
    "label of another variant": (
        4,
        [LABEL + "品名: 玫瑰保濕面霜 清爽型\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "proof of a label": (
        4,
        [LABEL + OURS + "DRAFT v3\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "data of one of three materials": (
        10,
        [GLYCERIN],
        "unconfirmed",
        {"coverage-incomplete"},
    ),
    "data of a material that is not in the formula": (
        10,
        [DIMETHICONE],
        "missing",
        {"missing-item", "identity-drift"},
    ),
    "draft of a data sheet": (
        10,
        [GLYCERIN + "DRAFT\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "label is no data of its ingredients": (
        9,
        [LABEL + OURS + "Ingredients: Aqua, Glycerin, Phenoxyethanol\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "efficacy test of another product": (
        14,
        [EFFICACY + OTHERS + PASS],
        "missing",
        {"missing-item", "evidence-other-product"},
    ),
    "efficacy test that fails": (
        14,
        [EFFICACY + OURS + FAIL],
        "present",
        {"report-fails"},
    ),
    "packaging of nobody knows what": (
        15,
        [PACK + "材質 Material: PP\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "signed conclusion and credentials": (
        16,
        [ASSESSMENT + OURS + SIGNED, CREDENTIALS + "姓名 Name: 高淑芬\n"],
        "present",
        set(),
    ),
    "blank line for the signature": (
        16,
        [
            ASSESSMENT + OURS + "簽名 Signature: ____________\n",
            CREDENTIALS + "姓名 Name: 高淑芬\n",
        ],
        "unconfirmed",
        {"unsigned", "unconfirmed-requirement"},
    ),
    "signed draft": (
        16,
        [ASSESSMENT + OURS + SIGNED + "DRAFT 草稿\n", CREDENTIALS + "姓名: 高淑芬\n"],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "signature without a date": (
        16,
        [
            ASSESSMENT
            + OURS
            + "簽署人員 Assessor: 高淑芬\n簽名 Signature: /s/ 高淑芬\n",
            CREDENTIALS + "姓名 Name: 高淑芬\n",
        ],
        "unconfirmed",
        {"unconfirmed-requirement"},
    ),
    "credentials of another person": (
        16,
        [ASSESSMENT + OURS + SIGNED, CREDENTIALS + "姓名 Name: 林玉珍\n"],
        "missing",
        {"missing-requirement", "identity-drift"},
    ),
    "expired credentials": (
        16,
        [ASSESSMENT + OURS + SIGNED, CREDENTIALS + "姓名 Name: 高淑芬\n" + LAPSED],
        "stale",
        {"stale-requirement"},
    ),
    "credentials alone": (
        16,
        [CREDENTIALS + "姓名 Name: 高淑芬\n"],
        "missing",
        {"missing-requirement", "unconfirmed-requirement"},
    ),
}


@pytest.mark.parametrize(("item", "texts", "state", "codes"), TEXTS.values(), ids=TEXTS)
def test_state_of_an_item_follows_from_what_was_read(
    item: int, texts: list[str], state: str, codes: set[str]
) -> None:
    documents = [read(f"{number}.pdf", text) for number, text in enumerate(texts)]

    assert outcome(evidence_of({item: documents}), item) == (state, codes)


@pytest.mark.parametrize(
    ("text", "state", "codes"),
    [
        (STABILITY + OURS + FAIL, "present", {"report-fails"}),
        (
            STABILITY + UNKNOWN + FAIL,
            "waived",
            {"report-fails", "needs-signatory-reason"},
        ),
        (
            STABILITY + OTHERS + PASS,
            "waived",
            {"identity-drift", "needs-signatory-reason"},
        ),
        (STABILITY + OURS + PASS, "present", set()),
        ("", "waived", {"needs-signatory-reason"}),
    ],
)
def test_waiver_hides_no_report(text: str, state: str, codes: set[str]) -> None:
    evidence = evidence_of({11: [read("a.pdf", text)]}, decisions=(decision(11),))

    assert outcome(evidence, 11) == (state, codes)


@pytest.mark.parametrize(
    ("assessment", "codes"),
    [
        (ASSESSMENT + OURS + SIGNED + WAIVER_REASON, set()),
        (ASSESSMENT + OURS + SIGNED, {"needs-signatory-reason"}),
        (
            ASSESSMENT + OURS + "簽名 Signature: ________\n" + WAIVER_REASON,
            {"needs-signatory-reason"},
        ),
        (
            ASSESSMENT + OTHERS + SIGNED + WAIVER_REASON,
            {"needs-signatory-reason"},
        ),
        (
            ASSESSMENT + OURS + SIGNED + WAIVER_REASON + "草稿 DRAFT\n",
            {"needs-signatory-reason"},
        ),
    ],
)
def test_reason_of_a_waiver_counts_in_a_signed_assessment_of_this_product(
    assessment: str, codes: set[str]
) -> None:
    signed = read("16.pdf", assessment)

    evidence = evidence_of({16: [signed]}, decisions=(decision(11),))

    assert outcome(evidence, 11) == ("waived", codes)


@pytest.mark.parametrize(
    ("assessment", "state"),
    [
        (ASSESSMENT + OURS + SIGNED + WAIVER_REASON, "waived"),
        (ASSESSMENT + OURS + SIGNED, "missing"),
        (ASSESSMENT + OURS + "簽名 Signature: ____\n" + WAIVER_REASON, "missing"),
        (ASSESSMENT + OTHERS + SIGNED + WAIVER_REASON, "missing"),
        (ASSESSMENT + OURS + SIGNED + WAIVER_REASON + "DRAFT\n", "missing"),
    ],
)
def test_reason_in_the_signed_assessment_waives_its_test_and_no_other(
    assessment: str, state: str
) -> None:
    signed = read("16.pdf", assessment)
    evidence = evidence_of({16: [signed]})

    assert outcome(evidence, 11)[0] == state
    assert outcome(evidence, 12)[0] == "missing"
    if state == "waived":
        [requirement] = board_items(evidence)[10].requirements
        [judgement] = requirement.judgements
        assert "得免附" in judgement_words(judgement).zh
        assert outcome(evidence, 11)[1] == set()


def test_reason_of_a_waiver_hides_no_failing_report() -> None:
    signed = read("16.pdf", ASSESSMENT + OURS + SIGNED + WAIVER_REASON)
    failing = read("11.pdf", STABILITY + OURS + FAIL)

    found = outcome(evidence_of({11: [failing], 16: [signed]}), 11)

    assert found == ("present", {"report-fails"})


def test_confirmed_reason_needs_the_signature_and_says_that_it_lacks() -> None:
    unsigned = read("16.pdf", ASSESSMENT + OURS + "簽名 Signature: ________\n")
    evidence = evidence_of(
        {16: [unsigned]},
        decisions=(decision(11),),
        confirmations=(confirmation(unsigned, 11),),
    )

    found = board_findings(board_items(evidence), evidence)

    [useless] = [f for f in found if f.code == "confirmation-without-effect"]
    assert "does not count as the signed safety assessment" in useless.message.en
    assert outcome(evidence, 11)[1] >= {"needs-signatory-reason"}


@pytest.mark.parametrize(
    ("text", "sha256", "state"),
    [
        ("", None, "present"),
        ("", "f" * 64, "unconfirmed"),
        (STABILITY + UNKNOWN + PASS, None, "present"),
        (STABILITY + OTHERS + PASS, None, "missing"),
        (STABILITY + OURS + "DRAFT\n" + PASS, None, "present"),
    ],
)
def test_confirmation_vouches_for_all_but_another_product_and_other_bytes(
    text: str, sha256: str | None, state: str
) -> None:
    document = read("a.pdf", text)
    sure = confirmation(document, 11, sha256)

    found, codes = outcome(evidence_of({11: [document]}, confirmations=(sure,)), 11)

    assert found == state
    assert ("confirmation-without-effect" in codes) is (state != "present")


@pytest.mark.parametrize("reading", [ReadingState.NOT_YET, ReadingState.UNREADABLE])
@pytest.mark.parametrize("item", [2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16])
def test_document_without_a_text_shows_nothing(
    item: int, reading: ReadingState
) -> None:
    unread = replace(read("a.pdf", ""), reading=reading, kind=None, facts={}, pages=())

    assert outcome(evidence_of({item: [unread]}), item)[0] == "unconfirmed"


@pytest.mark.parametrize(
    ("certificate", "state", "codes"),
    [
        ("Issue date: 2025-01-01\n" + VALID, "present", set()),
        ("Issue date: 2026-01-01\n" + VALID, "stale", {"gmp-not-valid-then"}),
    ],
)
def test_certificate_was_valid_on_the_day_of_manufacture(
    certificate: str, state: str, codes: set[str]
) -> None:
    gmp = read("gmp.pdf", GMP + SITE + certificate)
    for confirmations in ((), (confirmation(gmp, 5),)):
        evidence = evidence_of(
            {5: [gmp], 6: [read("batch.pdf", BATCH)]}, confirmations=confirmations
        )

        assert outcome(evidence, 5) == (state, codes)


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("充填 filling", "unconfirmed"),
        ("OEM", "unconfirmed"),
        ("", "unconfirmed"),
        ("testing and filling", "unconfirmed"),
        ("貯存 storage", "present"),
        ("檢驗 testing", "present"),
        ("外包裝 secondary packaging", "present"),
    ],
)
def test_second_site_needs_a_certificate_unless_it_makes_nothing(
    step: str, state: str
) -> None:
    gmp = read("gmp.pdf", GMP + SITE + VALID)
    sites = (*IDENTITY.sites, SiteIdentity("Dusk Works", "9 Hill Road, Tainan"))
    evidence = evidence_of(
        {5: [gmp]},
        identity=replace(IDENTITY, sites=sites),
        site_steps=("filling", step),
    )

    assert outcome(evidence, 5)[0] == state


@pytest.mark.parametrize(
    ("text", "item", "state", "codes"),
    [
        ("", 11, "not_applicable", set()),
        (NOTIFICATION + OURS + LAPSED, 2, "not_applicable", set()),
        (STABILITY + OURS + FAIL, 11, "present", {"report-fails"}),
    ],
)
def test_category_without_a_file_leaves_nothing_open(
    text: str, item: int, state: str, codes: set[str]
) -> None:
    evidence = evidence_of({item: [read("a.pdf", text)]}, phase_in_on=None)

    assert outcome(evidence, item) == (state, codes)


def test_formula_that_changed_after_the_link_makes_the_report_stale() -> None:
    report = read("a.pdf", STABILITY + OURS + PASS)
    evidence = evidence_of({11: [report]}, formula={"Aqua": "95", "Glycerin": "5"})
    before = {"Aqua": "93", "Glycerin": "7"}
    link = replace(evidence.links[0], formula=before)

    assert outcome(evidence, 11)[0] == "present"
    assert outcome(replace(evidence, links=(link,)), 11)[0] == "stale"
    # Two links of one document: the one that was made since counts.
    both = (link, replace(link, formula=evidence.formula))
    assert outcome(replace(evidence, links=both), 11)[0] == "present"
