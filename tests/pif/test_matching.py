"""Which item a document is matched to; texts are written for these tests."""

import json
from decimal import Decimal
from importlib import resources
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.documents.facts.types import KindReading
from dossier.pif.constants import MatchOutcome
from dossier.pif.rules.items import rulebook
from dossier.pif.rules.matching import (
    DocumentFacts,
    Target,
    count_words,
    document_kinds,
    fold,
    fold_name,
    propose,
    targets,
)

ID = UUID(int=1)

SDS = """SAFETY DATA SHEET
Trade name: Emulsifier 25. Supplier: Northern Oleo.
Section 1 Identification. Section 2 Hazards identification: not classified.
Section 3 Composition: INCI name Ceteareth-25, CAS no. 68439-49-6.
Section 4 First aid measures. Section 5 Fire-fighting measures.
Section 9 Physical and chemical properties: appearance white pellets, density 1.02
Section 10 Stability and reactivity: stable under normal conditions.
Section 11 Toxicological information: LD50 > 2000 mg/kg, NOAEL not available.
Section 12 Ecological information. Section 14 Transport information: UN number none.
"""
SDS_ZH = """安全資料表
一、化學品與廠商資料:保濕劑
二、危害辨識資料:無
三、成分辨識資料 四、急救措施 五、滅火措施
九、物理及化學性質:外觀 透明液體 密度 1.1
十、安定性及反應性:正常狀況下安定
十一、毒性資料:LD50 > 5000 mg/kg
"""
STABILITY = """Lindenberg Testing House
Stability test report. Product: Rose cream, lot R-01, pack: 50 mL jar.
Conditions 4 °C, 25 °C, 40 °C; time points 0, 4, 8, 12 weeks; centrifuge test.
pH, viscosity and appearance stayed within limits. Microbial limit at end: < 10 CFU/g.
"""
STABILITY_ZH = """玫瑰面霜 安定性試驗報告
安定性試驗條件:25°C、40°C 加速試驗,離心,循環試驗
安定性試驗結論:外觀、黏度、氣味無變化
"""
CHALLENGE = """Preservative efficacy test by ISO 11930
Sample: Rose cream. Before inoculation the total aerobic count was < 10 CFU/g.
Inoculum of E. coli, P. aeruginosa, S. aureus, C. albicans and A. brasiliensis.
Log reduction at day 7, 14 and 28: criterion A is met.
"""
CHALLENGE_ZH = """防腐效能試驗報告
接種菌株:大腸桿菌、綠膿桿菌、金黃色葡萄球菌、白色念珠菌
第28天 對數減少皆符合標準。試驗前總生菌數 <10 CFU/g。
"""
MICROBES = """Test report. Microbial limit test of cosmetics
ISO 21149 total aerobic bacteria: < 10 CFU/g. ISO 16212 yeast and mould < 10.
Escherichia coli not detected, Staphylococcus aureus not detected.
"""
MICROBES_ZH = """檢驗報告 微生物檢測
總生菌數 <10 CFU/g 大腸桿菌 未檢出 綠膿桿菌 未檢出 金黃色葡萄球菌 未檢出
"""
FORMULA = """Rose cream master formula
Phase | Trade name | Supplier | INCI name | CAS No | Function | % w/w
A | Water | | Aqua | 7732-18-5 | solvent | q.s. to 100
"""
NOTIFICATION = """化粧品產品登錄平台系統 列印日期 2026/03/01
登錄編號 TW-0001 登錄日期 有效期限 登錄業者 玫瑰之家 製造作業場所 桃園
"""
LABEL = """玫瑰保濕面霜 標籤文字
使用方法 早晚塗抹於臉部 內容量 50 mL 保存方法 陰涼處 保存期限 三年
全成分 水、甘油 注意事項 限外用 批號見瓶底 原產地 臺灣
"""
LABEL_EN = """Chinese label and English label, final
Directions: spread over the face. Net content 50 g. Storage: keep cool.
Precautions: keep out of reach of children. Manufacturing date: see the jar.
"""
GMP = """Certificate of registration
Certificate no. C-22716-0009. Scope of certification: production of creams.
The site works by ISO 22716:2007, Good Manufacturing Practices. Certification body: N.
"""
PROCESS = """玫瑰面霜 製造流程
A 相加熱至 75°C 攪拌, B 相加入均質 3000 rpm, 冷卻至 40°C, 充填
"""
PACKAGING = """Packaging specification. Jar: polypropylene, liner PE, cap PP.
Contact material declared by the supplier. Migration test passed.
"""
EFFICACY = (
    """Consumer test of moisturising effect with corneometer, 30 volunteers, TEWL."""
)
ASSESSMENT = """Cosmetic product safety report
Safety assessment: reasoning, margin of safety, assessment conclusion.
Signed by the safety assessor. Stability test and microbial test were read.
"""
CREDENTIALS = (
    """Certificate of completion. Safety assessor course, 54 training hours."""
)
ADVERSE = (
    """Complaint log 2025: units sold 12,000; undesirable effects: none reported."""
)
SPEC = """成品規格 玫瑰面霜: 外觀 白色霜狀 氣味 玫瑰 黏度 30000 cps 比重 0.98"""
TOX = """Toxicological profile of phenoxyethanol: NOAEL 369 mg/kg, margin of safety 150,
repeated dose 90 days, mutagenicity negative."""
SDS_OF_A_PRESERVATIVE = SDS + "Use: preservative. Passed a challenge test in creams."

CASES = [
    ("formula.xlsx", FORMULA, "formula"),
    ("RC-01 配方表 v3.xlsx", "", "formula"),
    ("sheet1.xlsx", FORMULA, "formula"),
    ("notification.pdf", NOTIFICATION, "notification"),
    ("登錄資料.pdf", "", "notification"),
    ("scan-0003.pdf", NOTIFICATION, "notification"),
    ("label_zh.docx", LABEL, "label"),
    ("玫瑰面霜標籤.docx", LABEL, "label"),
    ("text.docx", LABEL, "label"),
    ("scan 12.pdf", LABEL_EN, "label"),
    ("ISO 22716 certificate.pdf", GMP, "gmp"),
    ("GMP_certificate.pdf", "", "gmp"),
    ("certificate.pdf", GMP, "gmp"),
    ("process-description.docx", PROCESS, "process"),
    ("製程.docx", PROCESS, "process"),
    ("complaints2025.xlsx", ADVERSE, "adverse"),
    ("成品規格書.pdf", SPEC, "product_spec"),
    ("SDS_emulsifier.pdf", SDS, "sds"),
    ("emulsifier.pdf", SDS, "sds"),
    ("保濕劑.pdf", SDS_ZH, "sds"),
    ("stability-agent SDS.pdf", SDS, "sds"),
    ("preservative.pdf", SDS_OF_A_PRESERVATIVE, "sds"),
    ("tox profiles.pdf", TOX, "toxicology"),
    ("StabilityReport.pdf", STABILITY, "stability"),
    ("report 7.pdf", STABILITY, "stability"),
    ("report 7.pdf", STABILITY_ZH, "stability"),
    ("microbial-test.pdf", MICROBES, "microbial"),
    ("lab 4711.pdf", MICROBES, "microbial"),
    ("lab 4711.pdf", MICROBES_ZH, "microbial"),
    ("challenge_test.pdf", CHALLENGE, "challenge"),
    ("lab 4712.pdf", CHALLENGE, "challenge"),
    ("lab 4712.pdf", CHALLENGE_ZH, "challenge"),
    ("Preservative Efficacy.pdf", "", "challenge"),
    ("microbial challenge test.pdf", CHALLENGE, "challenge"),
    ("moisturization-efficacy.pdf", EFFICACY, "efficacy"),
    ("PET jar packaging spec.pdf", PACKAGING, "packaging"),
    ("包材規格.pdf", PACKAGING, "packaging"),
    ("CPSR.pdf", ASSESSMENT, "assessment"),
    ("安全評估_已簽署.pdf", "", "assessment"),
    ("diploma.pdf", "", "credentials"),
    ("assessor training certificate.pdf", CREDENTIALS, "credentials"),
]


@pytest.mark.parametrize(("filename", "text", "kind"), CASES)
def test_document_is_matched_by_its_name_and_words(
    filename: str, text: str, kind: str
) -> None:
    proposal = propose(DocumentFacts(ID, filename, text))

    assert proposal.outcome is MatchOutcome.MATCHED
    assert proposal.candidates[0].kind.kind == kind


def test_reason_names_the_words_of_file_name_and_content() -> None:
    proposal = propose(DocumentFacts(ID, "stability.pdf", STABILITY_ZH))

    reason = proposal.candidates[0].reason
    assert reason.startswith(
        "file name contains 'stability'; content says 安定性試驗 (3x)"
    )
    assert proposal.candidates[0].by_name


def test_kind_that_was_read_decides_over_the_words_of_the_file_name() -> None:
    kind = KindReading("sds", "Safety data sheet", 1, Decimal("0.97"))

    proposal = propose(DocumentFacts(ID, "stability.pdf", STABILITY_ZH, kind))

    assert proposal.outcome is MatchOutcome.MATCHED
    assert proposal.serves == ("tw-9.ingredients", "tw-10.toxicology")
    assert proposal.candidates[0].reason == "content says Safety data sheet"


def test_all_requirements_of_an_item_are_the_item() -> None:
    assert targets(["tw-12.microbes"]) == (Target(12, None),)
    assert targets(["tw-9.product", "tw-10.toxicology"]) == (
        Target(9, "tw-9.product"),
        Target(10, None),
    )
    assert targets(["tw-9.product", "tw-9.ingredients"]) == (Target(9, None),)


def test_safety_data_sheet_serves_the_ingredient_parts_of_two_items() -> None:
    proposal = propose(DocumentFacts(ID, "raw.pdf", SDS))

    assert proposal.serves == ("tw-9.ingredients", "tw-10.toxicology")
    assert not proposal.candidates[0].by_name


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("IMG_0042.jpg", ""),
        ("notes.txt", "Call the printer on Monday about the new colours."),
        ("stabilizer.pdf", ""),
        ("disestablishment.pdf", "The sdsx and gmpx of nothing."),
        ("invoice.pdf", "Invoice no. 17, stability of prices, supplier: Nord."),
    ],
)
def test_document_without_known_words_is_not_matched(filename: str, text: str) -> None:
    proposal = propose(DocumentFacts(ID, filename, text))

    assert proposal.outcome is MatchOutcome.UNMATCHED
    assert proposal.serves == ()


def test_document_of_two_kinds_is_ambiguous() -> None:
    proposal = propose(DocumentFacts(ID, "stability and packaging.pdf", ""))

    assert proposal.outcome is MatchOutcome.AMBIGUOUS
    assert {c.kind.kind for c in proposal.candidates} == {"stability", "packaging"}
    assert proposal.serves == ()


@pytest.mark.parametrize(
    ("filename", "serves"),
    [
        ("09-SDS-raw-material.pdf", ("tw-9.ingredients",)),
        (
            "product specification and raw material spec.pdf",
            ("tw-9.product", "tw-9.ingredients"),
        ),
        (
            "assessor credentials, safety assessment.pdf",
            ("tw-16.assessment", "tw-16.credentials"),
        ),
    ],
)
def test_document_of_two_kinds_of_one_item_serves_that_item(
    filename: str, serves: tuple[str, ...]
) -> None:
    proposal = propose(DocumentFacts(ID, filename, ""))

    assert proposal.outcome is MatchOutcome.MATCHED
    assert len(proposal.candidates) == 2
    assert proposal.serves == serves


def test_kinds_that_the_content_leaves_open_decide_between_those_of_the_name() -> None:
    reading = KindReading(None, "", None, Decimal(0), ("packaging", "label"))
    document = DocumentFacts(ID, "stability and packaging.pdf", "", reading)

    assert propose(document).serves == ("tw-15.packaging",)


def test_content_outweighs_a_misleading_file_name() -> None:
    proposal = propose(DocumentFacts(ID, "stability.pdf", SDS))

    assert proposal.candidates[0].kind.kind == "sds"


def test_file_name_is_read_in_full_width_and_camel_case() -> None:
    assert (
        fold_name("\uff27\uff2d\uff30\uff3fCertificate-OfSite.v2.PDF")
        == "gmp certificate of site v2"
    )


def test_longer_word_excludes_the_shorter_one_inside_it() -> None:
    words = {"efficacy", "preservative efficacy"}

    counted = count_words("preservative efficacy and efficacy", words)

    assert counted == {"preservative efficacy": 1, "efficacy": 1}


def test_latin_word_inside_another_word_does_not_count() -> None:
    assert count_words(
        "stabilityx xstability stability2 安stability定", ["stability"]
    ) == {"stability": 2}


def test_every_kind_serves_known_requirements_and_every_document_has_a_kind() -> None:
    codes = {part.code: part for item in rulebook().items for part in item.requirements}
    served = {code for kind in document_kinds() for code in kind.serves}

    assert served <= set(codes)
    by_document = {c for c, part in codes.items() if "document" in part.satisfied_by}
    assert by_document <= served


def test_stored_words_are_folded_and_distinct() -> None:
    text = (
        resources.files("dossier.pif")
        .joinpath("data/tw_document_kinds.json")
        .read_text()
    )
    lists = [
        words
        for kind in json.loads(text)["kinds"]
        for name, words in kind.items()
        if name.endswith(("words", "hints"))
    ]

    assert all(fold(word) == word for words in lists for word in words)
    assert all(len(words) == len(set(words)) for words in lists)


@settings(max_examples=50)
@given(st.text(max_size=80), st.text(max_size=400))
def test_any_name_and_text_give_the_same_proposal_each_time(
    name: str, text: str
) -> None:
    document = DocumentFacts(ID, name, text)

    first = propose(document)

    assert first == propose(document)
    assert all(candidate.reason for candidate in first.candidates)
