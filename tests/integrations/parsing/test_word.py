import pytest
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import (
    STRICT_W,
    docx_bytes,
    paragraph,
    run,
    zip_bytes,
)

from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.types import ExtractedText, ReadState

FIELD = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'


def codes(text: ExtractedText) -> set[str]:
    return {each.code for each in text.warnings}


def test_tracked_insertions_are_read_and_deletions_left_out(extract: Extract) -> None:
    body = paragraph(
        run("Stored at "),
        "<w:del><w:r><w:delText>40</w:delText></w:r></w:del>",
        f"<w:ins>{run('45')}</w:ins>",
        f"<w:moveFrom>{run('in the dark')}</w:moveFrom>",
        run(" °C "),
        f"<w:moveTo>{run('in daylight')}</w:moveTo>",
    )

    text = extract(docx_bytes(body), "a.docx")

    assert text.text == "Stored at 45 °C in daylight"
    assert codes(text) == {"tracked-changes"}
    assert text.state is ReadState.READ


def test_a_deleted_paragraph_end_joins_the_paragraphs(extract: Extract) -> None:
    mark = "<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>"
    body = paragraph(mark, run("Shelf life: 24 ")) + paragraph(run("months"))

    assert extract(docx_bytes(body), "a.docx").text == "Shelf life: 24 months"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("<w:trPr><w:del/></w:trPr>", "tracked-changes"),
        ("<w:trPr><w:hidden/></w:trPr>", "hidden-text-left-out"),
    ],
)
def test_deleted_and_hidden_rows_are_left_out_and_reported(
    extract: Extract, row: str, code: str
) -> None:
    cell = "<w:tc>{}</w:tc>"
    table = (
        f"<w:tbl><w:tr>{cell.format(paragraph(run('pH')))}</w:tr>"
        f"<w:tr>{row}{cell.format(paragraph(run('Lead 20 ppm')))}</w:tr></w:tbl>"
    )

    text = extract(docx_bytes(table), "a.docx")

    assert text.text == "pH"
    assert codes(text) == {code}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ("<w:vanish/>", "hidden-text-left-out"),
        ('<w:color w:val="FFFFFF"/>', "hidden-text-left-out"),
        ("<w:strike/>", "struck-text-left-out"),
        ('<w:dstrike w:val="true"/>', "struck-text-left-out"),
        ('<w:rStyle w:val="Old"/>', "struck-text-left-out"),
    ],
)
def test_text_that_is_hidden_or_struck_is_left_out_and_counted(
    extract: Extract, properties: str, code: str
) -> None:
    styles = (
        '<w:styles><w:style w:styleId="Base"><w:rPr><w:strike/></w:rPr></w:style>'
        '<w:style w:styleId="Old"><w:basedOn w:val="Base"/></w:style></w:styles>'
    )
    body = paragraph(run("24 months"), run("36 months", properties))

    text = extract(docx_bytes(body, {"styles.xml": ("styles", styles)}), "a.docx")

    assert text.text == "24 months"
    assert codes(text) == {code}
    assert "8" in text.warnings[0].message.en


@pytest.mark.parametrize(
    "properties",
    [
        '<w:vanish w:val="0"/>',
        '<w:strike w:val="false"/>',
        '<w:color w:val="FFFFFF"/><w:shd w:fill="000000"/>',
        '<w:color w:val="FF0000"/>',
    ],
)
def test_text_that_shows_is_read(extract: Extract, properties: str) -> None:
    text = extract(docx_bytes(paragraph(run("Seen", properties))), "a.docx")

    assert (text.text, text.warnings) == ("Seen", [])


def test_content_controls_give_what_they_show(extract: Extract) -> None:
    def box(checked: str) -> str:
        return (
            f"<w:sdt><w:sdtPr><w14:checkbox>{checked}</w14:checkbox></w:sdtPr>"
            f"<w:sdtContent>{run('?')}</w:sdtContent></w:sdt>"
        )

    chosen = (
        "<w:sdt><w:sdtPr><w:dropDownList/></w:sdtPr><w:sdtContent>"
        f"{run('Passed')}</w:sdtContent></w:sdt>"
    )
    empty = (
        "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>"
        f"{run('Choose an item.')}</w:sdtContent></w:sdt>"
    )
    body = paragraph(
        box('<w14:checked w14:val="1"/>'),
        run(" passed "),
        box('<w14:checked w14:val="0"/>'),
        run(" failed: "),
        chosen,
        empty,
    )

    text = extract(docx_bytes(body), "a.docx")

    assert text.text == "☒ passed ☐ failed: Passed[Choose an item.]"


def test_controls_around_blocks_rows_and_cells_are_entered(extract: Extract) -> None:
    def control(inside: str) -> str:
        return f"<w:sdt><w:sdtPr/><w:sdtContent>{inside}</w:sdtContent></w:sdt>"

    cell = f"<w:tc>{paragraph(run('rose'))}</w:tc>"
    row = f"<w:tr><w:tc>{paragraph(run('Odour'))}</w:tc>{control(cell)}</w:tr>"
    body = control(paragraph(run("Lot 7"))) + f"<w:tbl>{control(row)}</w:tbl>"

    assert extract(docx_bytes(body), "a.docx").text == "Lot 7\nOdour\trose"


def test_old_form_fields_give_their_state(extract: Extract) -> None:
    def data(inside: str) -> str:
        return (
            f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{inside}</w:ffData>'
            "</w:fldChar></w:r><w:r><w:instrText> FORM </w:instrText></w:r>"
            + FIELD.format("end")
        )

    body = paragraph(
        data('<w:checkBox><w:default w:val="1"/></w:checkBox>'),
        data('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>'),
        data(
            '<w:ddList><w:result w:val="1"/><w:listEntry w:val="fail"/>'
            '<w:listEntry w:val="pass"/></w:ddList>'
        ),
    )

    assert extract(docx_bytes(body), "a.docx").text == "☒☐pass"


def test_a_field_shows_its_result_and_not_its_instruction(extract: Extract) -> None:
    body = paragraph(
        run("Rev "),
        FIELD.format("begin"),
        run("IF"),
        FIELD.format("separate"),
        run("4"),
        FIELD.format("end"),
        f'<w:fldSimple w:instr="DATE">{run(" of 2026")}</w:fldSimple>',
    )

    text = extract(docx_bytes(body), "a.docx")

    assert (text.text, text.state) == ("Rev 4 of 2026", ReadState.READ)


def test_a_text_box_is_read_once_after_its_paragraph(extract: Extract) -> None:
    box = f"<w:txbxContent>{paragraph(run('Keep cool.'))}</w:txbxContent>"
    both = (
        f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    )
    body = paragraph(run("Storage"), f"<w:r>{both}</w:r>") + paragraph(run("End"))

    text = extract(docx_bytes(body), "a.docx")

    assert text.text == "Storage\nKeep cool.\nEnd"
    assert text.state is ReadState.READ


def test_margins_notes_and_comments_are_read_and_marked(extract: Extract) -> None:
    body = paragraph(
        run("24 months"),
        '<w:r><w:footnoteReference w:id="2"/></w:r>',
        '<w:r><w:commentReference w:id="0"/></w:r>',
    ) + (
        '<w:sectPr><w:headerReference r:id="header1.xml" w:type="default"/>'
        '<w:headerReference r:id="header2.xml" w:type="first"/>'
        '<w:footerReference r:id="footer1.xml" w:type="default"/></w:sectPr>'
    )
    parts = {
        "header1.xml": ("header", f"<w:hdr>{paragraph(run('Report 118'))}</w:hdr>"),
        "header2.xml": ("header", f"<w:hdr>{paragraph(run('Not shown'))}</w:hdr>"),
        "footer1.xml": ("footer", f"<w:ftr>{paragraph(run('page 1'))}</w:ftr>"),
        "footnotes.xml": (
            "footnotes",
            (
                f'<w:footnotes><w:footnote w:id="2">{paragraph(run("Below 25 °C"))}'
                "</w:footnote></w:footnotes>"
            ),
        ),
        "comments.xml": (
            "comments",
            (
                '<w:comments><w:comment w:id="0" w:author="QA">'
                f"{paragraph(run('Why?'))}</w:comment></w:comments>"
            ),
        ),
    }

    text = extract(docx_bytes(body, parts), "a.docx")

    assert text.text.split("\n") == [
        "Report 118",
        "24 months",
        "[Footnote: Below 25 °C]",
        "[Comment by QA: Why?]",
        "page 1",
    ]


def test_superscripts_and_symbols_stay_what_they_show(extract: Extract) -> None:
    up = '<w:vertAlign w:val="superscript"/>'
    body = paragraph(
        run("10"),
        run("2", up),
        run(" to 10"),
        run("-3", up),
        run(", 25"),
        run("o", up),
        run("C "),
        '<w:r><w:sym w:font="Symbol" w:char="F0B3"/></w:r>',
        run(" 5 "),
        run("m", '<w:rFonts w:ascii="Symbol"/>'),
        run("m"),
    )

    assert extract(docx_bytes(body), "a.docx").text == "10² to 10⁻³, 25°C ≥ 5 µm"


def test_numbers_of_lists_and_headings_are_read(extract: Extract) -> None:
    def level(depth: int, kind: str, text: str) -> str:
        return (
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>'
            f'<w:lvlText w:val="{text}"/></w:lvl>'
        )

    def item(depth: int, text: str, number: int = 7) -> str:
        place = f'<w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/>'
        return paragraph(f"<w:pPr><w:numPr>{place}</w:numPr></w:pPr>", run(text))

    numbering = (
        '<w:numbering><w:abstractNum w:abstractNumId="1">'
        + level(0, "decimal", "%1.")
        + level(1, "lowerLetter", "%1.%2)")
        + '</w:abstractNum><w:abstractNum w:abstractNumId="2">'
        + level(0, "taiwaneseCountingThousand", "%1、")
        + level(1, "bullet", "o")
        + '</w:abstractNum><w:num w:numId="7"><w:abstractNumId w:val="1"/></w:num>'
        '<w:num w:numId="8"><w:abstractNumId w:val="2"/></w:num></w:numbering>'
    )
    styles = (
        '<w:styles><w:style w:styleId="H"><w:pPr><w:numPr><w:numId w:val="7"/>'
        "</w:numPr></w:pPr></w:style></w:styles>"
    )
    heading = paragraph('<w:pPr><w:pStyle w:val="H"/></w:pPr>', run("Composition"))
    body = item(0, "Identity") + item(1, "Name") + item(1, "Code") + heading
    body += item(1, "Aqua") + item(0, "成分", 8) + item(1, "水", 8) + item(0, "用途", 8)
    parts = {
        "numbering.xml": ("numbering", numbering),
        "styles.xml": ("styles", styles),
    }

    text = extract(docx_bytes(body, parts), "a.docx").text

    assert text.split("\n") == [
        "1. Identity",
        "1.a) Name",
        "1.b) Code",
        "2. Composition",
        "2.a) Aqua",
        "一、成分",
        "水",
        "二、用途",
    ]


def test_merged_and_nested_tables_keep_their_columns(extract: Extract) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(run(text))}</w:tc>"

    wide, start = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>'
    inner = f"<w:tbl><w:tr>{cell('pH')}{cell('5.5')}</w:tr></w:tbl>"
    body = (
        f"<w:tbl><w:tr>{cell('Wide', wide)}{cell('C')}</w:tr>"
        f"<w:tr>{cell('A', start)}{cell('B')}{cell('x')}</w:tr>"
        f"<w:tr>{cell('', '<w:vMerge/>')}<w:tc>{inner}<w:p/></w:tc>{cell('y')}</w:tr>"
        "</w:tbl>"
    )

    text = extract(docx_bytes(body), "a.docx").text

    assert text.split("\n") == ["Wide\t\tC", "A\tB\tx", "\tpH 5.5\ty"]


def test_a_strict_file_with_another_main_part_is_read(extract: Extract) -> None:
    body = paragraph(run("Strict"))
    content = docx_bytes(body, main="doc/main7.xml", namespace=STRICT_W)

    text = extract(content, "renamed.bin")

    assert (text.kind, text.text) == ("docx", "Strict")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("package", "embedded-not-read"), ("aFChunk", "part-not-read")],
)
def test_parts_that_are_not_read_are_named(
    extract: Extract, kind: str, code: str
) -> None:
    content = docx_bytes(
        paragraph(run("See the table")), {"embeddings/book.xlsx": (kind, "<w:x>")}
    )

    text = extract(content, "a.docx")

    assert text.state is ReadState.READ_PARTLY
    assert [each.code for each in text.warnings] == [code]
    assert "was not read" in text.warnings[0].message.en
    assert "book.xlsx" in text.warnings[0].message.zh


def picture(millimetres: int) -> str:
    side = millimetres * 36_000
    return (
        f'<w:r><w:drawing><wp:inline><wp:extent cx="{side}" cy="{side}"/>'
        "<pic:pic/></wp:inline></w:drawing></w:r>"
    )


def test_a_large_picture_makes_a_document_read_partly(extract: Extract) -> None:
    logo = extract(docx_bytes(paragraph(run("Report"), picture(20))), "a.docx")
    scan = extract(docx_bytes(paragraph(run("Report"), picture(180))), "b.docx")

    assert logo.state is ReadState.READ
    assert scan.state is ReadState.READ_PARTLY
    assert codes(scan) == {"pictures-not-read"}


def test_a_document_of_pictures_alone_is_unreadable(extract: Extract) -> None:
    text = extract(docx_bytes(paragraph(picture(180))), "a.docx")

    assert text.state is ReadState.UNREADABLE
    assert text.reason is UnreadableReason.NO_TEXT_LAYER


def test_an_empty_document_is_not_read(extract: Extract) -> None:
    text = extract(docx_bytes(paragraph()), "a.docx")

    assert (text.state, text.reason) == (ReadState.UNREADABLE, UnreadableReason.EMPTY)


def test_a_field_that_never_ends_makes_the_document_read_partly(
    extract: Extract,
) -> None:
    body = paragraph(run("Seen")) + paragraph(FIELD.format("begin"), run("swallowed"))

    text = extract(docx_bytes(body), "a.docx")

    assert text.state is ReadState.READ_PARTLY
    assert codes(text) == {"text-missing"}


def test_a_document_type_definition_is_refused(extract: Extract) -> None:
    dtd = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'

    text = extract(zip_bytes({"word/document.xml": dtd}), "a.docx")

    assert text.reason is UnreadableReason.CORRUPT
    assert "document type definition" in text.detail
