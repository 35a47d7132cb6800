import pytest
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import ODF, ODT_TYPE, odt_bytes, zip_bytes

from dossier.integrations.parsing.types import ExtractedText, ReadState


def codes(text: ExtractedText) -> set[str]:
    return {each.code for each in text.warnings}


def style(name: str, properties: str, parent: str = "") -> str:
    above = f' style:parent-style-name="{parent}"' if parent else ""
    return (
        f'<style:style style:name="{name}"{above}>'
        f"<style:text-properties {properties}/></style:style>"
    )


def test_deleted_text_is_left_out(extract: Extract) -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion>"
        "<text:p>36 months</text:p></text:deletion></text:changed-region>"
        '</text:tracked-changes><text:p>Shelf life: <text:change text:change-id="c"/>'
        "24 months</text:p>"
    )

    text = extract(odt_bytes(body), "a.odt")

    assert text.text == "Shelf life: 24 months"
    assert codes(text) == {"tracked-changes"}
    assert text.state is ReadState.READ


def test_notes_and_comments_stand_apart_from_the_sentence(extract: Extract) -> None:
    body = (
        '<text:p>Lead: 10<text:note text:note-class="footnote">'
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>As of 2019"
        "</text:p></text:note-body></text:note> ppm<office:annotation>"
        '<dc:creator xmlns:dc="dc">QA</dc:creator><text:p>Check</text:p>'
        "</office:annotation>.</text:p>"
    )

    text = extract(odt_bytes(body), "a.odt")

    assert text.text.split("\n") == [
        "Lead: 10 ppm.",
        "[Footnote: As of 2019]",
        "[Comment by QA: Check]",
    ]


@pytest.mark.parametrize(
    "styles",
    [
        "",  # the name alone tells
        style("sup1", 'style:text-position="super 58%"'),
        style("sup1", 'fo:color="#000000"', "Up")
        + style("Up", 'style:text-position="33% 58%"'),
    ],
)
def test_superscripts_stay_superscripts(extract: Extract, styles: str) -> None:
    body = '<text:p>10<text:span text:style-name="sup1">-3</text:span> CFU/g</text:p>'

    assert extract(odt_bytes(body, styles), "a.odt").text == "10⁻³ CFU/g"


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ('text:display="none"', "hidden-text-left-out"),
        ('fo:color="#ffffff"', "hidden-text-left-out"),
        ('style:text-line-through-style="solid"', "struck-text-left-out"),
    ],
)
def test_hidden_and_struck_text_is_left_out_and_counted(
    extract: Extract, properties: str, code: str
) -> None:
    body = '<text:p>Seen<text:span text:style-name="T1"> unseen</text:span></text:p>'

    text = extract(odt_bytes(body, style("T1", properties)), "a.odt")

    assert text.text == "Seen"
    assert codes(text) == {code}


def test_repeated_and_covered_cells_keep_the_columns(extract: Extract) -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"

    spanned = 'table:number-columns-spanned="2"'
    repeated = 'table:number-columns-repeated="2"'
    covered = "<table:covered-table-cell/>"
    body = (
        "<table:table><table:table-header-rows><table:table-row>"
        f"{cell('Wide', spanned)}{covered}{cell('C')}"
        "</table:table-row></table:table-header-rows><table:table-row>"
        f"{cell('n.d.', repeated)}{cell('T6')}"
        '</table:table-row><table:table-row table:visibility="collapse">'
        f"{cell('hidden')}</table:table-row></table:table>"
    )

    text = extract(odt_bytes(body), "a.odt")

    assert text.text.split("\n") == ["Wide\t\tC", "n.d.\tn.d.\tT6"]
    assert codes(text) == {"hidden-text-left-out"}


def test_boxes_fields_and_controls_are_read(extract: Extract) -> None:
    body = (
        '<office:forms><form:form><form:text form:id="c1" form:current-value="7.5"/>'
        '<form:checkbox form:id="c2" form:label="passed" form:current-state="checked"/>'
        "</form:form></office:forms>"
        '<text:p>Lead <draw:control draw:control="c1"/> ppm, '
        '<draw:control draw:control="c2"/></text:p>'
        "<text:p><draw:frame><draw:text-box><text:p>Keep cool.</text:p>"
        "</draw:text-box></draw:frame></text:p>"
        "<text:p>page <text:page-number>3</text:page-number></text:p>"
    )

    text = extract(odt_bytes(body), "a.odt").text

    assert text.split("\n") == ["Lead 7.5 ppm, ☒ passed", "Keep cool.", "page 3"]


def test_headers_and_footers_are_read(extract: Extract) -> None:
    styles = (
        f"<office:document-styles {ODF}><office:master-styles><style:master-page>"
        "<style:header><text:p>Report 118</text:p></style:header>"
        '<style:footer style:display="false"><text:p>old</text:p></style:footer>'
        "</style:master-page></office:master-styles></office:document-styles>"
    )

    text = extract(
        odt_bytes("<text:p>Body</text:p>", parts={"styles.xml": styles}), "a.odt"
    )

    assert text.text == "Report 118\nBody"


def test_embedded_objects_are_named_as_not_read(extract: Extract) -> None:
    content = odt_bytes(
        "<text:p>See chart</text:p>", parts={"Object 1/content.xml": "<x/>"}
    )

    text = extract(content, "a.odt")

    assert text.state is ReadState.READ_PARTLY
    assert codes(text) == {"embedded-not-read"}


def test_a_flat_file_is_read(extract: Extract) -> None:
    content = (
        f'<?xml version="1.0"?><office:document {ODF}><office:body><office:text>'
        "<text:p>Flat</text:p></office:text></office:body></office:document>"
    )

    assert extract(content.encode(), "a.fodt").text == "Flat"


def test_a_document_type_definition_is_refused(extract: Extract) -> None:
    content = zip_bytes(
        {
            "mimetype": ODT_TYPE,
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": "<!DOCTYPE a><a/>",
        }
    )

    text = extract(content, "a.odt")

    assert "document type definition" in text.detail
