"""Files that are something else than their name says."""

import base64
from email.message import EmailMessage

import pytest
from tests.factories.documents import pdf_bytes
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import docx_bytes, paragraph, run, zip_bytes

from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.types import ReadState

PAGE = """<!DOCTYPE html><html><head><title>t</title><style>p{}</style></head><body>
<h1>Formula&nbsp;RC-1</h1><script>evil()</script>
<table><tr><th>INCI<th>%</tr><tr><td><p>Aqua</p><td>80.5<sup>1</sup></tr></table>
<p style="display: none">hidden</p><p>Shelf life <del>36</del> 24 months<br>cool</p>
<input type=checkbox checked> passed <select><option>no<option selected>yes</select>
</body></html>"""
SHEET = """<?xml version="1.0"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="Formula"><Table><Row><Cell><Data ss:Type="String">Aqua</Data></Cell>
<Cell><Data ss:Type="Number">80.5</Data></Cell></Row></Table></Worksheet></Workbook>"""


def mail(*, html: bool = False, attached: bool = False, body: bool = True) -> bytes:
    message = EmailMessage()
    message["From"] = "lab@example.com"
    message["Subject"] = "穩定性試驗"
    message["Message-ID"] = "<1@example.com>"
    if body:
        message.set_content("結果：合格 at 25 °C\n", cte="base64")
    if html:
        message.add_alternative(PAGE, subtype="html")
    if attached:
        message.add_attachment(
            pdf_bytes(["x"]), "application", "pdf", filename="report.pdf"
        )
    return message.as_bytes()


def test_a_web_page_named_xls_is_read_as_what_it_shows(extract: Extract) -> None:
    text = extract(PAGE.encode(), "formula.xls")

    assert (text.media_type, text.state) == ("text/html", ReadState.READ)
    assert text.text.split("\n") == [
        "Formula RC-1",
        "INCI\t%",
        "Aqua\t80.5¹",
        "Shelf life 24 months",
        "cool",
        "☒ passed yes",
    ]
    assert [each.code for each in text.warnings] == [
        "struck-text-left-out",
        "hidden-text-left-out",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp950"])
def test_a_web_page_is_read_in_its_encoding(extract: Extract, encoding: str) -> None:
    page = "<html><body><table><tr><td>水</td><td>甘油 5 %</td></tr></table></html>"

    assert extract(page.encode(encoding), "a.xls").text == "水\t甘油 5 %"


def test_an_xml_spreadsheet_is_read(extract: Extract) -> None:
    text = extract(SHEET.encode(), "formula.xls")

    assert (text.kind, text.text) == ("xml", "Aqua\t80.5")
    assert text.pages[0].label == "Formula"


def test_other_xml_is_refused_by_its_name(extract: Extract) -> None:
    text = extract(b'<?xml version="1.0"?><invoice><a/></invoice>', "a.xls")

    assert text.reason is UnreadableReason.UNSUPPORTED
    assert "'invoice'" in text.detail


def test_a_mail_is_decoded_and_its_attachments_are_named(extract: Extract) -> None:
    text = extract(mail(attached=True), "report.pdf")

    assert text.media_type == "message/rfc822"
    assert text.state is ReadState.READ_PARTLY
    assert "Subject: 穩定性試驗" in text.text
    assert "結果：合格 at 25 °C" in text.text
    assert [each.code for each in text.warnings] == ["attachment-not-read"]
    assert "report.pdf" in text.warnings[0].message.en


def test_the_page_of_a_mail_is_read_once(extract: Extract) -> None:
    text = extract(mail(html=True), "a.eml")

    assert "Aqua\t80.5¹" in text.text
    assert "結果" not in text.text


def test_a_mail_that_only_carries_files_is_refused_by_their_names(
    extract: Extract,
) -> None:
    text = extract(mail(attached=True, body=False), "a.eml")

    assert text.reason is UnreadableReason.UNSUPPORTED
    assert "report.pdf" in text.detail


def test_base64_is_refused_by_what_it_carries(extract: Extract) -> None:
    packed = base64.encodebytes(pdf_bytes(["First page"]))

    for content in (packed, b"data:application/pdf;base64," + packed):
        text = extract(content, "a.txt")

        assert text.reason is UnreadableReason.UNSUPPORTED
        assert "a PDF" in text.detail


def test_an_archive_is_refused_by_the_names_in_it(extract: Extract) -> None:
    inner = zip_bytes({"a.txt": "x"}).decode("latin-1")

    text = extract(zip_bytes({"inner.zip": inner, "sds.pdf": "x"}), "papers.docx")

    assert text.reason is UnreadableReason.UNSUPPORTED
    assert "inner.zip, sds.pdf" in text.detail


@pytest.mark.parametrize(
    ("content", "name", "word"),
    [
        (b"{\\rtf1\\ansi Aqua}", "a.doc", "RTF"),
        (
            zip_bytes({"ppt/presentation.xml": "<p/>"}),
            "a.docx",
            "presentations",
        ),
        (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40), "a.pdf", "7z"),
    ],
)
def test_what_is_not_read_is_refused_by_name(
    extract: Extract, content: bytes, name: str, word: str
) -> None:
    text = extract(content, name)

    assert text.reason is UnreadableReason.UNSUPPORTED
    assert word in text.detail


def test_a_word_file_named_pdf_is_read(extract: Extract) -> None:
    text = extract(docx_bytes(paragraph(run("Really Word"))), "a.pdf")

    assert text.text == "Really Word"


def test_a_table_with_unbalanced_quotes_is_read_as_text(extract: Extract) -> None:
    content = b'INCI,%\nAqua,"80\nGlycerin,5\nParfum,1\n'

    text = extract(content, "formula.csv")

    assert "Glycerin,5" in text.text


def test_every_refusal_has_both_languages(extract: Extract) -> None:
    text = extract(b"", "a.pdf")

    assert text.warnings[0].code == "unreadable-empty"
    assert text.warnings[0].message.zh == "檔案沒有內容"
    assert text.warnings[0].message.en == "the file has 0 bytes"
