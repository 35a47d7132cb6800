"""A sentence goes on over lines that a page broke, and ends where its writer did."""

import pytest

from dossier.integrations.parsing.documents import read_document
from dossier.knowledge.extraction import AnswerVerdict, QuotablePassage, extract
from dossier.knowledge.rules.blocks import BlockKind, blocks_of, heading_level
from dossier.knowledge.rules.chunking import Part, passages_of
from dossier.knowledge.rules.line_breaks import unwrapped
from dossier.knowledge.rules.sentences import split_sentences
from dossier.testing.documents import FONT, PdfWriter

FOOTER = "Specimen paper: companies and data are invented, all of them PC-2026-01 1 / 1"
FIRST = "三批樣品之瓶身皆無破裂，瓶蓋扭力值介於 1.2 至 1.6 牛頓米之間，符合規格要求。"
SECOND = "另外於攝氏四十度儲存十二週後，內容物之重量損失低於百分之一。"
PAPER = f"""
#set page(width: 150mm, height: 100mm)
#set text(font: sys.inputs.family, size: 9pt, lang: "zh", region: "tw")
= 包裝相容性試驗報告
產品名稱 Product: 玫瑰保濕霜 Rose Cream \\
試驗日期 Date: 2026-02-01

#block(width: 70mm)[{FIRST}{SECOND}]

#text(size: 7pt)[{FOOTER}]
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the text of a printed page whose Chinese is wrapped."""
    folder = tmp_path_factory.mktemp("paper")
    source = folder / "paper.typ"
    source.write_text(PAPER)
    printed = folder / "paper.pdf"
    printed.write_bytes(PdfWriter(folder, FONT).write(source))
    with printed.open("rb") as file:
        return read_document(file, filename=printed.name).pages[0].text


def test_chinese_that_a_pdf_wrapped_is_quoted_whole(page: str) -> None:
    texts = [passage.text for passage in passages_of([Part(1, "page 1", page)])]
    sentences = [each.text for text in texts for each in split_sentences(text)]

    assert not {FIRST, SECOND} & set(sentences)  # else nothing was wrapped
    assert {FIRST, SECOND, FOOTER} <= {unwrapped(each) for each in sentences}
    assert "試驗日期 Date: 2026-02-01" in sentences


def test_wrapped_line_that_begins_with_a_figure_is_no_heading() -> None:
    assert heading_level("1.2 至 1.6 牛頓米之間，符合規格") == 0
    assert heading_level("1.2 試驗方法") == 2


@pytest.mark.parametrize(
    "lines",
    [
        ("三批樣品之瓶身皆無破裂且瓶蓋之扭力值介於", "1.6 牛頓米之間符合規格要求"),
        ("樣品依規定存放於攝氏四十度之恆溫箱中並於第", "12 週取出檢查其外觀與氣味"),
        ("樣品甲、樣品乙，", "2 批皆合格"),
        (
            "All three batches were kept in a closed cabinet at a temperature of",
            "25 degrees and forty per cent of humidity, and looked at after",
            "12 weeks",
        ),
        ("The torque of the cap is, as measured,", "1.2 newton metres"),
    ],
)
def test_the_rest_of_a_sentence_is_no_heading(lines: tuple[str, ...]) -> None:
    text = "\n".join(lines)

    assert [each.kind for each in blocks_of(text)] == [BlockKind.PARAGRAPH]


@pytest.mark.parametrize(
    ("above", "heading"),
    [
        ("三批樣品之瓶身皆無破裂且瓶蓋之扭力值符合規格。", "1.6 試驗方法"),
        ("三批樣品之瓶身皆無破裂且瓶蓋之扭力值符合規格\n", "1.6 試驗方法"),
        ("包裝相容性試驗報告", "1. 試驗方法"),
        ("製造商地址為臺北市信義區某路一段一號之三樓", "第二章 試驗方法"),
        ("Samples were kept in a closed cabinet for three months", "2. Method"),
        ("Samples were kept in a closed cabinet for three months.", "2. method"),
        ("The following methods were used for the samples:", "2. method"),
        ("Rose Cream", "2. method"),
    ],
)
def test_a_heading_below_a_complete_line_is_a_heading(above: str, heading: str) -> None:
    kinds = [each.kind for each in blocks_of(f"{above}\n{heading}\nText below it.")]

    assert kinds == [BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.PARAGRAPH]


def test_a_short_line_above_a_heading_is_not_wrapped() -> None:
    wide = "本試驗將樣品存放於恆溫箱中並於規定之時間取出檢查其外觀與氣味等項目。"
    text = f"{wide}\n本公司依據下列標準進行試驗並記錄結果\n1. 試驗方法"

    *_, last = blocks_of(text)

    assert last.kind is BlockKind.HEADING


@pytest.mark.parametrize("question", ["瓶盖扭力值是多少？", "瓶身有無破裂？"])
def test_question_about_wrapped_chinese_is_answered_whole(
    page: str, question: str
) -> None:
    found = extract(question, [QuotablePassage(page)], {})

    assert found.verdict is AnswerVerdict.ANSWERED
    assert unwrapped(found.picked[0].sentence.text) == FIRST


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (  # as wide as each other, and yet not one sentence
            "產品名稱：玫瑰保濕霜五十毫升附贈補充包裝\n製造廠商：桃園玫瑰化粧品股份有限公司廠",
            [
                "產品名稱：玫瑰保濕霜五十毫升附贈補充包裝",
                "製造廠商：桃園玫瑰化粧品股份有限公司廠",
            ],
        ),
        ("試驗方法\n取樣品十克，置於瓶中。", ["試驗方法", "取樣品十克，置於瓶中。"]),
        ("甘油、\n玫瑰水、\n香料。", ["甘油、玫瑰水、香料。"]),
        (
            "瓶蓋之扭力值依照內部方法量測三次後取其平均約\n1.6 牛頓米。",
            ["瓶蓋之扭力值依照內部方法量測三次後取其平均約 1.6 牛頓米。"],
        ),
        (
            "包裝材料與內容物相容性試驗結果之說明文件如下\n(1) 瓶身無破裂。",
            ["包裝材料與內容物相容性試驗結果之說明文件如下", "(1) 瓶身無破裂。"],
        ),
        (
            "含 Sodium Hyaluronate 0.1 %、Phenoxyethanol 0.9 % 與\n甘油。",
            ["含 Sodium Hyaluronate 0.1 %、Phenoxyethanol 0.9 % 與甘油。"],
        ),
        (
            "Blue Lake Laboratory, No. 1, Garden Road\n包裝相容性試驗報告",
            ["Blue Lake Laboratory, No. 1, Garden Road", "包裝相容性試驗報告"],
        ),
    ],
)
def test_lines_are_joined_only_where_a_sentence_continues(
    text: str, lines: list[str]
) -> None:
    assert [unwrapped(each.text) for each in split_sentences(text)] == lines


def test_sentence_in_one_line_has_spaces_only_between_words() -> None:
    assert (
        unwrapped("介於 \n1.2 牛頓米之\n間，so\nit  is")
        == "介於 1.2 牛頓米之間，so it is"
    )
