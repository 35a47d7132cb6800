from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import docx
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.comments import Comment
from tests.factories.documents import (
    LOREM,
    bomb_xlsx_bytes,
    pdf_bytes,
    scanned_pdf_bytes,
)
from tests.factories.spreadsheets import xlsx_bytes

from dossier.integrations.parsing import pdf
from dossier.integrations.parsing import text as text_parser
from dossier.integrations.parsing.documents import read_document
from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.reader import Limits, SandboxedReader
from dossier.integrations.parsing.types import (
    MAX_PART_CHARACTERS,
    ExtractedText,
    ReadState,
    TextPage,
    split_parts,
    storable,
)

ODT = """<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>
 <text:h>製程<text:s/>說明</text:h><table:table><table:table-row>
 <table:table-cell><text:p>Mix<text:tab/>A</text:p></table:table-cell>
 <table:table-cell><text:p>75 °C</text:p></table:table-cell></table:table-row>
 </table:table><text:p>End<text:line-break/>here</text:p></office:text></office:body>
</office:document-content>"""

Write = Callable[[bytes, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def run(content: bytes, name: str) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return run


def read(path: str) -> ExtractedText:
    with Path(path).open("rb") as file:
        return read_document(file, filename=Path(path).name)


def reason_of(path: str) -> UnreadableReason | None:
    text = read(path)
    assert text.state is ReadState.UNREADABLE
    assert text.warnings[0].message.en == text.detail
    return text.reason


def test_a_pdf_is_read_page_by_page(write: Write) -> None:
    text = read(write(pdf_bytes(["First page", "Second\nline"]), "a.pdf"))

    assert text.page_count == 2
    assert text.pages == [
        TextPage(1, 1, "page 1", "First page"),
        TextPage(2, 2, "page 2", "Second\nline"),
    ]


def test_a_scan_without_text_layer_is_refused(write: Write) -> None:
    assert reason_of(write(scanned_pdf_bytes(), "a.pdf")) is (
        UnreadableReason.NO_TEXT_LAYER
    )


@pytest.mark.slow(reason="opens a PDF of 200 pages, to hold the figure of the bench")
def test_a_pdf_of_two_hundred_pages_is_read(write: Write) -> None:
    path = write(pdf_bytes(["\n".join([LOREM] * 40)] * 200), "long.pdf")

    text = read(path)

    assert text.page_count == 200
    assert all(part.text.count("\n") == 39 for part in text.pages)


def test_a_pdf_above_the_page_limit_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)

    assert reason_of(write(pdf_bytes(["x"] * 3), "a.pdf")) is UnreadableReason.TOO_LARGE


def test_a_text_above_the_size_limit_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_parser, "MAX_TEXT_BYTES", 2)

    assert reason_of(write(b"Aqua", "a.txt")) is UnreadableReason.TOO_LARGE


def test_a_zip_with_an_invalid_word_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<nothing/>")

    assert reason_of(str(path)) is UnreadableReason.CORRUPT


def test_a_locked_opendocument_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.odt"
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<encryption-data/>")

    assert reason_of(str(path)) is UnreadableReason.ENCRYPTED


def test_a_word_document_is_read_in_body_order(tmp_path: Path) -> None:
    path = tmp_path / "process.docx"
    document = docx.Document()
    document.add_paragraph("製程說明")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table.columns[1].cells, ["75 °C", "40 °C"], strict=True):
        cell.text = text
    table.cell(0, 0).merge(table.cell(1, 0)).text = "Phase A"
    document.add_paragraph("End")
    document.save(str(path))

    [part] = read(str(path)).pages

    assert part.text.split("\n") == ["製程說明", "Phase A\t75 °C", "\t40 °C", "End"]


def test_an_opendocument_text_is_read_in_body_order(tmp_path: Path) -> None:
    path = tmp_path / "process.odt"
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", ODT)

    [part] = read(str(path)).pages

    assert part.text.split("\n") == ["製程 說明", "Mix A\t75 °C", "End", "here"]


def test_an_entity_bomb_in_an_opendocument_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.odt"
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')

    assert reason_of(str(path)) is UnreadableReason.CORRUPT


def test_a_workbook_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    path = tmp_path / "formula.xlsx"
    book = openpyxl.Workbook()
    first, second = book.worksheets[0], book.create_sheet("毒理")
    first.title = "Formula"
    first.append(["Aqua", 80.5])
    second.append(["SDS"])
    book.save(path)

    assert read(str(path)).pages == [
        TextPage(1, None, "Formula", "Aqua\t80.5"),
        TextPage(2, None, "毒理", "SDS"),
    ]


def test_text_boxes_and_comments_of_a_workbook_are_read(tmp_path: Path) -> None:
    path = tmp_path / "formula.xlsx"
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "Aqua"
    book.worksheets[0]["A1"].comment = Comment("since 2019", "QA")
    book.save(path)
    with ZipFile(path, "a") as archive:
        box = "<d><sp><t>Total of part A</t><t>is 12 %</t></sp></d>"
        archive.writestr("xl/drawings/drawing9.xml", box)
        archive.writestr("xl/embeddings/old.docx", "x")

    text = read(str(path))

    assert text.pages[-1] == TextPage(
        2,
        None,
        "text boxes and comments",
        "[Comment at A1: since 2019]\nTotal of part A is 12 %",
    )
    assert text.state is ReadState.READ_PARTLY
    assert [each.code for each in text.warnings] == ["embedded-not-read"]


def test_margins_and_tick_boxes_of_a_workbook_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Aqua", 80])
    margins = book.worksheets[0].HeaderFooter
    assert margins.oddHeader is not None
    assert margins.oddFooter is not None
    margins.oddHeader.center.text = "Specification RC-7"
    margins.oddFooter.right.text = "page &P of &N"
    path = tmp_path / "a.xlsx"
    book.save(path)
    with ZipFile(path, "a") as archive:
        archive.writestr(
            "xl/drawings/vmlDrawing1.vml",
            '<xml xmlns:v="v" xmlns:x="x"><v:shape><v:textbox><div>passed</div>'
            '</v:textbox><x:ClientData ObjectType="Checkbox"><x:Checked>1</x:Checked>'
            "</x:ClientData></v:shape></xml>",
        )

    text = read_document(BytesIO(path.read_bytes()), filename="a.xlsx")

    assert text.text.split("\n\n") == [
        "Aqua\t80",
        "☒ passed\nSpecification RC-7\npage of",
    ]


def test_hidden_cells_of_a_workbook_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(
        xlsx_bytes(
            [["Lead", 2], ["old", 20]],
            hidden_rows=[2],
            sheets={"Old": [["x", 1]]},
            hidden_sheets=["Old"],
        )
    )

    text = read_document(BytesIO(path.read_bytes()), filename="a.xlsx")

    assert text.text == "Lead\t2"
    assert text.state is ReadState.READ
    assert {(each.code, each.place) for each in text.warnings} == {
        ("hidden-text-left-out", "Formula"),
        ("hidden-text-left-out", "Old"),
    }


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-16", "utf-16"), ("cp950", "big5")],
)
@pytest.mark.parametrize("name", ["label.txt", "label.csv"])
def test_a_text_names_its_encoding(
    write: Write, encoding: str, named: str, name: str
) -> None:
    text = read(write("成分 水、甘油、玫瑰花水".encode(encoding), name))

    assert text.encoding == named
    assert text.pages[0].text == "成分 水、甘油、玫瑰花水"


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "empty.pdf", UnreadableReason.EMPTY),
        (pdf_bytes(["x"], password="rose"), "a.pdf", UnreadableReason.ENCRYPTED),
        (pdf_bytes(["x"])[:300], "a.pdf", UnreadableReason.CORRUPT),
        (b"PK\x03\x04word/document.xml", "a.docx", UnreadableReason.CORRUPT),
        (bomb_xlsx_bytes(), "a.xlsx", UnreadableReason.ZIP_BOMB),
        (b"\xff\x80\x81 \xfe\xff", "a.csv", UnreadableReason.UNDECODABLE),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "a.png", UnreadableReason.NO_TEXT_LAYER),
        (b"\x00\x01\x02\x03\x04", "a.bin", UnreadableReason.UNSUPPORTED),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"),
            "a.doc",
            UnreadableReason.UNSUPPORTED,
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            UnreadableReason.ENCRYPTED,
        ),
    ],
)
def test_an_unreadable_file_is_refused_with_its_reason(
    write: Write, content: bytes, name: str, reason: UnreadableReason
) -> None:
    assert reason_of(write(content, name)) is reason


def test_a_file_with_a_wrong_ending_is_read_by_its_content(write: Write) -> None:
    text = read(write(pdf_bytes(["really a PDF"]), "formula.xlsx"))

    assert text.pages[0].text == "really a PDF"


async def test_a_document_is_read_in_a_process_of_its_own(write: Write) -> None:
    path = Path(write(pdf_bytes(["First page"]), "a.pdf"))

    text = await SandboxedReader(Limits()).read(path, "a.pdf")

    assert text == read(str(path))


@given(st.text())
def test_storable_text_has_no_character_that_a_database_refuses(text: str) -> None:
    kept = storable(text)

    assert "\x00" not in kept
    assert kept.encode().decode() == kept
    assert storable(kept) == kept


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert storable("a\ud800b") == "a\ufffdb"


@given(st.lists(st.integers(0, 3 * MAX_PART_CHARACTERS), max_size=4))
def test_parts_of_a_text_join_to_the_whole(lengths: list[int]) -> None:
    text = "\n".join("x" * length for length in lengths)

    parts = split_parts(text, "text")

    assert "".join(part.text for part in parts) == text
    assert [part.position for part in parts] == list(range(1, len(parts) + 1))
    assert all(len(part.text) <= MAX_PART_CHARACTERS for part in parts)
