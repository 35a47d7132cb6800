# ruff: noqa: RUF001 - the characters are the data
"""PDF pages, one row each: what a reader sees, and what is said."""

from io import BytesIO
from typing import NamedTuple

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import PaperPdf, at, one_page

from dossier.integrations.parsing.types import PageState, ReadState

FULL_PICTURE = "q 595 0 0 842 0 0 cm /Im0 Do Q\n"
HIDDEN, STRUCK = "hidden-text-left-out", "struck-text-left-out"
SEEN = at(60, 700, "Lead 2 ppm, within limits")
UNSEEN = "Lead 20 ppm"


class Row(NamedTuple):
    name: str
    content: str
    text: str
    codes: tuple[str, ...] = ()
    state: ReadState = ReadState.READ


def rows_of(table: list[list[str]], xs: list[float], top: float = 700) -> str:
    return "".join(
        at(x, top - 18 * row, cell)
        for row, cells in enumerate(table)
        for x, cell in zip(xs, cells, strict=True)
        if cell
    )


ROWS = [
    # Text that nobody sees
    Row("white in CMYK", SEEN + at(60, 600, UNSEEN, more="0 0 0 0 k"), "", (HIDDEN,)),
    Row("white in grey", SEEN + at(60, 600, UNSEEN, more="1 g"), "", (HIDDEN,)),
    Row(
        "white outlines",
        SEEN + at(60, 600, UNSEEN, more="1 Tr 1 1 1 RG"),
        "",
        (HIDDEN,),
    ),
    Row("clipping text", SEEN + at(60, 600, UNSEEN, more="7 Tr"), "", (HIDDEN,)),
    Row(
        "transparent",
        SEEN + "/G0 gs " + at(60, 600, UNSEEN),
        "",
        (HIDDEN,),
    ),
    Row(
        "under a picture",
        SEEN + at(60, 600, UNSEEN) + "q 300 0 0 40 50 590 cm /Im0 Do Q ",
        "",
        (HIDDEN,),
    ),
    Row(
        "invisible over the ground of a page with words",
        FULL_PICTURE
        + "".join(
            at(60, 700 - 14 * i, f"Line {i} of a letter about the pH of the cream")
            for i in range(8)
        )
        + at(60, 300, "all the metals are far above the limits", more="3 Tr"),
        "\n".join(f"Line {i} of a letter about the pH of the cream" for i in range(8)),
        (HIDDEN, "picture-not-read"),
        ReadState.READ_PARTLY,
    ),
    Row(
        "recognised over a scan with a fax line",
        FULL_PICTURE
        + at(60, 820, "FAX 2026-01-05 p. 1/3")
        + at(60, 700, "Certificate of GMP for Rose Cosmetics Co", more="3 Tr"),
        "FAX 2026-01-05 p. 1/3\nCertificate of GMP for Rose Cosmetics Co",
        ("text-recognised-elsewhere",),
        ReadState.READ_PARTLY,
    ),
    Row(
        "struck through by a line",
        at(60, 700, "Shelf life 24 months")
        + at(60, 680, "Shelf life 36 months")
        + "60 683.5 105 0.6 re f",
        "Shelf life 24 months",
        (STRUCK,),
    ),
    Row(
        "struck through by a drawn line",
        at(60, 700, "Shelf life 24 months")
        + at(60, 680, "Shelf life 36 months")
        + "0.7 w 60 683.8 m 166 683.8 l S",
        "Shelf life 24 months",
        (STRUCK,),
    ),
    Row(
        "underlined",
        at(60, 700, "Shelf life") + "60 698.6 52 0.6 re f",
        "Shelf life",
    ),
    Row(
        "printed twice to look bold",
        at(60, 700, "Lead") + at(60.3, 700, "Lead") + at(60, 680, "pH"),
        "Lead\npH",
    ),
    Row(
        "upside down",
        "BT /F1 11 Tf -1 0 0 -1 400 400 Tm (Lot RC-7) Tj ET\n"
        "BT /F1 11 Tf -1 0 0 -1 400 414 Tm (Report 118) Tj ET\n",
        "Lot RC-7\nReport 118",
    ),
    # Hyphens
    Row(
        "a lot number across lines",
        at(60, 700, "of lot RC-2026-") + at(60, 686, "018 tested"),
        "of lot RC-2026-018\ntested",
    ),
    Row(
        "a locant across lines",
        at(60, 700, "contains 2-") + at(60, 686, "phenoxyethanol here"),
        "contains 2-phenoxyethanol\nhere",
    ),
    Row(
        "an abbreviation with a word",
        at(60, 700, "with a UV-") + at(60, 686, "filter added"),
        "with a UV-filter\nadded",
    ),
    Row(
        "pH-value",
        at(60, 700, "the pH-") + at(60, 686, "value found"),
        "the pH-value\nfound",
    ),
    Row(
        "alpha-",
        at(60, 700, "with alpha-") + at(60, 686, "tocopherol added"),
        "with alpha-tocopherol\nadded",
    ),
    Row(
        "an INCI name across lines",
        at(60, 700, "with Sodium hyaluro-")
        + at(60, 686, "nate, Methyl-")
        + at(60, 672, "paraben and more"),
        "with Sodium hyaluronate,\nMethylparaben\nand more",
    ),
    # Tables without lines
    Row(
        "four columns painted column by column",
        "".join(
            at(x, 700 - 18 * row, cell)
            for x, column in zip(
                (60, 200, 320, 440),
                (
                    ["Test", "pH", "Lead", "Yeast"],
                    ["Method", "ISO 4316", "ICP-MS", "ISO 16212"],
                    ["Limit", "5.0-6.0", "10 ppm", "100 CFU/g"],
                    ["Result", "5.5", "n.d.", "<10"],
                ),
                strict=True,
            )
            for row, cell in enumerate(column)
        ),
        "Test\tMethod\tLimit\tResult\npH\tISO 4316\t5.0-6.0\t5.5\n"
        "Lead\tICP-MS\t10 ppm\tn.d.\nYeast\tISO 16212\t100 CFU/g\t<10",
    ),
    Row(
        "base lines that differ by some points",
        at(60, 700, "pH")
        + at(200, 702, "5.5")
        + at(300, 698.5, "pass")
        + at(60, 680, "Lead")
        + at(200, 682, "n.d.")
        + at(300, 678.5, "pass"),
        "pH\t5.5\tpass\nLead\tn.d.\tpass",
    ),
    Row(
        "values in the middle of names of two lines",
        "".join(
            at(60, y, first) + at(60, y - 12, second) + at(300, y - 6, value)
            for y, first, second, value in (
                (700, "Total aerobic", "mesophilic count", "<10 CFU/g"),
                (660, "Yeasts and", "moulds together", "20 CFU/g"),
                (620, "Escherichia coli", "in one gram", "absent"),
            )
        ),
        "Total aerobic mesophilic count\t<10 CFU/g\n"
        "Yeasts and moulds together\t20 CFU/g\n"
        "Escherichia coli in one gram\tabsent",
    ),
    Row(
        "a smaller font in one column",
        at(60, 700, "Lead")
        + at(200, 700.5, "10", 8)
        + at(300, 700, "n.d.")
        + at(60, 684, "Arsenic")
        + at(200, 684.5, "3", 8)
        + at(300, 684, "1"),
        "Lead\t10\tn.d.\nArsenic\t3\t1",
    ),
    # Columns
    Row(
        "three columns with a heading across",
        at(60, 760, "Stability report of the rose cream of the year 2026, all batches")
        + "".join(
            at(50 + 175 * column, 700 - 14 * row, line)
            for column, lines in enumerate(
                (
                    [
                        "The first column is of",
                        "words that go on and",
                        "end in this line.",
                    ],
                    [
                        "The second column is",
                        "of words that go on as",
                        "they did beside it.",
                    ],
                    [
                        "The third column also",
                        "holds words that go on",
                        "and then they end.",
                    ],
                )
            )
            for row, line in enumerate(lines)
        ),
        "Stability report of the rose cream of the year 2026, all batches\n"
        "The first column is of\nwords that go on and\nend in this line.\n"
        "The second column is\nof words that go on as\nthey did beside it.\n"
        "The third column also\nholds words that go on\nand then they end.",
    ),
    # Figures
    Row(
        "a power by text rise",
        "BT /F1 11 Tf 60 700 Td (1.2 x 10) Tj /F1 7 Tf 4 Ts (-3) Tj /F1 11 Tf 0 Ts"
        " ( mol/L) Tj ET",
        "1.2 x 10⁻³ mol/L",
    ),
    Row(
        "powers in cells",
        at(60, 700, "TAMC")
        + at(200, 700, "10")
        + at(212.5, 704.5, "3", 7)
        + at(300, 700, "10")
        + at(312.5, 704.5, "2", 7),
        "TAMC\t10³\t10²",
    ),
    Row(
        "a power as large as its base",
        at(60, 700, "10") + at(72.5, 704.5, "3") + at(80, 700, "CFU/g"),
        "10\u00b3 CFU/g",
    ),
    Row(
        "a mark of a footnote at a figure",
        at(60, 700, "Lead") + at(200, 700, "0.5") + at(215.5, 704.5, "a", 7),
        "Lead\t0.5ᵃ",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_pdf_page_gives_what_it_shows(extract: Extract, row: Row) -> None:
    paper = PaperPdf()
    page = paper.add_page(row.content, images=True)
    page.Resources.ExtGState = Dictionary(G0=Dictionary(ca=0, CA=0))

    text = extract(paper.saved(), "a.pdf")

    assert text.text == (row.text or "Lead 2 ppm, within limits")
    assert tuple(each.code for each in text.warnings) == row.codes
    assert text.state is row.state


def widget(paper: PaperPdf, page: pikepdf.Page, **entries: object) -> pikepdf.Object:
    paper.add_text_field(page, "", (150, 695, 250, 712), **entries)
    return page.Annots[-1]


def appearance(paper: PaperPdf, content: str) -> Dictionary:
    stream = paper.pdf.make_stream(
        content.encode("latin-1"),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([0, 0, 100, 17]),
        Resources=Dictionary(Font=paper.fonts),
    )
    return Dictionary(N=stream)


def states_of(paper: PaperPdf, *names: str) -> Dictionary:
    states = {f"/{name}": appearance(paper, "").N for name in names}
    return Dictionary(N=Dictionary(states))


FORM_ROWS: list[tuple[str, dict[str, object], str]] = [
    ("a choice", {"FT": Name.Ch, "Opt": Array(["fail", "pass"]), "V": "pass"}, "pass"),
    (
        "a choice by export value",
        {
            "FT": Name.Ch,
            "Ff": 1 << 17,
            "Opt": Array([Array(["0", "fail"]), Array(["1", "pass"])]),
            "V": "1",
        },
        "pass",
    ),
    ("a ticked box", {"FT": Name.Btn, "V": Name.Yes, "AS": Name.Yes}, "☒"),
    ("an empty box", {"FT": Name.Btn, "V": Name.Off, "AS": Name.Off}, "☐"),
    ("several lines", {"Ff": 1 << 12, "V": "two\nlines"}, "two\nlines"),
    ("a value in Chinese", {"V": "合格"}, "合格"),
]


@pytest.mark.parametrize(
    ("entries", "shown"),
    [(entries, shown) for _, entries, shown in FORM_ROWS],
    ids=[name for name, _, _ in FORM_ROWS],
)
@pytest.mark.parametrize("has_appearance", [True, False])
def test_form_field_gives_what_it_shows(
    extract: Extract, entries: dict[str, object], shown: str, *, has_appearance: bool
) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 660, "Result"))
    field = widget(paper, page, **entries)
    if entries.get("FT") == Name.Btn:
        field.AP = states_of(paper, "Yes", "Off")
    elif has_appearance:
        field.AP = appearance(paper, at(2, 4, "shown"))

    text = extract(paper.saved(), "form.pdf")

    assert text.text == f"{shown}\nResult"


def test_radio_buttons_show_which_one_is_chosen(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(80, 700, "leave-on") + at(80, 680, "rinse-off"))
    parent = paper.pdf.make_indirect(
        Dictionary(FT=Name.Btn, Ff=1 << 15, T="use", V=Name.b, Kids=Array())
    )
    for name, y in (("a", 698), ("b", 678)):
        paper.add_text_field(page, "", (60, y, 72, y + 12))
        button = page.Annots[-1]
        del button.FT, button.T, button.V
        button.Parent = parent
        button.AS = Name(f"/{name}") if name == "b" else Name.Off
        button.AP = states_of(paper, name, "Off")
        parent.Kids.append(button)
    paper.pdf.Root.AcroForm.Fields = Array([parent])

    text = extract(paper.saved(), "a.pdf").text

    assert text == "☐\tleave-on\n☒\trinse-off"


def test_value_of_a_parent_field_is_shown_by_its_widgets(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 700, "Lot:"))
    paper.add_text_field(page, "", (150, 695, 250, 712))
    field = page.Annots[0]
    parent = paper.pdf.make_indirect(
        Dictionary(FT=Name.Tx, T="lot", V="RC-7", Kids=Array([field]))
    )
    del field.FT, field.T, field.V
    field.Parent = parent
    paper.pdf.Root.AcroForm.Fields = Array([parent])

    assert extract(paper.saved(), "a.pdf").text == "Lot:\tRC-7"


@pytest.mark.parametrize(
    ("subtype", "entries"),
    [("Stamp", {}), ("Widget", {"FT": Name.Sig, "T": "s"})],
    ids=["stamp", "signature"],
)
def test_words_of_stamps_and_signatures_are_read(
    extract: Extract, subtype: str, entries: dict[str, object]
) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 660, "Safety assessment"))
    paper.add_note(page, subtype, "")
    note = page.Annots[0]
    note.F = 4
    note.Rect = Array([150, 695, 250, 712])
    note.AP = appearance(paper, at(2, 4, "Signed by Wang"))
    for key, value in entries.items():
        note[f"/{key}"] = value
    paper.pdf.Root.AcroForm = Dictionary(Fields=Array([note] if entries else []))

    text = extract(paper.saved(), "a.pdf")

    assert text.text == "Signed by Wang\nSafety assessment"
    assert text.state is ReadState.READ


def test_stamp_without_an_appearance_is_named(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 660, "Safety assessment"))
    paper.add_note(page, "Stamp", "")
    page.Annots[0].Name = Name.Draft

    assert extract(paper.saved(), "a.pdf").text == "Safety assessment\n[Stamp: Draft]"


def test_text_under_a_strike_out_mark_is_left_out(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(
        at(60, 700, "Shelf life 24 months") + at(60, 680, "Shelf life 36 months")
    )
    paper.add_note(page, "StrikeOut", "")
    page.Annots[0].QuadPoints = Array([58, 690, 170, 690, 58, 677, 170, 677])

    text = extract(paper.saved(), "a.pdf")

    assert text.text == "Shelf life 24 months"
    assert [each.code for each in text.warnings] == [STRUCK]


def mapped_font(paper: PaperPdf, shown: dict[int, str]) -> Dictionary:
    lines = "\n".join(
        f"<{code:02X}> <{text.encode('utf-16-be').hex()}>"
        for code, text in shown.items()
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap"
        " /CMapName /a def 1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{len(shown)} beginbfchar\n{lines}\nendbfchar endcmap end end"
    )
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name.Helvetica,
        Encoding=Name.WinAnsiEncoding,
        ToUnicode=paper.pdf.make_stream(cmap.encode()),
    )


@pytest.mark.parametrize(
    ("mapped", "shown"),
    [
        ({0x41: "ﬁ", 0x42: "n"}, "fin"),
        ({0x41: "ﬄ", 0x42: "e"}, "ffle"),
        ({0x41: "⽔", 0x42: "⽢"}, "水甘"),
        ({0x41: "豈", 0x42: "更"}, "豈更"),
        ({0x41: "Ａ", 0x42: "５"}, "Ａ５"),
    ],
    ids=["ligature", "long ligature", "radicals", "compatible", "wide"],
)
def test_characters_are_those_that_people_type(
    extract: Extract, mapped: dict[int, str], shown: str
) -> None:
    paper = PaperPdf()
    paper.fonts = Dictionary(F1=mapped_font(paper, mapped))
    paper.add_page(at(60, 700, "AB"))

    assert extract(paper.saved(), "a.pdf").text == shown


def test_a_font_that_maps_its_letters_wrongly_is_no_text(extract: Extract) -> None:
    words = "the stability of the cream was tested for twelve months and found good "
    cipher = {
        ord(letter): chr((ord(letter) - 97 + 11) * 7 % 26 + 97)
        for letter in "abcdefghijklmnopqrstuvwxyz"
    }
    paper = PaperPdf()
    paper.fonts = Dictionary(F1=mapped_font(paper, cipher))
    paper.add_page("".join(at(60, 700 - 14 * i, words) for i in range(8)))

    text = extract(paper.saved(), "a.pdf")

    assert text.state is ReadState.UNREADABLE
    assert "no usable text" in text.detail


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ("0 0 m " + "5 9 l 9 5 l 7 7 3 4 2 2 c " * 200 + "f", PageState.UNREADABLE),
        ("/Pattern cs /T0 scn 50 50 500 700 re f", PageState.UNREADABLE),
        ("1 1 1 rg 0 0 595 842 re f", PageState.BLANK),
    ],
    ids=["one path for all letters", "a picture as a pattern", "white"],
)
def test_a_page_without_text_is_blank_only_if_it_shows_nothing(
    extract: Extract, content: str, state: PageState
) -> None:
    paper = PaperPdf()
    page = paper.add_page(content, images=True)
    pattern = paper.pdf.make_stream(
        b"q 500 0 0 700 0 0 cm /Im0 Do Q",
        PatternType=1,
        PaintType=1,
        TilingType=1,
        BBox=Array([0, 0, 500, 700]),
        XStep=500,
        YStep=700,
        Resources=Dictionary(XObject=page.Resources.XObject),
    )
    page.Resources.Pattern = Dictionary(T0=pattern)

    assert extract(paper.saved(), "a.pdf").pages[0].state is state


FRAMED = "q 300 0 0 400 100 200 cm /Im0 Do Q "
OUTLINES = "0 0 m " + "5 9 l 9 5 l 7 7 3 4 2 2 c " * 2000


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (OUTLINES + "f " + SEEN, PageState.READ_PARTLY),
        (OUTLINES + "S " + SEEN, PageState.READ),
        (FRAMED + at(300, 30, "31"), PageState.UNREADABLE),
        (FRAMED + SEEN, PageState.READ_PARTLY),
        ("q 100 0 0 90 100 200 cm /Im0 Do Q " + SEEN, PageState.READ),
    ],
    ids=[
        "a table of outlined letters",
        "a curve",
        "a picture with a page number",
        "a picture with a line",
        "a logo with a line",
    ],
)
def test_a_page_is_read_partly_if_words_may_be_missing(
    extract: Extract, content: str, state: PageState
) -> None:
    text = extract(one_page(content, images=True), "a.pdf")

    assert text.pages[0].state is state


def test_text_outside_the_crop_box_is_left_out(extract: Extract) -> None:
    paper = PaperPdf()
    page = paper.add_page(at(60, 700, "Seen") + at(60, 100, UNSEEN))
    page.CropBox = Array([0, 400, 595, 842])

    text = extract(paper.saved(), "a.pdf")

    assert text.text == "Seen"
    assert [each.code for each in text.warnings] == [HIDDEN]


def test_one_scanned_page_of_five_is_named(extract: Extract) -> None:
    paper = PaperPdf()
    for number in range(5):
        stamp = at(500, 30, f"{number + 1} / 5", 8)
        words = FULL_PICTURE if number == 3 else SEEN
        paper.add_page(words + stamp, images=True)

    text = extract(paper.saved(), "a.pdf")

    assert text.state is ReadState.READ_PARTLY
    assert [(each.code, each.place) for each in text.warnings] == [
        ("page-is-a-picture", "page 4")
    ]


@pytest.mark.parametrize(
    ("user", "owner", "state"),
    [("secret", "x", ReadState.UNREADABLE), ("", "x", ReadState.READ)],
    ids=["user", "owner"],
)
def test_only_a_password_for_opening_keeps_a_file_from_being_read(
    extract: Extract, user: str, owner: str, state: ReadState
) -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(one_page(SEEN))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(user=user, owner=owner))

    assert extract(out.getvalue(), "a.pdf").state is state
