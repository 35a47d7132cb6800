"""Facts of whole documents: what is read, and what must not be."""

from decimal import Decimal

import pytest

from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import Fact, FactName, FactState, PageText


def facts_of(*pages: str) -> dict[str, list[Fact]]:
    return read_facts([PageText(n, text) for n, text in enumerate(pages, start=1)])


def values(name: FactName, *pages: str) -> list[str]:
    found = facts_of(*pages).get(name, [])
    return [fact.value for fact in found if fact.state is FactState.READ]


WIDE = "\uff22\uff11\uff12\uff13"
"""B123 in full width."""

REPORT = """晴川檢驗實驗室 Qingchuan Testing Laboratory
微生物檢測報告
文件編號 Document no. QC-MB-1 日期 Date 2026-01-20
產品 Product 玫瑰霜 Rose Cream
配方編號 Formula code RC-1, version 4
批號 Lot B260105
收樣日期 Received 2026-01-12
總生菌數 Total aerobic count ISO 21149 < 10 CFU/g
判定 Verdict
送驗批次符合容許量。 The lot tested meets the limits.
Wu Pei-Shan 吳佩珊
Wu Pei-Shan 吳佩珊 · 微生物檢驗員 Microbiologist
日期 Date: 2026-01-21"""


def test_report_in_two_languages_gives_all_its_facts() -> None:
    read = {name: [f.value for f in facts] for name, facts in facts_of(REPORT).items()}

    assert read == {
        "product_name": ["玫瑰霜 Rose Cream"],
        "formula_code": ["RC-1"],
        "formula_version": ["4"],
        "lot": ["B260105"],
        "document_date": ["2026-01-20"],
        "issuer": ["晴川檢驗實驗室 Qingchuan Testing Laboratory"],
        "method": ["ISO 21149"],
        "verdict": ["pass"],
        "signature": ["signed"],
        "signer_name": ["Wu Pei-Shan 吳佩珊"],
        "signed_on": ["2026-01-21"],
    }


def test_fact_has_words_as_printed_and_the_page_of_its_first_place() -> None:
    (fact,) = facts_of("微生物檢測報告", f"批號：{WIDE}", "批號：B123")[FactName.LOT]

    assert fact == Fact("B123", WIDE, 2, None, Decimal("0.97"), FactState.READ)


@pytest.mark.parametrize(
    ("text", "lots"),
    [
        ("Lot no.: A1, A2 and A3", ["A1", "A2", "A3"]),
        ("批　　號：B2601", ["B2601"]),
        ("批   號 : B2601", ["B2601"]),
        ("品名\t批號\n玫瑰霜\tB2601", ["B2601"]),
        ("品名：玫瑰霜（批號：B2601）", ["B2601"]),
        ("Lot: 9981A   Exp: 2027-11-30", ["9981A"]),
        ("Lot of the samples were broken 5", []),
        ("Batch size: 200 kg", []),
        ("Culture medium lot: M-7788", []),
        ("對照批號：C-1", []),
        ("Lot: see bottom", []),
        ("Batch: 2026-01-05", []),
        ("品名\n批號\n日期\n玫瑰霜\nB123\n2026-01-05", []),
    ],
)
def test_lot_is_read_where_a_label_announces_it(text: str, lots: list[str]) -> None:
    assert values(FactName.LOT, text) == lots


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("產 品 名 稱 ： 晨露乳液", ["晨露乳液"]),
        ("样品名称(Sample Description)：晨露乳液", ["晨露乳液"]),
        ("Product: Dew Lotion, RC-1 version 2", ["Dew Lotion"]),
        ("Product name: Dew Lotion 50 mL", ["Dew Lotion"]),
        ("Product name: Ultra Hydrating\nMoisturising Cream\nLot: B1", []),
        ("Product name is on the label.", []),
        ("Product name: TBC", []),
        ("品名：待補", []),
        ("Old product name: Sunny Lotion", []),
        ("Product type: leave-on", []),
        ("The product was stored at 40 C.", []),
    ],
)
def test_product_name_is_whole_or_not_read(text: str, names: list[str]) -> None:
    assert values(FactName.PRODUCT_NAME, text) == names


GMP = "ISO 22716 CERTIFICATE\nManufacturing site: No. 5, Mill Rd., Taichung\n"
COA = "Finished Product Certificate of Analysis\nLot: B1\n"


@pytest.mark.parametrize(
    ("text", "name", "dates"),
    [
        (GMP + "Expiry date: 2028-04-17", FactName.VALID_UNTIL, ["2028-04-17"]),
        (GMP + "Expiry date: 2028-04-17", FactName.LOT_EXPIRY_DATE, []),
        (COA + "Expiry date: 2028-04-17", FactName.VALID_UNTIL, []),
        (COA + "Expiry date: 2028-04-17", FactName.LOT_EXPIRY_DATE, ["2028-04-17"]),
        (COA + "保存期限：2028-04-17", FactName.VALID_UNTIL, []),
        (GMP + "檔案保存期限：2031-01-01", FactName.VALID_UNTIL, []),
        (
            GMP + "有效期間：114年4月18日至117年4月17日",
            FactName.VALID_UNTIL,
            ["2028-04-17"],
        ),
        (
            GMP + "有效期間：114年4月18日至117年4月17日",
            FactName.VALID_FROM,
            ["2025-04-18"],
        ),
        (GMP + "Next audit: 2027-03-03", FactName.VALID_UNTIL, []),
        (GMP + "This certificate is valid until 17 April 2028.",
         FactName.VALID_UNTIL, ["2028-04-17"]),
        (GMP + "Validity: 3 years from the date of issue", FactName.VALID_UNTIL, []),
        (COA + "Date received: 2026-01-01", FactName.DOCUMENT_DATE, []),
        (COA + "Sample receiving date: 2026-01-01", FactName.DOCUMENT_DATE, []),
        (COA + "Date of use: 2026-01-01", FactName.DOCUMENT_DATE, []),
        (COA + "Date: 2026-01-02\nReport date: 2026-01-03",
         FactName.DOCUMENT_DATE, ["2026-01-03"]),
        ("GMP 聲明書\n中華民國 115 年 3 月 1 日",
         FactName.DOCUMENT_DATE, ["2026-03-01"]),
    ],
)  # fmt: skip
def test_date_means_what_its_label_and_document_say(
    text: str, name: FactName, dates: list[str]
) -> None:
    assert values(name, text) == dates


def test_ambiguous_date_is_unknown_with_its_words() -> None:
    (fact,) = facts_of("Stability report\nDate: 03/04/2026")[FactName.DOCUMENT_DATE]

    assert (fact.value, fact.raw, fact.state) == ("", "03/04/2026", FactState.UNKNOWN)


def test_contradicting_dates_of_one_kind_are_unknown() -> None:
    text = GMP + "Valid until: 2028-04-17\nValid until: 2029-04-17"

    assert values(FactName.VALID_UNTIL, text) == []
    assert len(facts_of(text)[FactName.VALID_UNTIL]) == 2


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("簽名：高淑芬", "signed"),
        ("Signature: /s/ Kao Shu-Fen", "signed"),
        ("Digitally signed by Kao Shu-Fen on 2026-02-28", "signed"),
        ("簽章：____________", "blank"),
        ("簽名(Signature)：\uff3f\uff3f\uff3f", "blank"),
        ("DRAFT v0.3", "draft"),
        ("【草稿】", "draft"),
        ("（尚未簽署）", "unsigned"),
        ("Unsigned copy", "unsigned"),
        ("簽名：\n日期：    年   月   日", None),
        ("Signature:\nKao Shu-Fen", None),
        ("Prepared: ____\nSignature: Kao Shu-Fen\nSignature: ________", None),
        ("This report is computer generated; no signature is required.", None),
        ("This draft law is not yet in force and we comment on it here.", None),
    ],
)
def test_signature_states_what_stands_there(text: str, state: str | None) -> None:
    read = values(FactName.SIGNATURE, "產品安全性評估報告\n品名：玫瑰霜\n" + text)

    assert read == ([state] if state else [])


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("合格", "pass"),
        ("☑ 合格 ☐ 不合格", "pass"),
        ("□合格　☑不合格", "fail"),
        ("各菌株均符合 A 基準。", "pass"),
        ("No failure was found; all results comply.", "pass"),
        ("未發現不合格項目，符合規定。", "pass"),
        ("本品符合規定，惟酵母菌數超標。", "fail"),
        ("The sample does not meet the limits.", "fail"),
        ("試驗進行中。", "incomplete"),
        ("不符合項目：無，符合標準。", "pass"),
        ("PASS for bacteria; FAIL for mould.", "fail"),
        ("合格/不合格", None),
        ("Pass / Fail", None),
        ("If the results comply, the lot is accepted.", None),
        ("All strains meet criteria A except A. brasiliensis.", None),
        ("The product meets criterion B only.", None),
        ("The results relate to the item tested.", None),
    ],
)
def test_verdict_is_read_or_left_to_a_person(text: str, verdict: str | None) -> None:
    read = values(FactName.VERDICT, f"Microbiological Test Report\nConclusion: {text}")

    assert read == ([verdict] if verdict else [])


def test_conclusion_is_read_to_its_end() -> None:
    text = "Challenge test\nConclusion\nAll strains pass\nbut one strain failed."

    assert values(FactName.VERDICT, text) == ["fail"]


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("EN ISO 11930 : 2019", ["ISO 11930:2019"]),
        ("ISO11930", ["ISO 11930"]),
        ("Ph. Eur. 5.1.3 and USP <51>", ["EP 5.1.3", "USP <51>"]),
        ("in vivo, ISO 24444:2019 (replaces ISO 24444:2010)", ["ISO 24444:2019"]),
        ("本試驗未依 ISO 11930 執行", []),
        ("accredited to ISO/IEC 17025 and ISO 9001", []),
    ],
)
def test_method_is_the_one_that_was_used(text: str, methods: list[str]) -> None:
    assert values(FactName.METHOD, f"Challenge test\n{text}") == methods


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("茲證明高淑芬君完成化粧品安全評估課程 54 小時", ["高淑芬"]),
        ("This is to certify that Kao Shu-Fen completed the course", ["Kao Shu-Fen"]),
        ("awarded to\nMs. Kao Shu-Fen\nfor 54 hours", ["Kao Shu-Fen"]),
        ("姓名：高淑芬", ["高淑芬"]),
        ("學生 高淑芬 性別女 中華民國七十九年五月六日生", ["高淑芬"]),
    ],
)
def test_subject_of_a_credential_is_read(text: str, names: list[str]) -> None:
    page = f"訓練證明書\n{text}\n校長簽章：王大明"

    assert values(FactName.SIGNER_NAME, page) == names


def test_name_of_a_material_is_no_product_name() -> None:
    text = "SAFETY DATA SHEET\nProduct name: PreservaDuo\nCAS No.: 122-99-6, 122-99-7"

    assert values(FactName.TRADE_NAME, text) == ["PreservaDuo"]
    assert values(FactName.PRODUCT_NAME, text) == []
    assert values(FactName.CAS_NUMBER, text) == ["122-99-6"]


def test_certificate_names_its_company_and_site() -> None:
    text = (
        "CERTIFICATE\nThis is to certify that\nQINGLING BIOTECH CO., LTD.\n"
        "No. 5, Gongye Rd., Taichung\nmeets ISO 22716:2007"
    )  # fmt: skip

    assert values(FactName.COMPANY, text) == ["QINGLING BIOTECH CO., LTD."]
    assert values(FactName.SITE, text) == ["No. 5, Gongye Rd., Taichung"]


def test_validity_of_the_accreditation_is_not_that_of_the_certificate() -> None:
    text = (
        GMP
        + "This certificate is issued under an accreditation valid until 2030-01-01\n"
        "Valid until: 2028-04-17"
    )

    assert values(FactName.VALID_UNTIL, text) == ["2028-04-17"]


def test_addressee_is_no_issuer() -> None:
    assert values(FactName.ISSUER, "Issued to Willow Ltd.\nStability report") == []


def test_name_in_an_assessment_is_no_signer() -> None:
    text = "Product Safety Assessment\nName: Morning Dew Lotion"

    assert values(FactName.SIGNER_NAME, text) == []


def test_amount_of_a_sample_is_no_product_name() -> None:
    assert values(FactName.PRODUCT_NAME, "Stability report\nSample: 3 x 50 mL") == []


def test_part_of_the_body_is_no_site() -> None:
    assert values(FactName.SITE, "Efficacy study\nSite: cheek, forearm") == []


@pytest.mark.parametrize("pages", [(), ("",), ("   \n\t\n",)])
def test_document_without_text_has_no_facts(pages: tuple[str, ...]) -> None:
    assert facts_of(*pages) == {}


@pytest.mark.parametrize(
    "repeated",
    ["批號", "符合", "簽名：(", "Lot ", "Site: 路", "certify that Aa ", "1/"],
)
def test_repeated_words_do_not_hold_the_reader_up(repeated: str) -> None:
    """Without a bound on lines and labels each of these takes half a minute."""
    assert isinstance(facts_of("微生物檢測報告\n" + repeated * 20_000), dict)


@pytest.mark.parametrize(
    ("conclusion", "verdict"),
    [
        ("■允收 □拒收", ["pass"]),
        ("准予放行", ["pass"]),
        ("不予放行", ["fail"]),
        ("未放行", ["fail"]),
        ("待放行", []),
        ("特採允收", []),
        ("Released", ["pass"]),
        ("Not released", ["fail"]),
        ("To be released after the count", []),
        ("The product is stable.", ["pass"]),
        ("The product is not stable.", ["fail"]),
        ("安定性良好", ["pass"]),
        ("外觀均無明顯變化", ["pass"]),
        ("外觀均無明顯變化，pH 超出規格", ["fail"]),
    ],
)
def test_words_of_release_and_stability_give_a_verdict(
    conclusion: str, verdict: list[str]
) -> None:
    text = f"安定性試驗報告\n判定：{conclusion}"

    assert values(FactName.VERDICT, text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("結果 Result: 符合 Pass", ["pass"]), ("結果 Result: 不符合 / Fail", ["fail"]),
     ("結果 Result: 合格 / 不合格", [])],
)  # fmt: skip
def test_result_in_two_languages_is_a_verdict(text: str, verdict: list[str]) -> None:
    assert values(FactName.VERDICT, f"微生物檢測報告\n{text}") == verdict


def test_words_of_a_verdict_end_before_the_signer() -> None:
    (fact,) = facts_of(REPORT)[FactName.VERDICT]

    assert fact.raw.endswith("meets the limits.")


TABLE = "版次 Version\t日期 Date\t變更 Change\n3\t2025-05-12\ta\n10\t2025-09-05\tb"


@pytest.mark.parametrize(
    ("head", "version"),
    [("", "10"), ("配方編號 Formula code RC-1 · 版次 version 4\n", "4")],
)
def test_earlier_versions_in_a_table_of_revisions_are_not_the_present_one(
    head: str, version: str
) -> None:
    text = f"配方表 Formula sheet\n{head}{TABLE}"

    assert values(FactName.FORMULA_VERSION, text) == [version]
    assert values(FactName.DOCUMENT_DATE, text) == ["2025-09-05"]


def test_plant_in_a_notification_is_a_site() -> None:
    text = "化粧品產品登錄資料\n登錄業者：甲股份有限公司\n製造廠名稱：乙股份有限公司"

    assert values(FactName.SITE, text) == ["乙股份有限公司"]
    assert values(FactName.COMPANY, text) == ["甲股份有限公司"]
