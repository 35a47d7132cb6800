"""What the file shows of documents, findings and people under the sixteen items."""

# ruff: noqa: RUF001 - Chinese punctuation is as it is

import json
import re
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from tests.reports import samples
from tests.reports.printing import print_snapshot, read_pages

from dossier.documents.facts.types import FactName, Signature, StatedVerdict
from dossier.pif.constants import ItemState
from dossier.pif.rules.matching import document_kinds
from dossier.reports.content import TEMPLATE

WORDS = json.loads((TEMPLATE.parent / "words.json").read_text(encoding="utf-8"))
WATERMARK = re.findall(
    r'#let watermark = rgb\("(#\w+)"\)', (TEMPLATE.parent / "style.typ").read_text()
)[0]
ENOUGH_CONTRAST = 4.5


def _text(snapshot: dict[str, Any], folder: Path) -> str:
    return " ".join(_pages(snapshot, folder))


def _pages(snapshot: dict[str, Any], folder: Path) -> list[str]:
    print_snapshot(snapshot, folder / "pif.pdf")
    return read_pages(folder / "pif.pdf")


def _requirement(snapshot: dict[str, Any], number: int, position: int = 0) -> Any:
    return snapshot["items"][number - 1]["requirements"][position]


def _judgement(position: int, code: str, **members: Any) -> dict[str, Any]:
    return {
        "document_id": samples.document_id(position),
        "state": None,
        "code": code,
        "reason": {"zh": "屬於其他產品", "en": "is about another product"},
        "confirmation": None,
    } | members


def _section(text: str, title: str, following: str) -> str:
    """Return what stands between two titles in the items part."""
    items = text.rsplit("The sixteen items", maxsplit=1)[-1]
    return items.split(title)[1].split(following)[0]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("printed") / "pif.pdf"
    print_snapshot(samples.snapshot(), target)
    return target


@pytest.fixture(scope="module")
def pages(printed: Path) -> list[str]:
    return read_pages(printed)


NOTES = [
    {"code": "unit", "zh": "單位視為 %。", "en": "% is assumed.", "cell": "D5"},
    {"code": "trace", "kind": None, "zh": "微量。", "en": "A trace.", "cell": None},
    {
        "code": "sheet-chosen",
        "kind": "chosen",
        "zh": "讀取工作表「配方」。",
        "en": "The sheet 配方 was read.",
        "cell": None,
    },
    {"code": "remark", "zh": "量產用", "en": "量產用", "cell": "A30"},
]


def _varied_snapshot() -> dict[str, Any]:
    """Return a version with documents that count in several ways, or do not."""
    snapshot = samples.snapshot()
    snapshot["as_of"] = "2026-11-19"
    snapshot["formula"]["notes"] = NOTES
    stability, microbial, packaging = snapshot["evidence"][6:9]
    stability["facts"] = [
        samples.facts_of("stability")[1] | {"page": None, "cell": "B4"}
    ]
    microbial |= {"text_state": "unreadable", "facts": []}
    packaging |= {"kind": None, "text_state": "pending", "facts": []}
    confirmation = {
        "reason": "紙本已核對第 2 頁",
        "actor_name": "林安安",
        "at": "2026-11-20T20:04:05Z",
    }
    _requirement(snapshot, 11)["judgements"] = [
        _judgement(7, "confirmed", state="present", confirmation=confirmation)
    ]
    _requirement(snapshot, 12)["documents"].append(samples.document_id(7))
    reason = {"zh": "載有簽署人員說明的理由", "en": "gives the signatory's reason"}
    _requirement(snapshot, 13)["judgements"] = [
        _judgement(8, "waiver_reason", state="waived", reason=reason)
    ]
    _requirement(snapshot, 15)["judgements"] = [_judgement(9, "other_product")]
    _requirement(snapshot, 16).update(
        code="tw-16.assessment",
        documents=[samples.document_id(8)],
        judgements=[_judgement(8, "unreadable", state="unconfirmed")],
    )
    uncovered: dict[str, Any] = {"documents": [], "reason": None, "is_covered": False}
    covered = uncovered | {"is_covered": True}
    _requirement(snapshot, 9, 1)["coverage"] = [
        covered | {"name": "Aqua", "reason": "純水 Pure water"},
        covered | {"name": "Glycerin", "documents": [samples.document_id(6)]},
        uncovered | {"name": "Parfum"},
    ]
    return snapshot


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _text(_varied_snapshot(), tmp_path_factory.mktemp("varied"))


def test_item_shows_the_facts_of_its_papers_with_their_pages(pages: list[str]) -> None:
    stability = _section(" ".join(pages), "11 安定性試驗", "12 微生物檢測")

    for words in (
        "E07 stability-report.pdf | 安定性試驗 Stability report",
        "結果 Result 符合 Pass 「各條件下結果均在規格內。 All results within",
        "limits.」 第 3 頁 p. 3",
        "方法 Method ISO/TR 18811 第 2 頁 p. 2",
        "批號 Lot P250901 第 1 頁 p. 1",
        "文件日期 Date 2025-12-19 「19 Dec 2025」 第 1 頁 p. 1",
    ):
        assert words in stability


def test_values_of_one_name_and_page_share_a_row(pages: list[str]) -> None:
    toxicology = _section(" ".join(pages), "10 成分毒理資料", "11 安定性試驗")

    assert "CAS 編號 CAS number 56-81-5; 122–99–6 第 1 頁 p. 1" in toxicology


def test_cover_names_the_day_on_which_validity_was_judged(varied: str) -> None:
    assert "效期依 2026-11-19 判定 Validity judged on 2026-11-19" in varied


def test_facts_without_a_page_show_their_cells(varied: str) -> None:
    assert "批號 Lot P250901 B4" in varied


def test_paper_without_readable_text_says_so_on_the_cover_and_under_its_item(
    varied: str,
) -> None:
    microbiology = _section(varied, "12 微生物檢測", "13 防腐效能")

    assert (
        "E08 microbial-report.pdf | 微生物檢測 Microbial test | 無法讀取"
        in microbiology
    )
    assert "9 份 papers | 已讀取 read 7" in varied
    assert "無法讀取 cannot be read 1 | 尚未讀取 not read yet 1" in varied


def test_paper_of_no_known_kind_is_listed_with_its_reading(varied: str) -> None:
    packaging = _section(varied, "15 接觸包材", "16 產品安全資料")

    assert "尚未讀取 not read yet" in packaging


def test_paper_that_meets_a_requirement_of_another_item_is_shown_there(
    varied: str,
) -> None:
    microbiology = _section(varied, "12 微生物檢測", "13 防腐效能")

    assert "E07 stability-report.pdf" in microbiology
    assert "批號 Lot P250901" in microbiology


def test_confirmation_names_person_day_and_reason(varied: str) -> None:
    stability = _section(varied, "11 安定性試驗", "12 微生物檢測")

    assert "林安安 於 2026-11-21 確認 Confirmed by 林安安 on 2026-11-21" in stability
    assert "理由 Reason 紙本已核對第 2 頁" in stability


def test_waiver_of_the_signed_conclusion_names_its_paper(varied: str) -> None:
    challenge = _section(varied, "13 防腐效能", "14 功能評估")

    assert "Reason for the waiver, in the signed conclusion E08" in challenge
    assert "gives the signatory's reason" in challenge


def test_paper_that_does_not_count_says_why(varied: str) -> None:
    packaging = _section(varied, "15 接觸包材", "16 產品安全資料")

    assert "屬於其他產品 is about another product" in packaging
    assert "E09 包材規格.pdf 不計入 Does not count" in packaging


def test_coverage_lists_each_material_with_its_papers_or_reason(varied: str) -> None:
    section = _section(varied, "9 物理及化學特性", "10 成分毒理")

    assert "3 項中 2 項有文件或理由 2 of 3 covered" in section
    assert "Aqua 有 Covered 純水 Pure water" in section
    assert "Glycerin 有 Covered E06" in section
    assert "Parfum 缺 Missing –" in section


def test_blocked_item_looks_blocked_on_cover_contents_and_section(
    pages: list[str],
) -> None:
    cover, contents, *_ = pages

    assert "有缺少或須補正之事項 Something is missing or blocks the file" in cover
    assert re.search(r"\b1 須補正 Blocked", cover)
    assert "Ingredients and contents F1 F3 須補正 Blocked" in contents
    section = _section(" ".join(pages), "3 全成分與含量", "4 標籤與包裝")
    assert section.startswith(" Ingredients and contents 須補正 Blocked")
    assert "F1 須補正 Blocking 成分合計不是 100%。" in section


def test_marked_composition_line_carries_its_finding(pages: list[str]) -> None:
    annex = next(page for page in pages if "Annex A: Composition" in page)

    line = annex.split("E11")[0].rsplit("F10", 1)[0]
    assert "5 ▲" in annex
    assert "F3 注意 Warning CAS 號碼檢查碼不符：56-81-4。" in annex
    assert "F1 須補正 Blocking" in line


def test_notes_of_the_formula_import_stand_below_the_composition(varied: str) -> None:
    notes = varied.split("How the formula sheet was read")[1]

    for words in (
        "選用 Chosen 讀取工作表「配方」。 The sheet 配方 was read.",
        "推定 Assumed 單位視為 %。 % is assumed. D5 微量。 A trace.",
        "原表附註 Remark of the sheet 量產用 A30",
    ):
        assert words in notes
    assert notes.index("Chosen") < notes.index("Assumed")


def test_annex_says_in_plain_words_why_a_paper_stands_at_its_items(
    pages: list[str],
) -> None:
    annex = " ".join(pages).split("Annex C: List of evidence")[1]

    assert "檔名含有「report, test」，內容載有「ph」" in annex
    assert "Its file name has “report, test”; its text says “ph”" in annex
    assert "由人員指定 Assigned by a person" in annex
    assert "product.yaml" not in annex


def test_every_page_says_draft_until_the_signature_page_is_signed(
    pages: list[str],
) -> None:
    [signature] = [
        number
        for number, page in enumerate(pages, 1)
        if "Signature page 本版本" in page
    ]

    for page in pages:
        assert "草稿 Draft 未簽署 Not signed" in page
        assert f"Draft until page {signature} is signed" in page


def test_signature_page_has_room_for_the_signatory_and_names_the_version(
    pages: list[str],
) -> None:
    page = next(page for page in pages if "Signature page 本版本" in page)

    for words in (
        "玫瑰保濕霜 Rose Moisturising Cream",
        "第 3 版 Version 3",
        "簽署前應處理 Close first F1, F2",
        "安全資料簽署人員 Safety data signatory",
        "管理辦法第 3 條第 1 項第 16 款第 1 目",
        "姓名 Name",
        "資格 Qualification",
        "簽名 Signature",
        "日期 Date",
    ):
        assert words in page


def test_signature_page_says_whose_assessment_is_enclosed_and_whether_it_counts(
    varied: str,
) -> None:
    assert (
        "E08 microbial-report.pdf 未確認 Unconfirmed" in varied.split("已附之評估")[1]
    )


def test_retention_is_not_called_by_the_word_for_shelf_life(pages: list[str]) -> None:
    assert "保存期限" not in pages[1]
    assert "檔案保存年限 Kept for" in pages[1]


def test_earlier_version_prints_without_what_it_did_not_hold(tmp_path: Path) -> None:
    pages = _pages(samples.earlier_snapshot(), tmp_path)

    text = " ".join(pages)
    assert "13 / 16 項完備" in pages[0]
    assert "未確認" not in pages[0]
    assert "Blocked" not in text
    assert "What the papers say" not in text
    assert "E07 stability-report.pdf" in text


def test_sixty_papers_and_two_hundred_ingredients_lose_nothing(tmp_path: Path) -> None:
    many = [
        samples.evidence()[5]
        | {"document_id": samples.document_id(i), "filename": f"sds-{i:03}.pdf"}
        for i in range(1, 61)
    ]
    snapshot = samples.snapshot(evidence=many, formula=samples.formula(200))
    for item in snapshot["items"]:
        for requirement in item["requirements"]:
            requirement["documents"] = []
    _requirement(snapshot, 9)["documents"] = [each["document_id"] for each in many]

    text = _text(snapshot, tmp_path)

    section = _section(text, "9 物理及化學特性", "10 成分毒理資料")
    for each in many:
        assert each["filename"] in section
    assert "E01, E02, E03" in section
    assert "Raw Material 200" in text


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("facts", list(FactName)),
        ("kinds", [each.kind for each in document_kinds()]),
        ("states", list(ItemState)),
    ],
)
def test_every_name_that_a_version_may_hold_has_words(
    words: str, known: list[str]
) -> None:
    assert [name for name in known if name not in WORDS[words]] == []


@pytest.mark.parametrize(
    ("name", "values"),
    [("verdict", list(StatedVerdict)), ("signature", list(Signature))],
)
def test_every_coded_value_has_words(name: str, values: list[str]) -> None:
    assert set(values) == set(WORDS["values"][name])


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


COLOURED = [
    WORDS["complete"],
    WORDS["draft"],
    WORDS["not_counted"],
    *WORDS["states"].values(),
    *WORDS["statuses"].values(),
    *WORDS["severities"].values(),
]


@pytest.mark.parametrize("entry", COLOURED, ids=lambda entry: entry["en"])
def test_coloured_words_have_enough_contrast(entry: dict[str, str]) -> None:
    assert _contrast(entry["colour"], entry["tint"]) >= ENOUGH_CONTRAST
    assert _contrast(entry["colour"], WATERMARK) >= ENOUGH_CONTRAST


def test_states_differ_by_their_words_not_only_by_colour() -> None:
    words = [(state["zh"], state["en"]) for state in WORDS["states"].values()]

    assert len(set(words)) == len(words)


def _text_colours(path: Path) -> set[str]:
    """Return the colours in which any text is shown."""
    colours = set()
    with pikepdf.open(path) as pdf:
        for page in pdf.pages:
            colour, kept = "#000000", []
            for instruction in pikepdf.parse_content_stream(page):
                operator, operands = str(instruction.operator), instruction.operands
                if operator == "q":
                    kept.append(colour)
                elif operator == "Q":
                    colour = kept.pop()
                elif operator in {"rg", "sc", "scn"}:
                    levels = [round(255 * float(each)) for each in operands]
                    colour = "#" + "".join(f"{level:02x}" for level in levels)
                elif operator in {"Tj", "TJ"}:
                    colours.add(colour)
    return colours


def test_all_text_has_enough_contrast_on_the_watermark(printed: Path) -> None:
    colours = _text_colours(printed) - {WATERMARK}

    assert len(colours) > len(COLOURED) / 2
    low = [c for c in colours if _contrast(c, WATERMARK) < ENOUGH_CONTRAST]
    assert low == []
