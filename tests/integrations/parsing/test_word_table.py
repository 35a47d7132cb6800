# ruff: noqa: RUF001 - the characters are the data
"""Word documents, one row each: what a reader of the page sees, and what is said."""

from typing import NamedTuple

import pytest
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import docx_bytes, paragraph, run

from dossier.integrations.parsing.types import ReadState

W14_BOX = (
    "<w:sdt><w:sdtPr><w14:checkbox>{}</w14:checkbox></w:sdtPr>"
    "<w:sdtContent>{}</w:sdtContent></w:sdt>"
)
DEL_MARK = "<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>"
UP = '<w:vertAlign w:val="superscript"/>'
CHANGED, HIDDEN, STRUCK = (
    "tracked-changes",
    "hidden-text-left-out",
    "struck-text-left-out",
)


class Row(NamedTuple):
    name: str
    body: str
    text: str
    codes: tuple[str, ...] = ()
    parts: dict[str, tuple[str, str]] | None = None
    state: ReadState = ReadState.READ


def deleted(text: str) -> str:
    return f"<w:del><w:r><w:delText>{text}</w:delText></w:r></w:del>"


def control(properties: str, inside: str) -> str:
    return (
        f"<w:sdt><w:sdtPr>{properties}</w:sdtPr>"
        f"<w:sdtContent>{inside}</w:sdtContent></w:sdt>"
    )


def table(*rows: str, properties: str = "") -> str:
    cells = (
        "".join(f"<w:tc>{paragraph(run(each))}</w:tc>" for each in row.split("|"))
        for row in rows
    )
    inside = "".join(f"<w:tr>{each}</w:tr>" for each in cells)
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{inside}</w:tbl>"


def field(instruction: str, result: str | None = None, data: str = "") -> str:
    def mark(kind: str, inside: str = "") -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}">{inside}</w:fldChar></w:r>'

    shown = "" if result is None else mark("separate") + result
    return (
        mark("begin", data)
        + f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"
        + shown
        + mark("end")
    )


def math(inside: str) -> str:
    return f"<m:oMath>{inside}</m:oMath>"


def m(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def box(inside: str) -> str:
    return f"<w:txbxContent>{inside}</w:txbxContent>"


def styles(*each: str) -> dict[str, tuple[str, str]]:
    return {"styles.xml": ("styles", f"<w:styles>{''.join(each)}</w:styles>")}


def style(name: str, inside: str) -> str:
    return f'<w:style w:styleId="{name}">{inside}</w:style>'


def section(*references: str, more: str = "") -> str:
    return "<w:sectPr>" + "".join(references) + more + "</w:sectPr>"


def reference(margin: str, kind: str, part: str) -> str:
    return f'<w:{margin}Reference r:id="{part}" w:type="{kind}"/>'


def margin(name: str, inside: str) -> tuple[str, tuple[str, str]]:
    kind = name.rstrip("0123456789.xml")
    tag = "hdr" if kind == "header" else "ftr"
    return name, (kind, f"<w:{tag}>{inside}</w:{tag}>")


ROWS = [
    # Tracked changes
    Row(
        "an insertion that was deleted again",
        paragraph(run("Lead 2"), f"<w:ins>{deleted(' to 20')}</w:ins>", run(" ppm")),
        "Lead 2 ppm",
        (CHANGED,),
    ),
    Row(
        "a change in conflict with another",
        paragraph(run("2"), f"<w14:conflictDel>{run('0')}</w14:conflictDel>"),
        "2",
        (CHANGED,),
    ),
    Row(
        "deleted text in ordinary text elements",
        paragraph(run("Lead 2"), f"<w:del>{run(' to 20')}</w:del>"),
        "Lead 2",
        (CHANGED,),
    ),
    Row(
        "a moved paragraph",
        paragraph(
            "<w:pPr><w:rPr><w:moveFrom/></w:rPr></w:pPr>",
            f"<w:moveFrom>{run('Shelf life')}</w:moveFrom>",
        )
        + paragraph(run("Storage"))
        + paragraph(f"<w:moveTo>{run('Shelf life')}</w:moveTo>"),
        "Storage\nShelf life",
        (CHANGED,),
    ),
    Row(
        "three paragraphs joined by deleted marks",
        paragraph(DEL_MARK, run("24 "))
        + paragraph(DEL_MARK, deleted("or 36 "))
        + paragraph(run("months")),
        "24 months",
        (CHANGED,),
    ),
    Row(
        "a deleted mark before a table",
        paragraph(DEL_MARK, run("Results")) + table("pH|5.5"),
        "Results\npH\t5.5",
        (CHANGED,),
    ),
    Row(
        "a deleted mark at the end of a cell",
        "<w:tbl><w:tr><w:tc>"
        + paragraph(DEL_MARK, run("pH"))
        + f"</w:tc><w:tc>{paragraph(run('5.5'))}</w:tc></w:tr></w:tbl>",
        "pH\t5.5",
        (CHANGED,),
    ),
    Row(
        "an inserted row and a deleted cell",
        "<w:tbl><w:tr><w:trPr><w:ins/></w:trPr><w:tc>"
        + paragraph(run("pH"))
        + "</w:tc><w:tc><w:tcPr><w:cellDel/></w:tcPr>"
        + paragraph(run("9.9"))
        + f"</w:tc><w:tc>{paragraph(run('5.5'))}</w:tc></w:tr></w:tbl>",
        "pH\t5.5",
        (CHANGED,),
    ),
    Row(
        "a format change that was hidden before",
        paragraph(run("Seen", "<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>")),
        "Seen",
    ),
    Row(
        "a deletion within a content control within an insertion",
        paragraph(
            f"<w:ins>{control('<w:text/>', run('45') + deleted('40'))}</w:ins>",
            run(" °C"),
        ),
        "45 °C",
        (CHANGED,),
    ),
    # Content controls and form fields
    Row(
        "a dropdown within a rich text control",
        paragraph(
            control(
                "<w:richText/>",
                run("Verdict: ") + control("<w:dropDownList/>", run("Pass")),
            )
        ),
        "Verdict: Pass",
    ),
    Row(
        "a date control",
        paragraph(
            run("Date: "),
            control(
                '<w:date w:fullDate="2026-01-05T00:00:00Z"/>', run("5 January 2026")
            ),
        ),
        "Date: 5 January 2026",
    ),
    Row(
        "a tick box around a cell",
        "<w:tbl><w:tr>"
        + W14_BOX.format(
            '<w14:checked w14:val="1"/>', f"<w:tc>{paragraph(run('☒'))}</w:tc>"
        )
        + f"<w:tc>{paragraph(run('passed'))}</w:tc></w:tr></w:tbl>",
        "☒\tpassed",
    ),
    Row(
        "a tick box that is a block",
        W14_BOX.format('<w14:checked w14:val="true"/>', paragraph(run("☒"))),
        "☒",
    ),
    Row(
        "a tick box drawn with a symbol font",
        paragraph(
            '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', run(" passed ")
        )
        + paragraph(
            '<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>', run(" failed")
        ),
        "☑ passed\n☐ failed",
    ),
    Row(
        "a repeating section",
        control(
            "<w15:repeatingSection xmlns:w15='w15'/>",
            control("", paragraph(run("Lot 1"))) + control("", paragraph(run("Lot 2"))),
        ),
        "Lot 1\nLot 2",
    ),
    Row(
        "old form fields with and without a result",
        paragraph(
            field("FORMCHECKBOX", None, "<w:ffData><w:checkBox/></w:ffData>"),
            run(" no "),
            field(
                "FORMCHECKBOX",
                "",
                "<w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData>",
            ),
            run(" yes "),
            field("FORMTEXT", run("Lot 7"), "<w:ffData><w:textInput/></w:ffData>"),
        ),
        "☐ no ☒ yes Lot 7",
    ),
    Row(
        "an old list that also states its result",
        paragraph(
            field(
                "FORMDROPDOWN",
                run("pass"),
                '<w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="fail"/>'
                '<w:listEntry w:val="pass"/></w:ddList></w:ffData>',
            )
        ),
        "pass",
    ),
    # Text boxes and drawings
    Row(
        "a text box of VML with a table",
        paragraph(
            run("See"),
            f"<w:r><w:pict><v:shape><v:textbox>{box(table('pH|5.5'))}"
            "</v:textbox></v:shape></w:pict></w:r>",
        ),
        "See\npH\t5.5",
    ),
    Row(
        "a text box in a group without an alternative",
        paragraph(
            "<w:r><w:drawing><wp:anchor><g xmlns='wpg'><wsp>"
            f"<txbx>{box(paragraph(run('Keep cool')))}</txbx></wsp></g></wp:anchor>"
            "</w:drawing></w:r>",
            run("Storage"),
        ),
        "Storage\nKeep cool",
    ),
    Row(
        "a text box in a header",
        paragraph(run("Body")) + section(reference("header", "default", "header1.xml")),
        "Lot 7\nBody",
        parts=dict(
            [
                margin(
                    "header1.xml",
                    paragraph(
                        f"<w:r><w:pict>{box(paragraph(run('Lot 7')))}</w:pict></w:r>"
                    ),
                )
            ]
        ),
    ),
    Row(
        "a watermark",
        paragraph(run("Released"))
        + section(reference("header", "default", "header1.xml")),
        "DRAFT\nReleased",
        parts=dict(
            [
                margin(
                    "header1.xml",
                    paragraph(
                        '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape>'
                        "</w:pict></w:r>"
                    ),
                )
            ]
        ),
    ),
    Row(
        "words of a diagram",
        paragraph(run("Process")),
        "Process\n[Drawing: Mixing Filling]",
        parts={
            "diagrams/data1.xml": (
                "diagramData",
                "<dgm><t>Mixing</t><t>Filling</t></dgm>",
            )
        },
    ),
    # Headers and footers
    Row(
        "a first header without a title page, an even one without the setting",
        paragraph(run("Body"))
        + section(
            reference("header", "default", "header1.xml"),
            reference("header", "first", "header2.xml"),
            reference("header", "even", "header3.xml"),
        ),
        "Report 118\nBody",
        (HIDDEN,),
        parts=dict(
            [
                margin("header1.xml", paragraph(run("Report 118"))),
                margin("header2.xml", paragraph(run("Old cover"))),
                margin("header3.xml", paragraph(run("Old even"))),
            ]
        ),
    ),
    Row(
        "a first header with a title page, an even one with the setting",
        paragraph(run("Body"))
        + section(
            reference("header", "first", "header2.xml"),
            reference("footer", "even", "footer3.xml"),
            more="<w:titlePg/>",
        ),
        "Cover\nBody\npage 2",
        parts={
            **dict(
                [
                    margin("header2.xml", paragraph(run("Cover"))),
                    margin("footer3.xml", paragraph(run("page 2"))),
                ]
            ),
            "settings.xml": (
                "settings",
                "<w:settings><w:evenAndOddHeaders/></w:settings>",
            ),
        },
    ),
    Row(
        "a section that shows the first header of the one before",
        paragraph(
            "<w:pPr>"
            + section(reference("header", "first", "header1.xml"))
            + "</w:pPr>",
            run("One"),
        )
        + paragraph(run("Two"))
        + section(more="<w:titlePg/>"),
        "Cover\nOne\nTwo",
        parts=dict([margin("header1.xml", paragraph(run("Cover")))]),
    ),
    # Notes
    Row(
        "an endnote with a deletion",
        paragraph(run("n.d."), '<w:r><w:endnoteReference w:id="3"/></w:r>'),
        "n.d.\n[Endnote: below 1 ppm]",
        (CHANGED,),
        parts={
            "endnotes.xml": (
                "endnotes",
                '<w:endnotes><w:endnote w:id="3">'
                + paragraph(run("below "), deleted("10"), run("1 ppm"))
                + "</w:endnote></w:endnotes>",
            )
        },
    ),
    Row(
        "a comment within a word",
        paragraph(
            run("stabil"), '<w:r><w:commentReference w:id="0"/></w:r>', run("ity")
        ),
        "stability\n[Comment: typo?]",
        parts={
            "comments.xml": (
                "comments",
                '<w:comments><w:comment w:id="0">'
                + paragraph(run("typo?"))
                + "</w:comment></w:comments>",
            )
        },
    ),
    # Fields
    Row(
        "nested fields",
        paragraph(
            run("Lot "),
            field(
                "IF </w:instrText></w:r>"
                + field("MERGEFIELD a", run("1"))
                + "<w:r><w:instrText> = 1",
                run("RC-7"),
            ),
        ),
        "Lot RC-7",
    ),
    Row(
        "links",
        paragraph(
            f'<w:hyperlink r:id="x">{run("our site")}</w:hyperlink>',
            run(", "),
            field('HYPERLINK "https://example.com"', run("report 118")),
        ),
        "our site, report 118",
    ),
    Row(
        "a date in a simple field within a simple field",
        paragraph(
            run("Date "),
            '<w:fldSimple w:instr="QUOTE"><w:fldSimple w:instr="DATE">'
            f"{run('2026-01-05')}</w:fldSimple></w:fldSimple>",
        ),
        "Date 2026-01-05",
    ),
    Row(
        "a symbol field",
        paragraph(field('SYMBOL 179 \\f "Symbol" \\s 11'), run(" 5 %")),
        "≥ 5 %",
    ),
    Row(
        "a superscript in an equation field",
        paragraph(run("10"), field("EQ \\s\\up 5(2)"), run(" CFU/g")),
        "10 CFU/g",
        ("part-not-read",),
        state=ReadState.READ_PARTLY,
    ),
    # Tables
    Row(
        "a continued cell with words of its own",
        "<w:tbl><w:tr><w:tc><w:tcPr><w:vMerge w:val='restart'/></w:tcPr>"
        + paragraph(run("Metals"))
        + f"</w:tc><w:tc>{paragraph(run('Lead'))}</w:tc></w:tr><w:tr><w:tc><w:tcPr>"
        + f"<w:vMerge/></w:tcPr>{paragraph(run('old'))}</w:tc><w:tc>"
        + f"{paragraph(run('Arsenic'))}</w:tc></w:tr></w:tbl>",
        "Metals\tLead\n\tArsenic",
        (HIDDEN,),
    ),
    Row(
        "a table within a cell",
        f"<w:tbl><w:tr><w:tc>{paragraph(run('Metals'))}</w:tc><w:tc>"
        + table("Lead|2", "Arsenic|1")
        + "<w:p/></w:tc></w:tr></w:tbl>",
        "Metals\tLead 2 Arsenic 1",
    ),
    # Hidden and struck text
    Row(
        "white words on white shading",
        paragraph(
            run("Seen"),
            run(
                " not",
                '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="FFFFFF"/>',
            ),
        ),
        "Seen",
        (HIDDEN,),
    ),
    Row(
        "white words in a plain table",
        "<w:tbl><w:tr><w:tc>"
        + paragraph(run("Lead 2"), run("0", '<w:color w:val="FFFFFF"/>'))
        + "</w:tc></w:tr></w:tbl>",
        "Lead 2",
        (HIDDEN,),
    ),
    Row(
        "white words in the shaded head of a table style",
        "<w:tbl><w:tblPr><w:tblStyle w:val='T'/></w:tblPr><w:tr><w:tc>"
        + paragraph(run("Test", '<w:color w:val="FFFFFF"/>'))
        + "</w:tc></w:tr></w:tbl>",
        "Test",
        parts=styles(
            style(
                "T",
                '<w:tblStylePr w:type="firstRow"><w:tcPr><w:shd w:fill="003366"/>'
                "</w:tcPr></w:tblStylePr>",
            )
        ),
    ),
    Row(
        "a white heading whose style is shaded",
        paragraph('<w:pPr><w:pStyle w:val="H"/></w:pPr>', run("Composition")),
        "Composition",
        parts=styles(
            style(
                "H",
                '<w:pPr><w:shd w:val="clear" w:fill="003366"/></w:pPr>'
                '<w:rPr><w:color w:val="FFFFFF"/></w:rPr>',
            )
        ),
    ),
    Row(
        "words made white by their style",
        paragraph(run("Seen"), run(" not", '<w:rStyle w:val="S"/>')),
        "Seen",
        (HIDDEN,),
        parts=styles(style("S", '<w:rPr><w:color w:val="FFFFFF"/></w:rPr>')),
    ),
    Row(
        "black words on black",
        paragraph(
            run("Seen"),
            run(" not", '<w:color w:val="000000"/><w:shd w:fill="000000"/>'),
        ),
        "Seen",
        (HIDDEN,),
    ),
    Row(
        "words of one point",
        paragraph(run("Seen"), run(" not", '<w:sz w:val="2"/>')),
        "Seen",
        (HIDDEN,),
    ),
    Row(
        "a hidden paragraph mark hides no words",
        paragraph("<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>", run("Seen")),
        "Seen",
    ),
    Row(
        "words struck by their character style, with a run that is not",
        paragraph(
            run("24", '<w:rStyle w:val="S"/><w:strike w:val="0"/>'),
            run(" 36", '<w:rStyle w:val="S"/>'),
        ),
        "24",
        (STRUCK,),
        parts=styles(style("S", "<w:rPr><w:strike/></w:rPr>")),
    ),
    # Figures
    Row(
        "powers and indices of an equation",
        paragraph(
            math(
                f"<m:sSup><m:e>{m('10')}</m:e><m:sup>{m('2')}</m:sup></m:sSup>"
                f"<m:sSub><m:e>{m('H')}</m:e><m:sub>{m('2')}</m:sub></m:sSub>{m('O')}"
            ),
            run(" CFU/g"),
        ),
        "10²H2O CFU/g",
    ),
    Row(
        "brackets, roots and fractions of an equation",
        paragraph(
            math(
                f"<m:f><m:num>{m('a+b')}</m:num><m:den>{m('2')}</m:den></m:f>{m('·')}"
                f"<m:d><m:e>{m('x+1')}</m:e></m:d>{m('=')}"
                f"<m:rad><m:deg/><m:e>{m('y')}</m:e></m:rad>"
            )
        ),
        "(a+b)/2·(x+1)=√y",
    ),
    Row(
        "a raised figure by style, by position and in a comparison",
        paragraph(
            run("10"),
            run("3", '<w:rStyle w:val="Up"/>'),
            run(" < 10"),
            run("−4", '<w:position w:val="6"/>'),
        ).replace(
            '<w:t xml:space="preserve"> < 10', '<w:t xml:space="preserve"> &lt; 10'
        ),
        "10³ < 10⁻⁴",
        parts=styles(style("Up", f"<w:rPr>{UP}</w:rPr>")),
    ),
    Row(
        "a matrix of an equation",
        paragraph(
            math(
                "<m:m><m:mr><m:e>" + m("1") + "</m:e><m:e>" + m("2") + "</m:e></m:mr>"
                "<m:mr><m:e>" + m("3") + "</m:e><m:e>" + m("4") + "</m:e></m:mr></m:m>"
            )
        ),
        "1 2 3 4",
    ),
    Row(
        "a list that begins with five",
        paragraph(
            '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>',
            run("Storage"),
        ),
        "5. Storage",
        parts={
            "numbering.xml": (
                "numbering",
                (
                    '<w:numbering><w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0">'
                    '<w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
                    '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/>'
                    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
                    "</w:lvlOverride></w:num></w:numbering>"
                ),
            )
        },
    ),
    Row(
        "shapes that are not shown",
        paragraph(
            "<w:r><w:pict><v:shape style='width:9pt; visibility: hidden'><v:textbox>"
            + box(paragraph(run("old")))
            + "</v:textbox></v:shape></w:pict></w:r><w:r><w:drawing><wp:anchor>"
            "<wp:docPr hidden='1'/>"
            + box(paragraph(run("older")))
            + "</wp:anchor></w:drawing></w:r>",
            run("Seen"),
        ),
        "Seen",
        (HIDDEN,),
    ),
    Row(
        "a reading aid over its characters",
        paragraph(
            f"<w:r><w:ruby><w:rt>{run('gān yóu')}</w:rt>"
            f"<w:rubyBase>{run('甘油')}</w:rubyBase></w:ruby></w:r>"
        ),
        "甘油",
    ),
    Row(
        "soft hyphens and zero-width spaces",
        paragraph(run("stabil\u00adity of methyl\u200bparaben")),
        "stability of methylparaben",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_word_document_gives_what_its_page_shows(extract: Extract, row: Row) -> None:
    text = extract(docx_bytes(row.body, row.parts), "a.docx")

    assert text.text == row.text
    assert tuple(each.code for each in text.warnings) == row.codes
    assert text.state is row.state


def test_objects_of_headers_are_named_as_not_read(extract: Extract) -> None:
    parts = dict([margin("header1.xml", paragraph(run("Report")))])
    body = paragraph(run("Body")) + section(
        reference("header", "default", "header1.xml")
    )
    content = docx_bytes(body, parts, header_object="header1.xml")

    text = extract(content, "a.docx")

    assert text.state is ReadState.READ_PARTLY
    assert [each.code for each in text.warnings] == ["embedded-not-read"]
