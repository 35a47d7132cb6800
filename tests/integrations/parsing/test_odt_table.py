# ruff: noqa: RUF001 - the characters are the data
"""OpenDocument texts, one row each: what a reader sees, and what is said."""

from typing import NamedTuple

import pytest
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import ODF, odt_bytes

from dossier.integrations.parsing.types import ReadState

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
    styles: str = ""
    parts: dict[str, str] | None = None
    state: ReadState = ReadState.READ


def p(inside: str, style: str = "") -> str:
    named = f' text:style-name="{style}"' if style else ""
    return f"<text:p{named}>{inside}</text:p>"


def span(text: str, style: str) -> str:
    return f'<text:span text:style-name="{style}">{text}</text:span>'


def style(name: str, properties: str, kind: str = "text") -> str:
    return (
        f'<style:style style:name="{name}"><style:{kind}-properties {properties}/>'
        "</style:style>"
    )


def cell(inside: str, more: str = "") -> str:
    return f"<table:table-cell {more}>{p(inside)}</table:table-cell>"


def table(*rows: str) -> str:
    inside = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    return f"<table:table>{inside}</table:table>"


def tracked(*regions: str) -> str:
    return f"<text:tracked-changes>{''.join(regions)}</text:tracked-changes>"


def region(kind: str, inside: str = "") -> str:
    return (
        f"<text:changed-region><text:{kind}><office:change-info>"
        '<dc:creator xmlns:dc="dc">QA</dc:creator></office:change-info>'
        f"{inside}</text:{kind}></text:changed-region>"
    )


def form(*controls: str) -> str:
    return f"<office:forms><form:form>{''.join(controls)}</form:form></office:forms>"


def placed(name: str) -> str:
    return f'<draw:control draw:control="{name}"/>'


LIST_STYLES = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1"'
    ' style:num-format="1" style:num-suffix="."/><text:list-level-style-number'
    ' text:level="2" style:num-format="a" style:num-suffix=")"/></text:list-style>'
    '<text:list-style style:name="B"><text:list-level-style-bullet text:level="1"'
    ' text:bullet-char="•"/></text:list-style>'
)

ROWS = [
    Row(
        "an inserted and a deleted passage",
        tracked(region("insertion"), region("deletion", p("36 months")))
        + p(
            'Life <text:change-start text:change-id="a"/>24'
            '<text:change-end text:change-id="a"/> months'
            '<text:change text:change-id="b"/>'
        ),
        "Life 24 months",
        (CHANGED,),
    ),
    Row(
        "a deleted table row and heading",
        tracked(
            region("deletion", table(cell("Lead") + cell("20"))),
            region("deletion", "<text:h>Old heading</text:h>"),
        )
        + table(cell("Lead") + cell("2")),
        "Lead\t2",
        (CHANGED,),
    ),
    Row(
        "fields of date, author, title and page",
        p(
            'Date: <text:date text:date-value="2026-01-05">5 January 2026</text:date>, '
            "by <text:creator>Wang</text:creator>,"
            " <text:title>Report 118</text:title>, "
            "<text:page-number>3</text:page-number>/<text:page-count>5</text:page-count>"
        ),
        "Date: 5 January 2026, by Wang, Report 118, 3/5",
    ),
    Row(
        "a user field, a reference and a variable that is not displayed",
        p(
            "<text:user-field-get>RC-7</text:user-field-get> see "
            "<text:bookmark-ref>table 2</text:bookmark-ref>"
            '<text:variable-set text:display="none">9</text:variable-set>'
        ),
        "RC-7 see table 2",
        (HIDDEN,),
    ),
    Row(
        "a placeholder and a drop-down field",
        p(
            "<text:placeholder>&lt;name&gt;</text:placeholder>: <text:drop-down>"
            '<text:label text:value="fail"/><text:label text:value="pass"/>pass'
            "</text:drop-down>"
        ),
        "<name>: pass",
    ),
    Row(
        "hidden paragraph, text and section",
        p('Seen<text:hidden-paragraph text:is-hidden="true"/>')
        + p('<text:hidden-text text:is-hidden="true">20 ppm</text:hidden-text>End')
        + '<text:section text:display="none">'
        + p("old")
        + "</text:section>",
        "End",
        (HIDDEN,),
    ),
    Row(
        "controls of a form",
        form(
            '<form:listbox form:id="a"><form:option form:label="fail"/>'
            '<form:option form:label="pass" form:selected="true"'
            ' form:current-selected="true"/></form:listbox>',
            '<form:combobox form:id="b" form:current-value="jar"/>',
            '<form:textarea form:id="c" form:current-value="two words"/>',
            '<form:radio form:id="d" form:label="leave-on"'
            ' form:current-selected="true"/>',
            '<form:date form:id="e" form:current-value="2026-01-05"/>',
            '<form:checkbox form:id="f" form:label="signed"/>',
            '<form:password form:id="g" form:current-value="secret"/>',
            '<form:number form:id="h" form:value="5.5"/>',
        )
        + "".join(p(placed(each)) for each in "abcdefgh"),
        "pass\njar\ntwo words\n☒ leave-on\n2026-01-05\n☐ signed\n5.5",
    ),
    Row(
        "words in shapes within a sentence",
        p(
            f"Storage<draw:rect>{p('Keep cool')}</draw:rect>"
            f"<draw:g><draw:ellipse>{p('and dry')}</draw:ellipse></draw:g> rules"
        ),
        "Storage rules\nKeep cool\nand dry",
    ),
    Row(
        "a frame of the page and a frame within a frame",
        f"<draw:frame><draw:text-box>{p('Lot 7')}</draw:text-box></draw:frame>"
        + p(
            "<draw:frame><draw:text-box>"
            + p(
                f"Outer<draw:frame><draw:text-box>{p('Inner')}</draw:text-box></draw:frame>"
            )
            + "</draw:text-box></draw:frame>"
        ),
        "Lot 7\nOuter\nInner",
    ),
    Row(
        "a table in a frame in a sentence",
        p(
            f"See<draw:frame><draw:text-box>{table(cell('pH') + cell('5.5'))}"
            "</draw:text-box></draw:frame>"
        ),
        "See\npH\t5.5",
    ),
    Row(
        "numbers of lists and headings",
        '<text:list text:style-name="L"><text:list-item>'
        + p("Identity")
        + "<text:list><text:list-item>"
        + p("Name")
        + "</text:list-item><text:list-item>"
        + p("Code")
        + "</text:list-item></text:list></text:list-item><text:list-item>"
        + p("Composition")
        + "</text:list-item></text:list>"
        + '<text:list text:style-name="B"><text:list-item>'
        + p("Aqua")
        + "</text:list-item></text:list>",
        "1. Identity\na) Name\nb) Code\n2. Composition\nAqua",
        styles=LIST_STYLES,
    ),
    Row(
        "white words on white, on a dark cell, on a dark paragraph",
        p("Seen " + span("not", "W"))
        + table(cell(span("Head", "W"), 'table:style-name="C"') + cell(span("x", "W")))
        + p(span("Title", "W"), "P"),
        "Seen\nHead\nTitle",
        (HIDDEN,),
        styles=style("W", 'fo:color="#ffffff"')
        + style("C", 'fo:background-color="#003366"', "table-cell")
        + style("P", 'fo:background-color="#003366"', "paragraph"),
    ),
    Row(
        "words of one point",
        p("Seen " + span("not", "T")),
        "Seen",
        (HIDDEN,),
        styles=style("T", 'fo:font-size="1pt"'),
    ),
    Row(
        "an exponent of three signs",
        p("1.2×10" + span("−4", "S") + ", H" + span("2", "D") + "O"),
        "1.2×10⁻⁴, H2O",
        styles=style("S", 'style:text-position="super 58%"')
        + style("D", 'style:text-position="sub 58%"'),
    ),
    Row(
        "a reading aid over its characters",
        p(
            "<text:ruby><text:ruby-base>甘油</text:ruby-base>"
            "<text:ruby-text>gān yóu</text:ruby-text></text:ruby>"
        ),
        "甘油",
    ),
    Row(
        "an endnote in a cell",
        table(
            cell("Lead")
            + cell(
                '2<text:note text:note-class="endnote"><text:note-citation>i'
                f"</text:note-citation><text:note-body>{p('by ICP-MS')}"
                "</text:note-body></text:note>"
            )
        ),
        "Lead\t2\n[Endnote: by ICP-MS]",
    ),
    Row(
        "a contents list",
        "<text:table-of-content><text:table-of-content-source>"
        "<text:index-title-template>Contents</text:index-title-template>"
        "</text:table-of-content-source><text:index-body>"
        + p("1 Scope<text:tab/>2")
        + "</text:index-body></text:table-of-content>",
        "1 Scope\t2",
    ),
    Row(
        "an object of another program",
        p("See"),
        "See",
        ("embedded-not-read",),
        parts={"Object 1": "binary", "ObjectReplacements/Object 1": "picture"},
        state=ReadState.READ_PARTLY,
    ),
    Row(
        "a header that is shown twice",
        p("Body"),
        "Report 118\nBody",
        parts={
            "styles.xml": f"<office:document-styles {ODF}><office:master-styles>"
            f"<style:master-page><style:header>{p('Report 118')}</style:header>"
            f"<style:header-left>{p('Report 118')}</style:header-left>"
            "</style:master-page></office:master-styles></office:document-styles>"
        },
    ),
    Row(
        "spaces, tabs and breaks",
        p('a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d'),
        "a  b\tc\nd",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_open_document_gives_what_its_page_shows(extract: Extract, row: Row) -> None:
    text = extract(odt_bytes(row.body, row.styles, row.parts), "a.odt")

    assert text.text == row.text
    assert tuple(each.code for each in text.warnings) == row.codes
    assert text.state is row.state
