from io import BytesIO

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from tests.factories.documents import pdf_bytes
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import PaperPdf, at, one_page

from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.types import ExtractedText, PageState, ReadState

FULL_PICTURE = "q 595 0 0 842 0 0 cm /Im0 Do Q\n"
LETTER = "".join(
    at(60, 700 - 14 * line, f"Line {line} of a letter about the stability of the cream")
    for line in range(12)
)


def codes(text: ExtractedText) -> set[str]:
    return {each.code for each in text.warnings}


def lines(text: ExtractedText) -> list[str]:
    return text.text.split("\n")


def test_values_of_form_fields_stand_beside_their_labels(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 700, "Lead \\(ppm\\):") + at(60, 660, "Lot:"))
    paper.add_text_field(page, "7.5", (150, 695, 250, 712))
    paper.add_text_field(page, "secret", (150, 655, 250, 672), Ff=1 << 13)
    paper.add_text_field(page, "unseen", (150, 600, 250, 620), F=2)

    text = extract(paper.saved(), "form.pdf")

    assert lines(text) == ["Lead (ppm):\t7.5", "Lot:"]
    assert codes(text) == {"form-fields", "hidden-text-left-out"}


def test_notes_on_the_page_are_read_and_comments_marked(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 700, "Released"))
    paper.add_note(page, "FreeText", "DRAFT")
    paper.add_note(page, "Text", "Ask the laboratory")

    text = extract(paper.saved(), "a.pdf")

    assert lines(text) == ["Released", "DRAFT", "[Comment: Ask the laboratory]"]


@pytest.mark.parametrize(
    ("hidden", "name"),
    [
        (at(60, 600, "lead 20 ppm", more="3 Tr"), "invisible"),
        (at(60, 600, "lead 20 ppm", more="1 1 1 rg"), "white"),
        (at(60, 600, "lead 20 ppm", more="0.97 0.98 0.99 rg"), "nearly white"),
        (at(-400, 600, "lead 20 ppm"), "left of the page"),
        (at(60, 3000, "lead 20 ppm"), "above the page"),
        (at(60, 600, "lead 20 ppm", size=0.5), "tiny"),
        ("0 0 0 rg 50 590 300 30 re f " + at(60, 600, "lead 20 ppm"), "black on black"),
        (at(60, 600, "lead 20 ppm") + "1 1 1 rg 50 590 300 30 re f", "covered"),
        ("q 300 0 9 9 re W n " + at(60, 600, "lead 20 ppm") + " Q", "clipped away"),
    ],
)
def test_invisible_text_is_left_out_and_counted(
    extract: Extract, hidden: str, name: str
) -> None:
    text = extract(one_page(at(60, 700, "Lead 2 ppm, within limits") + hidden), "a.pdf")

    assert text.text == "Lead 2 ppm, within limits", name
    assert codes(text) == {"hidden-text-left-out"}
    assert text.warnings[0].message.en.startswith("9 characters")
    assert text.warnings[0].place == "page 1"


@pytest.mark.parametrize(
    "content",
    [
        "0 0.2 0.5 rg 50 690 300 30 re f " + at(60, 700, "Result", more="1 1 1 rg"),
        "q 300 0 0 40 50 690 cm /Im0 Do Q " + at(60, 700, "Result", more="1 1 1 rg"),
        at(60, 700, "Result") + "0 0 0 rg 50 698 300 1 re f",
        "q 0 0 595 842 re W n " + at(60, 700, "Result") + " Q",
    ],
    ids=["white on blue", "white on a picture", "underlined", "clipped to the page"],
)
def test_text_that_shows_is_read(extract: Extract, content: str) -> None:
    text = extract(one_page(content, images=True), "a.pdf")

    assert (text.text, text.warnings) == ("Result", [])


@pytest.mark.parametrize(
    ("content", "state", "document"),
    [
        (FULL_PICTURE, PageState.UNREADABLE, ReadState.UNREADABLE),
        (
            FULL_PICTURE + at(60, 820, "Received by fax 2026-01-05 from +886 2 5550"),
            PageState.UNREADABLE,
            ReadState.UNREADABLE,
        ),
        (FULL_PICTURE + LETTER, PageState.READ_PARTLY, ReadState.READ_PARTLY),
        ("q 60 0 0 60 500 760 cm /Im0 Do Q " + LETTER, PageState.READ, ReadState.READ),
        (at(60, 700, "Title"), PageState.READ, ReadState.READ),
        ("", PageState.BLANK, ReadState.UNREADABLE),
        ("10 10 500 800 re S", PageState.BLANK, ReadState.UNREADABLE),
        (
            "0 0 m 5 9 l 9 5 l 7 7 l 2 1 l 3 8 l 1 1 l f\n" * 40,
            PageState.UNREADABLE,
            ReadState.UNREADABLE,
        ),
    ],
    ids=[
        "scan",
        "scan with a fax line",
        "letter on a picture",
        "letter with a logo",
        "title",
        "nothing",
        "frame",
        "drawn letters",
    ],
)
def test_a_page_is_judged_by_what_it_shows(
    extract: Extract, content: str, state: PageState, document: ReadState
) -> None:
    text = extract(one_page(content, images=True), "a.pdf")

    assert text.pages[0].state is state
    assert text.state is document


def test_a_blank_back_page_does_not_make_a_document_partly_read(
    extract: Extract,
) -> None:
    paper = PaperPdf()
    paper.add_page(at(60, 700, "Front"))
    paper.add_page("")

    text = extract(paper.saved(), "a.pdf")

    assert [page.state for page in text.pages] == [PageState.READ, PageState.BLANK]
    assert text.state is ReadState.READ


def test_a_blank_document_says_the_same_in_both_languages(extract: Extract) -> None:
    warning = extract(one_page(""), "a.pdf").warnings[0]

    assert warning.code == "unreadable-empty"
    assert warning.message.en == "all of its pages are blank"
    assert warning.message.zh == "每一頁都是空白"


def test_text_that_a_scanner_recognised_is_read_with_a_warning(
    extract: Extract,
) -> None:
    layer = at(60, 700, "Certificate of GMP for Rose Cosmetics Co", more="3 Tr")

    text = extract(one_page(FULL_PICTURE + layer, images=True), "a.pdf")

    assert text.text == "Certificate of GMP for Rose Cosmetics Co"
    assert text.state is ReadState.READ_PARTLY
    assert codes(text) == {"text-recognised-elsewhere"}


def test_files_inside_are_named_as_not_read(extract: Extract) -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf_bytes(["Cover"]))) as pdf:
        pdf.attachments["stability.pdf"] = b"%PDF-1.4"
        pdf.Root.Collection = Dictionary(Type=Name.Collection)
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)

    text = extract(out.getvalue(), "a.pdf")

    assert text.state is ReadState.READ_PARTLY
    assert codes(text) == {"portfolio-not-read", "attachment-not-read"}
    assert all("not read" in each.message.en for each in text.warnings)
    assert any("stability.pdf" in each.message.zh for each in text.warnings)


LEFT = ["Summary of the study. The cream was", "stored at 40 degrees for six months"]
RIGHT = ["Conclusion of the trial is that the", "batch failed because its pH fell to"]
MIDDLE = ["Methods are those of the handbook", "which the laboratory has followed"]


def in_columns(*columns: list[str], step: int = 250, offset: float = 0) -> str:
    return "".join(
        at(50 + step * column, 700 - 14 * row - offset * column, line)
        for row in range(len(columns[0]))
        for column, line in enumerate(each[row] for each in columns)
    )


@pytest.mark.parametrize("offset", [0, 6])
def test_columns_are_kept_apart(extract: Extract, offset: float) -> None:
    title = at(
        50, 760, "Stability report of the rose cream, all batches of the year 2026"
    )

    text = extract(
        one_page(title + in_columns(LEFT * 2, RIGHT * 2, offset=offset)), "a.pdf"
    )

    assert lines(text)[1:] == [*LEFT * 2, *RIGHT * 2]


def test_three_columns_are_kept_apart(extract: Extract) -> None:
    content = in_columns(LEFT * 2, MIDDLE * 2, RIGHT * 2, step=240)

    text = extract(one_page(content, size=(842, 595 + 247)), "a.pdf")

    assert lines(text) == [*LEFT * 2, *MIDDLE * 2, *RIGHT * 2]


def test_rows_of_a_table_stay_whole_however_they_are_painted(extract: Extract) -> None:
    names = ["Appearance", "pH at 25 degrees", "Viscosity", "Lead"]
    values = ["white cream", "5.5", "12000 mPa.s", "not detected"]
    content = "".join(at(60, 700 - 16 * i, name) for i, name in enumerate(names))
    content += "".join(at(300, 700 - 16 * i, each) for i, each in enumerate(values))

    text = extract(one_page(content), "a.pdf")

    assert lines(text) == [
        f"{name}\t{value}" for name, value in zip(names, values, strict=True)
    ]


def test_wrapped_cells_between_rules_are_no_columns(extract: Extract) -> None:
    rules = "".join(f"50 {y} 500 0.5 re f " for y in (712, 682, 652))
    content = rules + in_columns(LEFT * 2, RIGHT * 2)

    assert lines(extract(one_page(content), "a.pdf"))[0] == f"{LEFT[0]}\t{RIGHT[0]}"


def test_narrow_cells_are_parted_by_the_lines_between_them(extract: Extract) -> None:
    content = at(60, 700, "Lead") + at(90, 700, "n.d.") + "87 690 0.5 30 re f"

    assert extract(one_page(content), "a.pdf").text == "Lead\tn.d."


def test_wrapped_cells_of_a_table_without_lines_are_no_columns(
    extract: Extract,
) -> None:
    pairs = [(LEFT, RIGHT), (MIDDLE, LEFT), (RIGHT, MIDDLE)]
    content = "".join(
        at(50 + 250 * side, 700 - 30 * row - 14 * line, cell[line])
        for row, cells in enumerate(pairs)
        for side, cell in enumerate(cells)
        for line in range(2)
    )

    text = extract(one_page(content), "a.pdf")

    assert lines(text) == [
        f"{left[line]}\t{right[line]}" for left, right in pairs for line in range(2)
    ]


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("The stabil-", "ity was good", "The stability\nwas good"),
        (
            "contains Methylchloroiso-",
            "thiazolinone",
            "contains Methylchloroisothiazolinone",
        ),
        ("contains PEG-", "40 Castor Oil", "contains PEG-40\nCastor Oil"),
        ("CAS 50-", "00-0 found", "CAS 50-00-0\nfound"),
        ("code RC-", "A12 batch", "code RC-A12\nbatch"),
        ("a long-", "term study", "a long-term\nstudy"),
        ("result -", "not detected", "result -\nnot detected"),
    ],
)
def test_broken_words_are_joined_and_codes_keep_their_hyphen(
    extract: Extract, first: str, second: str, joined: str
) -> None:
    content = at(60, 700, first) + at(60, 686, second)

    assert extract(one_page(content), "a.pdf").text == joined


def test_raised_figures_are_superscripts_and_lowered_ones_level(
    extract: Extract,
) -> None:
    content = (
        at(60, 700, "not more than 10")
        + at(141.5, 705, "2", size=7)
        + at(146, 700, "CFU/g of H")
        + at(207, 697, "2", size=7)
        + at(211, 700, "O")
    )

    text = extract(one_page(content), "a.pdf").text

    assert text.replace(" ", "") == "notmorethan10²CFU/gofH2O"
    assert "10²" in text


@pytest.mark.parametrize("rotate", [0, 90, 270])
def test_sideways_text_is_read_along_its_lines(extract: Extract, rotate: int) -> None:
    content = (
        "BT /F1 11 Tf 0 1 -1 0 200 100 Tm (pH at 25 degrees) Tj ET\n"
        "BT /F1 11 Tf 0 1 -1 0 200 300 Tm (5.5) Tj ET\n"
        "BT /F1 11 Tf 0 1 -1 0 216 100 Tm (Lead) Tj ET\n"
    )

    text = extract(one_page(content, rotate=rotate), "a.pdf")

    assert lines(text) == ["pH at 25 degrees\t5.5", "Lead"]


def with_font(font: Dictionary, shown: str) -> bytes:
    paper = PaperPdf()
    paper.fonts = Dictionary(F1=font)
    paper.add_page(f"BT /F1 11 Tf 60 700 Td <{shown}> Tj ET")
    return paper.saved()


GIBBERISH = "28362C372C3639293830392C212A2F2931312C332E2C21382C373825212A3630"


def test_glyphs_without_a_usable_mapping_are_no_text(extract: Extract) -> None:
    names = [Name(f"/g{number}") for number in range(90)]
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name("/ABCDEF+Rose"),
        Encoding=Dictionary(Type=Name.Encoding, Differences=Array([33, *names])),
    )

    text = extract(with_font(font, GIBBERISH), "a.pdf")

    assert text.state is ReadState.UNREADABLE
    assert text.reason is UnreadableReason.NO_TEXT_LAYER
    assert "no usable text" in text.detail
    assert text.text == ""


def test_fonts_without_any_mapping_are_no_text(extract: Extract) -> None:
    paper = PaperPdf()
    below = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=Name("/ABCDEF+Rose"),
        CIDSystemInfo=Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
    )
    paper.fonts = Dictionary(
        F1=Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name("/ABCDEF+Rose"),
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([paper.pdf.make_indirect(below)]),
        )
    )
    paper.add_page("BT /F1 11 Tf 60 700 Td <00280036002C003700440055> Tj ET")

    text = extract(paper.saved(), "a.pdf")

    assert codes(text) == {"unreadable-no-text-layer", "page-without-usable-text"}


def test_layers_that_are_switched_off_are_left_out(extract: Extract) -> None:
    paper = PaperPdf()
    hidden = "/OC /L0 BDC " + at(60, 600, "Lead 20 ppm") + "EMC "
    page = paper.add_page(hidden + at(60, 700, "Lead 2 ppm"))
    layer = paper.pdf.make_indirect(Dictionary(Type=Name.OCG, Name="Old text"))
    page.Resources.Properties = Dictionary(L0=layer)
    paper.pdf.Root.OCProperties = Dictionary(
        OCGs=Array([layer]), D=Dictionary(OFF=Array([layer]))
    )

    text = extract(paper.saved(), "a.pdf")

    assert text.text == "Lead 2 ppm"
    assert codes(text) == {"hidden-text-left-out"}


@pytest.mark.parametrize(
    ("spacing", "shown"), [("4 Tc", "SPACED"), ("9 Tw", "words far apart")]
)
def test_spaced_out_text_is_read_as_words(
    extract: Extract, spacing: str, shown: str
) -> None:
    assert extract(one_page(at(60, 700, shown, more=spacing)), "a.pdf").text == shown


def test_codes_in_an_ordinary_font_are_text(extract: Extract) -> None:
    text = extract(one_page(at(60, 700, "\\(6,7,69\\)809 XZ-17 QW")), "a.pdf")

    assert (text.text, text.state) == ("(6,7,69)809 XZ-17 QW", ReadState.READ)


def test_a_file_that_ends_early_is_read_partly(extract: Extract) -> None:
    content = pdf_bytes(["First", "Second"])
    cut = content[: content.rindex(b"startxref")]

    text = extract(cut, "a.pdf")

    assert text.state is ReadState.READ_PARTLY
    assert codes(text) == {"file-ends-early"}
