"""What an inspector reads: asserted on the text of the printed pages."""

# ruff: noqa: RUF001 - Chinese punctuation is as it is

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from tests.reports import samples
from tests.reports.printing import SHA256, print_snapshot, read_pages

FORBIDDEN = ("is safe", "approved", "核准", "是安全的")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("printed") / "pif.pdf"
    print_snapshot(samples.snapshot(), target)
    return target


@pytest.fixture(scope="module")
def pages(printed: Path) -> list[str]:
    return read_pages(printed)


def test_cover_names_product_holder_version_completeness_and_digest(
    pages: list[str],
) -> None:
    cover = pages[0]

    for words in (
        "玫瑰保濕霜",
        "Rose Moisturising Cream",
        "玫瑰有限公司 Rose Co., Ltd.",
        "第 3 版 Version 3",
        "台灣 Taiwan",
        "2026-11-20 16:30 UTC+8",
        "12 / 16 項完備 items complete",
        "草稿",
        SHA256,
    ):
        assert words in cover


def test_cover_shows_what_blocks(pages: list[str]) -> None:
    assert "成分合計不是 100%。" in pages[0]
    assert "缺少產品之物理及化學特性資料。" not in pages[0]


def test_a_long_finding_ends_on_the_cover_with_an_ellipsis(tmp_path: Path) -> None:
    message = {"zh": "很長的說明" * 60, "en": "Words " * 100}
    long = samples.finding(message=message, severity="blocking", code="long")
    snapshot = samples.snapshot(findings=[long])

    print_snapshot(snapshot, tmp_path / "pif.pdf")

    [cover, *rest] = read_pages(tmp_path / "pif.pdf")
    assert cover.count("…") == 2
    assert "草稿" in cover
    [annex] = [page for page in rest if "Annex B: Findings" in page]
    assert annex.count("Words") == 100


def test_articles_are_cited_as_taiwan_does(tmp_path: Path) -> None:
    cited = {
        "PIF Reg. Art. 3(1)(16)(ii)": "管理辦法第 3 條第 1 項第 16 款第 2 目",
        "Notif. Reg. Art. 8": "化粧品產品登錄辦法第 8 條",
        "Act Art. 8(2)": "化粧品衛生安全管理法第 8 條第 2 項",
    }
    findings = [samples.finding(article=article) for article in cited]

    print_snapshot(samples.snapshot(findings=findings), tmp_path / "pif.pdf")

    body = " ".join(read_pages(tmp_path / "pif.pdf"))
    for article, words in cited.items():
        assert f"{words} {article}" in body


def test_file_states_how_long_and_where_it_is_kept(pages: list[str]) -> None:
    assert (
        "自產品最後市售日之次日起至少五年 | 管理辦法第 7 條 PIF Reg. Art. 7" in pages[1]
    )
    assert "產品標示之業者地址 | 管理辦法第 8 條 PIF Reg. Art. 8" in pages[1]


def test_contents_list_sixteen_items_with_state_and_true_page(pages: list[str]) -> None:
    contents = pages[1]

    for item in samples.items():
        assert item["title_zh"] in contents
    number = contents.split("Product safety information F2 缺少 Missing ")[1].split()[0]
    assert "產品安全資料 Product safety information" in pages[int(number) - 1]


def test_every_page_has_its_number_and_the_total(pages: list[str]) -> None:
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page


def test_every_page_after_the_cover_names_its_product(pages: list[str]) -> None:
    for page in pages[1:]:
        assert "玫瑰保濕霜 Rose Moisturising Cream" in page
        assert "Version 3" in page


def test_items_cite_evidence_article_and_how_to_close_the_gap(pages: list[str]) -> None:
    body = " ".join(pages)

    assert "E07 stability-report.pdf" in body
    assert "化粧品產品資訊檔案管理辦法 第 3 條第 1 項第 11 款" in body
    assert "補正 Closes by 附上載明日期之文件 Attach the dated document" in body


def test_decisions_give_reason_person_and_time(pages: list[str]) -> None:
    body = " ".join(pages)

    assert "免附理由 Reason for the waiver" in body
    assert "產品為無水配方，水活性低於 0.6，微生物無法生長；理由載於項目 16。" in body
    assert "林安安 Lin An-an | 2026-11-20 11:04 UTC+8" in body


def test_composition_gives_each_line_its_cell_and_the_total_as_interval(
    pages: list[str],
) -> None:
    page = next(page for page in pages if "Annex A: Composition" in page)

    assert "q.s. to 100 64.2–66.7 F7" in page
    assert "7732-18-5 231-791-2" in page
    assert "≤ 0.1" in page
    assert "合計 Total 98.7–100.4" in page


def test_findings_come_blocking_first_with_their_place(pages: list[str]) -> None:
    page = next(page for page in pages if "Annex B: Findings" in page)

    order = [page.index(f"{word} ") for word in ("Blocking", "Warning", "Note")]
    assert order == sorted(order)
    assert "E01 配方表 formula.xlsx › 配方 Formula › F21" in page
    assert "值 Value 98.7 % 限值 Limit 100 % 差 Margin -1.3 %" in page


def test_evidence_is_listed_with_whole_digests(pages: list[str]) -> None:
    listed = pages[-2] + pages[-1]

    for paper in samples.evidence():
        assert paper["sha256"] in listed
        assert f"{paper['size_bytes']} bytes" in listed


def test_document_and_its_digest_are_on_one_page(pages: list[str]) -> None:
    annex = pages[-2:]  # the digest of the formula stands above its table too

    for position, paper in enumerate(samples.evidence(), start=1):
        [page] = [page for page in annex if paper["sha256"] in page]
        before = page.partition(paper["sha256"])[0]
        assert re.findall(r"E(\d\d)\b", before)[-1] == f"{position:02d}"


def test_file_never_calls_a_product_safe_or_approved(pages: list[str]) -> None:
    body = " ".join(pages).lower()

    for words in FORBIDDEN:
        assert words not in body


@pytest.mark.slow  # 35 pages
def test_a_long_composition_repeats_its_header_on_every_page(tmp_path: Path) -> None:
    snapshot = samples.snapshot(formula=samples.formula(500))

    print_snapshot(snapshot, tmp_path / "pif.pdf")

    annex = [
        page for page in read_pages(tmp_path / "pif.pdf") if "Raw Material" in page
    ]
    assert len(annex) > 10
    assert all("Trade name / supplier" in page for page in annex)
    assert "Raw Material 500" in annex[-1]


def test_empty_file_states_what_is_missing(tmp_path: Path) -> None:
    bare = samples.snapshot(formula=None, findings=[], evidence=[])
    for name in (
        "name_en",
        "code",
        "usage",
        "dosage_form",
        "population",
        "phase_in_on",
    ):
        bare["product"][name] = None
    bare["product"]["sites"] = []
    bare["product"]["holder"] |= {"address": None, "phone": None}
    for item in bare["items"]:
        item["decision"] = None
        for requirement in item["requirements"]:
            requirement["documents"] = []

    print_snapshot(bare, tmp_path / "pif.pdf")

    body = " ".join(read_pages(tmp_path / "pif.pdf"))
    assert "No formula has been imported." in body
    assert "Nothing was found in the evidence at hand." in body
    assert "No document has been linked." in body
    assert "未載明 Not stated" in body
    assert "No file is asked for in this category" in body


def test_only_existing_name_leads_the_cover(tmp_path: Path) -> None:
    snapshot = samples.snapshot()
    snapshot["product"]["name_zh"] = None

    print_snapshot(snapshot, tmp_path / "pif.pdf")

    cover = read_pages(tmp_path / "pif.pdf")[0]
    assert "Rose Moisturising Cream 中文品名未載明 No Chinese name stated" in cover


def test_missing_formula_takes_no_page(tmp_path: Path) -> None:
    print_snapshot(samples.snapshot(formula=None), tmp_path / "pif.pdf")

    with pypdfium2.PdfDocument(tmp_path / "pif.pdf") as document:
        assert all(page.get_width() < page.get_height() for page in document)


HOSTILE = [
    '#eval("1+1") #sys.inputs #include "/etc/passwd"',
    "$ x^2 $ *bold* _emph_ `raw` ~ -- ---",
    "@evidence-1 <annex-a> [content] {code} = heading",
    "// comment /* block */ \\ \\u{41} #[",
    "A" * 300,
    "很長的名稱" * 60,
    "bell \x07 nul \x00 emoji 😀 rare 𠀀 arabic العربية",
    "name\u202efdp.exe",
    "line one\nline two\r\nline three\ttab",
    "",
    " ",
]


MARGIN_PT = 40


FOOTER_PT = 20


def _right_edges_pt(path: Path) -> list[float]:
    """Return how near to the right edge of its page each page's text comes."""
    with pypdfium2.PdfDocument(path) as document:
        return [
            document[index].get_width() - max(right for _, _, right, _ in boxes)
            for index, boxes in enumerate(_text_boxes(document))
        ]


def _lowest_pt(path: Path) -> float:
    """Return how near to the lower edge of a page any text comes."""
    with pypdfium2.PdfDocument(path) as document:
        return min(low for boxes in _text_boxes(document) for _, low, _, _ in boxes)


def _text_boxes(
    document: pypdfium2.PdfDocument,
) -> Iterator[list[tuple[float, float, float, float]]]:
    for index in range(len(document)):
        text = document[index].get_textpage()
        yield [text.get_rect(i) for i in range(text.count_rects())]


def _with_text_everywhere(text: str) -> dict[str, Any]:
    snapshot = samples.snapshot(formula=samples.formula(1))
    snapshot["product"] |= {"name_zh": text, "name_en": text, "code": text}
    snapshot["product"]["holder"]["name"] = text
    snapshot["items"][4]["decision"]["reason"] = text
    snapshot["items"][4]["title_zh"] = text
    return snapshot


def _with_all_texts() -> dict[str, Any]:
    """Give each text a formula line, a finding and a paper of its own."""
    columns = ("phase", "trade_name", "supplier", "inci", "cas", "ec", "function")
    snapshot = _with_text_everywhere(HOSTILE[0])
    for text in HOSTILE:
        line = samples.line(9) | dict.fromkeys((*columns, "cell"), text)
        snapshot["formula"]["lines"].append(line)
        message = {"zh": text, "en": text}
        snapshot["findings"].append(samples.finding(message=message))
        fact = samples.facts_of("sds")[0] | {"raw": text, "value": text}
        document = {"filename": text, "reason": text, "facts": [fact], "kind": "sds"}
        snapshot["evidence"].append(samples.evidence()[0] | document)
        note = {"code": "x", "kind": "assumed", "zh": text, "en": text, "cell": text}
        snapshot["formula"].setdefault("notes", []).append(note)
        row = {"name": text, "documents": [], "reason": text, "is_covered": True}
        requirement = snapshot["items"][8]["requirements"][0]
        requirement.setdefault("coverage", []).append(row)
    return snapshot


def test_text_is_not_interpreted_as_markup_and_stays_in_its_column(
    tmp_path: Path,
) -> None:
    print_snapshot(_with_all_texts(), tmp_path / "pif.pdf")

    assert min(_right_edges_pt(tmp_path / "pif.pdf")) > MARGIN_PT
    assert _lowest_pt(tmp_path / "pif.pdf") > FOOTER_PT
    body = " ".join(read_pages(tmp_path / "pif.pdf"))
    for text in HOSTILE[:4]:
        assert text in body


@pytest.mark.parametrize("text", ["", "A" * 300, "很長的名稱" * 60])
def test_names_of_any_length_fit_the_cover(text: str, tmp_path: Path) -> None:
    print_snapshot(_with_text_everywhere(text), tmp_path / "pif.pdf")

    assert min(_right_edges_pt(tmp_path / "pif.pdf")) > MARGIN_PT


def test_character_missing_from_the_font_is_written_as_code_point(
    tmp_path: Path,
) -> None:
    snapshot = samples.snapshot()
    snapshot["product"]["name_zh"] = "霜 😀 \u202e甲\x00"

    print_snapshot(snapshot, tmp_path / "pif.pdf")

    assert "霜 [U+1F600] [U+202E]甲[U+0000]" in read_pages(tmp_path / "pif.pdf")[0]


def test_the_file_is_archival_and_carries_its_findings(printed: Path) -> None:
    with pikepdf.open(printed) as pdf:
        metadata = pdf.open_metadata()
        assert metadata.pdfa_status == "3B"
        assert metadata["dc:identifier"] == f"urn:sha256:{SHA256}"
        assert metadata["dc:title"] == pdf.docinfo["/Title"]
        assert metadata["xmp:CreatorTool"] == pdf.docinfo["/Creator"]
        attached = pdf.attachments["findings.json"].get_file().read_bytes()
        assert b'"dossier.findings/2"' in attached
        assert pdf.Root.Lang == "zh-TW"
        assert pdf.Root.AF[0].AFRelationship == "/Data"


def test_the_outline_leads_to_items_and_annexes(printed: Path) -> None:
    with pypdfium2.PdfDocument(printed) as document:
        titles = [entry.get_title() for entry in document.get_toc()]

    assert len(titles) == 1 + 16 + 1 + 3
    assert "Signature page" in titles[17]
    assert "產品基本資料" in titles[1]
    assert titles[-1].endswith("Annex C: List of evidence")


def test_no_glyph_is_emboldened_by_a_stroke(printed: Path) -> None:
    with pikepdf.open(printed) as pdf:
        modes = {
            str(instruction.operands)
            for page in pdf.pages
            for instruction in pikepdf.parse_content_stream(page, "Tr")
            if str(instruction.operator) == "Tr"
        }

    assert not {mode for mode in modes if "0" not in mode}


def test_file_embeds_one_font_subset(printed: Path) -> None:
    with pikepdf.open(printed) as pdf:
        fonts = {
            str(font.BaseFont).split("+")[-1]
            for page in pdf.pages
            for font in page.Resources.Font.values()
        }

    assert fonts == {"NotoSansSC-Regular", "DejaVuSansMono"}
