import json
from pathlib import Path

import pytest

import dossier.pif
from dossier.documents.facts.kinds import document_kind
from dossier.documents.facts.types import PageText

FACTS = Path(dossier.__path__[0]) / "documents" / "facts" / "data"
TABLE = Path(dossier.pif.__path__[0]) / "data" / "tw_document_kinds.json"


def test_kinds_are_those_of_the_table_of_document_kinds() -> None:
    table = json.loads(TABLE.read_text())["kinds"]

    kinds = json.loads((FACTS / "kinds.json").read_text())["kinds"]

    assert set(kinds) == {entry["kind"] for entry in table}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("晴川檢驗實驗室\n微生物檢測報告\n總生菌數 < 10 CFU/g", "microbial"),
        ("Stability Testing Laboratory Ltd.\nMicrobiological Test Report", "microbial"),
        ("Preservative Efficacy Test Report", "challenge"),
        ("产品稳定性试验报告\n40 ℃ 12 周", "stability"),
        ("Product Safety Assessment: Conclusion", "assessment"),
        ("安全資料簽署人員資格證明", "credentials"),
        ("化粧品優良製造規範符合證書", "gmp"),
        ("聲明書\n本公司之製造場所符合化粧品優良製造準則", "gmp"),
        ("Certificate of Analysis\nINCI: Glycerin", "raw_material_spec"),
        ("Certificate of Analysis\nFinished product, appearance", "product_spec"),
        ("Report title: Stability study", "stability"),
    ],
)
def test_title_decides_the_kind(text: str, kind: str) -> None:
    assert document_kind([PageText(1, text)]).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Sir, the safety data sheet is attached.",
        "Stability test protocol",
        "安定性試驗計畫書",
        "微生物檢驗委託單",
        "Quotation\nChallenge test 300 EUR",
        "Table of contents\nStability report\nSafety data sheet",
        "Certificate of Analysis\nAppearance: white",
        "Attachment: stability report",
        "Stability and microbiological test report",
    ],
)
def test_paper_that_only_names_a_kind_is_none(text: str) -> None:
    assert document_kind([PageText(1, text)]).kind is None


def test_two_kinds_in_one_title_are_candidates() -> None:
    reading = document_kind([PageText(1, "Stability and microbiological test report")])

    assert reading.candidates == ("microbial", "stability")


def test_title_alone_has_less_confidence_than_title_and_body() -> None:
    bare = document_kind([PageText(1, "Stability Report")])
    full = document_kind([PageText(1, "Stability Report\n40 °C, 12 weeks")])

    assert bare.kind == full.kind == "stability"
    assert bare.confidence < full.confidence


def test_form_of_the_body_decides_the_kind_without_a_title() -> None:
    text = (
        "ROSE CREAM\nIngredients: Aqua\nDirections: apply\nWarnings: none"
        "\n50 g net weight\nStore below 30\nMade in Taiwan\nLot and exp: see base"
    )

    reading = document_kind([PageText(1, text)])

    assert reading.kind == "label"
    assert reading.raw
