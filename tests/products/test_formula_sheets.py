"""Formula sheets as people write them: the shares that are read, and the findings."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.factories.grids import (
    SOURCE,
    Area,
    book_of,
    finding_places,
    note_codes,
    parse_rows,
    shares_by_name,
    sheet_of,
)

from dossier.core.spreadsheets import Cell, Sheet
from dossier.products.exceptions import (
    FormulaSheetNotFoundError,
    FormulaTooLongError,
    NoFormulaFoundError,
)
from dossier.products.formula_import.pipeline import MAX_LINES, parse_formula

HEAD = ("INCI Name", "CAS No.", "EC No.", "% w/w")
WATER = ("Aqua", "7732-18-5", "231-791-2", 95)
GLYCERIN = ("Glycerin", "56-81-5", "200-289-5", 5)
Rows = list[tuple[Any, ...]]


def lines(*quantities: Any, header: str = "% w/w") -> Rows:
    names = ("Aqua", "Glycerin", "Parfum", "Tocopherol", "Panthenol")
    rows = zip(names, quantities, strict=False)
    return [("INCI Name", header), *rows]


CASES: dict[str, tuple[Rows, dict[str, tuple[str, str]]]] = {
    "plain": (
        lines(95, 5),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "title above and notes below": (
        [
            ("Rose cream, formula 12", "", "", ""),
            ("Batch 100 kg", "", "", ""),
            (),
            HEAD,
            WATER,
            GLYCERIN,
            ("Total", "", "", 100),
            ("Note: all amounts by weight", "", "", ""),
        ],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "Chinese headers": (
        [("成分名稱", "化學文摘社號碼", "含量百分比"), ("水", "7732-18-5", 100)],
        {"水": ("100", "100")},
    ),
    "bilingual headers": (
        [("INCI 名稱 / INCI name", "CAS 號碼", "含量 % (w/w)"), ("Aqua", "", 100)],
        {"Aqua": ("100", "100")},
    ),
    "two header lines": (
        [("成分", "用量"), ("INCI name", "% w/w"), ("Aqua", 100)],
        {"Aqua": ("100", "100")},
    ),
    "three header lines": (
        [
            ("成分", "含量"),
            ("Ingredient", "Content"),
            ("INCI name", "% w/w"),
            ("Aqua", 100),
        ],
        {"Aqua": ("100", "100")},
    ),
    "header repeated at a page break": (
        [*lines(95), ("INCI Name", "% w/w"), ("Glycerin", 5)],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "q.s. takes the rest": (
        lines("q.s. to 100", 5, "≤ 0.5", "1\u20132"),
        {
            "Aqua": ("92.5", "94"),
            "Glycerin": ("5", "5"),
            "Parfum": ("0", "0.5"),
            "Tocopherol": ("1", "2"),
        },
    ),
    "two rests are ranges": (
        lines("q.s. to 100", 5, "適量"),
        {"Aqua": ("0", "95"), "Glycerin": ("5", "5"), "Parfum": ("0", "95")},
    ),
    "decimal commas": (
        lines("98,500", "1,5"),
        {"Aqua": ("98.5", "98.5"), "Glycerin": ("1.5", "1.5")},
    ),
    "percent signs": (
        lines("95 %", "5%"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "full-width digits": (
        lines("\uff19\uff15", "\uff15\uff0e\uff10"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "fractions": (
        lines(0.95, 0.05),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "fractions with a rest to 1": (
        lines("q.s. to 1", 0.05),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "g/kg by header": (
        lines(950, 50, header="g/kg"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "mg/kg by cell": (
        lines("99.95", "500 mg/kg"),
        {"Aqua": ("99.95", "99.95"), "Glycerin": ("0.05", "0.05")},
    ),
    "g/100 g": (
        lines(95, 5, header="g/100 g"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "grams of a batch of 1000": (
        lines(950, 50, header="Weight (g)"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "composition is the only column": (
        lines(95, 5, header="Composition % w/w"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "share of the product is the only column": (
        lines(95, 5, header="% in finished product"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "trace": (
        lines(95, 5, "trace"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5"), "Parfum": ("0", "")},
    ),
    "percent column without a header": (
        [("INCI Name", "CAS No.", ""), ("Aqua", "7732-18-5", 95), ("Glycerin", "", 5)],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "blank lines between": (
        [*lines(95), (), (), ("Glycerin", 5)],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "the common variant of the word for ingredient": (
        [("成份", "百分比"), ("水", "95"), ("甘油", "5")],
        {"水": ("95", "95"), "甘油": ("5", "5")},
    ),
    "grams in every cell of a batch of 100": (
        lines("95 g", "5 g", header="Amount"),
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "a batch weighed out beside its percentages": (
        [("INCI", "Qty (kg)", "%"), ("Aqua", 475, 95), ("Glycerin", 25, 5)],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "totals of phases by their letters": (
        [*lines(70), ("Total A", 70), ("Glycerin", 30), ("Total B", 30)],
        {"Aqua": ("70", "70"), "Glycerin": ("30", "30")},
    ),
    "totals of phases in Chinese": (
        [
            *lines(70),
            ("水相合計", 70),
            ("Glycerin", 30),
            ("B相合計", 30),
            ("總計", 100),
        ],
        {"Aqua": ("70", "70"), "Glycerin": ("30", "30")},
    ),
    "totals that a later one takes in": (
        [*lines("70 %"), ("Total", "70 %"), ("Glycerin", 30), ("Total", 100)],
        {"Aqua": ("70", "70"), "Glycerin": ("30", "30")},
    ),
    "properties and signatures below": (
        [
            ("#", "INCI Name", "% w/w"),
            (1, "Aqua", 95),
            (2, "Glycerin", 5),
            ("", "pH (25 °C)", 5.5),
            ("Prepared by", "Mei", ""),
            ("核准人\uff1a", "Lin", ""),
        ],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "a material that is named after what it does": (
        [*lines("q.s. to 100"), ("pH adjuster (Sodium Hydroxide)", 0.1)],
        {
            "Aqua": ("99.9", "99.9"),
            "pH adjuster (Sodium Hydroxide)": ("0.1", "0.1"),
        },
    ),
    "remarks beside, words above, blanks among": (
        [
            ("INCI, CAS and % of every ingredient are listed below. " * 3, "", ""),
            ("Ingredients", "", ""),
            (),
            ("INCI Name", "% w/w", "Remarks"),
            ("Aqua", 95, "purified"),
            ("", "", ""),
            ("Glycerin", 5, ""),
        ],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
    "a second table below is another one": (
        [
            *lines(95, 5),
            ("INCI Name", "Allergen", "Limit", "%"),
            ("Linalool", "yes", "", 0.01),
        ],
        {"Aqua": ("95", "95"), "Glycerin": ("5", "5")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_irregular_sheet_becomes_exact_shares(name: str) -> None:
    rows, expected = CASES[name]

    formula = parse_rows(rows)

    assert shares_by_name(formula) == expected
    assert formula.total.lower == formula.total.upper == 100
    assert finding_places(formula) == []


def test_phases_come_from_section_rows() -> None:
    formula = parse_rows(
        [
            ("INCI Name", "% w/w"),
            ("Phase A (water)", ""),
            ("Aqua", 95),
            ("B相 油相", ""),
            ("Squalane", 5),
        ]
    )

    assert [line.phase for line in formula.lines] == ["A (water)", "B相 油相"]


def test_phases_come_from_merged_and_from_sparse_cells() -> None:
    rows = [
        ("Phase", "INCI Name", "% w/w"),
        ("A", "Aqua", 90),
        ("", "Glycerin", 4),
        ("B", "Squalane", 5),
        ("", "Tocopherol", 1),
    ]
    areas: list[Area] = [(2, 1, 3, 1)]

    formula = parse_rows(rows, areas)

    assert [line.phase for line in formula.lines] == ["A", "A", "B", "B"]


def test_identifiers_are_normalised() -> None:
    formula = parse_rows([HEAD, ("Aqua", "7732\u201318\u20135", "231 - 791 - 2", 100)])

    assert (formula.lines[0].cas, formula.lines[0].ec) == ("7732-18-5", "231-791-2")


def test_a_shared_column_holds_both_identifiers() -> None:
    rows = [("INCI", "CAS / EC", "%"), ("Aqua", "7732-18-5 / 231-791-2", 100)]

    line = parse_rows(rows).lines[0]

    assert (line.cas, line.ec) == ("7732-18-5", "231-791-2")


def test_every_value_names_its_cell() -> None:
    formula = parse_rows([(), ("Formula",), HEAD, WATER, GLYCERIN])

    assert formula.header == {"inci": "A3", "cas": "B3", "ec": "C3", "percent": "D3"}
    assert formula.lines[1].cell == "D5"
    assert formula.lines[1].cells == {
        "inci": "A5",
        "cas": "B5",
        "ec": "C5",
        "percent": "D5",
    }


FINDINGS: dict[str, tuple[Rows, list[tuple[str, str, str | None]]]] = {
    "far from 100": (lines(95, 4), [("total-not-100", "blocking", "B1")]),
    "a little off": (lines(95, 4.95), [("total-not-100", "warning", "B1")]),
    "stated total is the place": (
        [*lines(95, 4), ("Total", 99)],
        [("total-not-100", "blocking", "B4")],
    ),
    "stated total differs": (
        [*lines(95, 5), ("Total", 100.5)],
        [("stated-total-differs", "warning", "B4")],
    ),
    "interval holds 100": (lines(94, "1-5", "≤ 2"), []),
    "interval below 100": (
        lines(94, "1-5"),
        [("total-not-100", "blocking", "B1")],
    ),
    "negative rest": (
        lines("q.s. to 100", 70, 40),
        [("negative-rest", "blocking", "B2")],
    ),
    "CAS check digit": (
        [HEAD, ("Aqua", "7732-18-4", "", 100)],
        [("cas-check-digit", "warning", "B2")],
    ),
    "CAS that became a date": (
        [HEAD, ("Aqua", "2001-12-03 00:00:00", "", 100)],
        [("cas-became-date", "warning", "B2")],
    ),
    "EC check digit": (
        [HEAD, ("Aqua", "", "231-791-3", 100)],
        [("ec-check-digit", "warning", "C2")],
    ),
    "duplicate": (
        [("INCI", "%"), ("Aqua", 50), ("AQUA", 50)],
        [("duplicate-inci", "warning", "B3")],
    ),
    "added in two phases": (
        [("Phase", "INCI", "%"), ("A", "Aqua", 50), ("B", "Aqua", 50)],
        [("duplicate-inci", "info", "C3")],
    ),
    "missing INCI": (
        [("Trade name", "INCI", "%"), ("Pure water", "", 100)],
        [("missing-inci", "blocking", "C2")],
    ),
    "missing quantity": (
        [HEAD, ("Aqua", "", "", 100), ("Glycerin", "56-81-5", "", "")],
        [("missing-quantity", "blocking", "A3")],
    ),
    "unreadable quantity": (
        lines(100, "see supplier"),
        [("unreadable-quantity", "blocking", "B3")],
    ),
    "negative quantity": (
        lines(100, -5),
        [("negative-quantity", "blocking", "B3")],
    ),
    "negative quantity in words": (
        lines("100", "-3.5 %"),
        [("negative-quantity", "blocking", "B3")],
    ),
    "negative quantity with a true minus sign": (
        lines("100", "\u22125"),
        [("negative-quantity", "blocking", "B3")],
    ),
    "a dash before words is no number": (
        lines("100", "- see supplier"),
        [("unreadable-quantity", "blocking", "B3")],
    ),
    "quantity above 100": (
        lines(150, 5),
        [
            ("total-not-100", "blocking", "B1"),
            ("quantity-over-100", "blocking", "B2"),
        ],
    ),
    "weights in an unknown unit above 100": (
        lines(950, 50, header="Amount (oz)"),
        [("total-not-100", "blocking", "B1"), ("unknown-unit", "blocking", "B2")],
    ),
    "unknown unit in the header": (
        lines(95, 5, header="Amount (oz)"),
        [("unknown-unit", "blocking", "B2")],
    ),
    "unknown unit in a cell": (
        lines(100, "0 IU"),
        [("unknown-unit", "blocking", "B3")],
    ),
    "EC that is none": (
        [HEAD, ("Aqua", "", "2317912", 100)],
        [("ec-check-digit", "warning", "C2")],
    ),
    "total in an unknown unit": (
        [*lines(95, 5), ("Total", "100 oz")],
        [],
    ),
    "total in words": (
        [*lines(95, 5), ("Total", "see above")],
        [],
    ),
    "blend without shares": (
        [("INCI", "%"), ("Aqua (and) Glycerin", 100)],
        [("mixture-not-exploded", "warning", "A2")],
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_an_error_of_the_sheet_is_a_finding_with_its_cell(name: str) -> None:
    rows, expected = FINDINGS[name]

    assert finding_places(parse_rows(rows)) == expected


def test_a_total_within_the_tolerance_is_no_finding() -> None:
    assert finding_places(parse_rows(lines(95, 4.95), tolerance=Decimal("0.05"))) == []


def test_a_finding_has_both_languages_and_names_its_source() -> None:
    finding = parse_rows(lines(95, 4)).findings[0]

    assert "99 %" in finding.message.en
    assert "99%" in finding.message.zh
    assert [f"{each:f}" for each in (finding.value, finding.limit, finding.margin)] == [
        "99",
        "100",
        "-1",
    ]
    assert finding.place is not None
    assert (finding.place.filename, finding.place.sheet) == ("formula.xlsx", "Formula")
    assert (finding.item, finding.article) == (3, "PIF Reg. Art. 3(1)(3)")


def test_decisions_are_noted() -> None:
    assert note_codes(parse_rows(lines(0.95, 0.05))) == ["fractions"]
    assert note_codes(parse_rows(lines(950, 50, header="g/kg"))) == ["unit"]
    assert note_codes(parse_rows(lines(95, 5, "trace"))) == ["trace"]
    assert note_codes(parse_rows(lines("q.s. to 100", "q.s."))) == ["several-rests"]


def test_remarks_below_the_table_are_kept() -> None:
    formula = parse_rows([*lines(100), ("Approved by the laboratory", "")])

    assert [note.en for note in formula.notes] == ["Approved by the laboratory"]


def test_the_best_ranked_visible_sheet_is_taken() -> None:
    summary = sheet_of([("INCI", "%"), ("Aqua", 100)], name="Summary")
    full = sheet_of([HEAD, WATER, GLYCERIN], name="Full")
    old = sheet_of([HEAD, WATER, GLYCERIN], name="Old", is_hidden=True)

    formula = parse_formula(book_of(old, summary, full), SOURCE)

    assert formula.sheet == "Full"
    assert note_codes(formula) == ["sheet-chosen", "other-sheets", "hidden-sheets"]


def test_a_named_sheet_is_taken_or_refused() -> None:
    book = book_of(sheet_of([HEAD, WATER], name="A"), sheet_of(lines(100), name="B"))

    assert parse_formula(book, SOURCE, sheet="B").sheet == "B"
    with pytest.raises(FormulaSheetNotFoundError, match="'A', 'B'"):
        parse_formula(book, SOURCE, sheet="C")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("Month", "Units sold"), ("January", 5)],
        [("INCI Name", "% w/w")],
        [("Name", "Telephone"), ("Mei", "02-1234")],
        [("INCI", "%"), ("Total", 100)],
        [("INCI", "CAS"), ("Aqua", "7732-18-5")],
        [("Substance name", "CAS", "Maximum concentration %"), ("BHT", "", 0.8)],
    ],
    ids=["empty", "sales", "header alone", "contacts", "no line", "no quantity", "law"],
)
def test_a_sheet_without_a_formula_is_refused(rows: Rows) -> None:
    with pytest.raises(NoFormulaFoundError):
        parse_rows(rows)


def test_a_table_longer_than_any_formula_is_refused() -> None:
    rows: Rows = [
        ("INCI", "%"),
        *((f"Extract {n}", 0.01) for n in range(MAX_LINES + 1)),
    ]

    sentence = r"^formula\.xlsx: the formula has \d+ lines; at most 2000 are read$"
    with pytest.raises(FormulaTooLongError, match=sentence):
        parse_rows(rows)


def test_a_limit_or_unit_that_only_the_format_shows_is_read() -> None:
    cells = [
        *sheet_of([("INCI", "%"), ("Aqua", "q.s. to 100")]).cells,
        Cell(row=3, column=1, text="Parfum"),
        Cell(row=3, column=2, text="1", number=Decimal(1), number_format='"≤ "0.0'),
        Cell(row=4, column=1, text="Glycerin"),
        Cell(row=4, column=2, text="50", number=Decimal(50), number_format='0" g/kg"'),
    ]
    book = book_of(Sheet(name="F", cells=cells, hidden_rows=[4]))

    formula = parse_formula(book, SOURCE)

    assert shares_by_name(formula) == {
        "Aqua": ("94", "95"),
        "Parfum": ("0", "1"),
        "Glycerin": ("5", "5"),
    }
    assert note_codes(formula) == ["hidden-rows"]


def test_a_computed_cell_without_a_stored_value_is_unreadable() -> None:
    cells = [
        *sheet_of([("INCI", "%"), ("Aqua", 100), ("Parfum",)]).cells,
        Cell(row=3, column=2, formula="=1+1"),
    ]

    formula = parse_formula(book_of(Sheet(name="F", cells=cells)), SOURCE)

    assert finding_places(formula) == [("unreadable-quantity", "blocking", "B3")]


def test_percent_formats_and_encodings_are_noted() -> None:
    cells = [
        *sheet_of([("INCI", "%"), ("Aqua",)]).cells,
        Cell(row=2, column=2, text="100%", number=Decimal(100), factor=100),
    ]
    book = replace(book_of(Sheet(name="", cells=cells)), encoding="big5")

    formula = parse_formula(book, SOURCE)

    assert note_codes(formula) == ["encoding", "percent-format"]
    assert shares_by_name(formula) == {"Aqua": ("100", "100")}


def test_an_unnamed_column_that_totals_100_is_read_and_noted() -> None:
    formula = parse_rows(
        [("INCI Name", "CAS", ""), ("Aqua", "", 95), ("Parfum", "", 5)]
    )

    assert note_codes(formula) == ["quantity-column-inferred"]


def test_subtotals_are_no_lines() -> None:
    formula = parse_rows(
        [("INCI", "%"), ("Aqua", 95), ("Subtotal A", 95), ("Glycerin", 5)]
    )

    assert list(shares_by_name(formula)) == ["Aqua", "Glycerin"]


def test_a_named_quantity_column_is_preferred_to_an_unnamed_one() -> None:
    head = ("Trade name", "INCI", "含量 %", "")
    rows = [
        head,
        ("", "", "原料 Raw", "成分 Ingredient"),
        ("Pure", "Aqua", 90, 100),
        ("Blend", "Glycerin", 10, 60),
        ("", "Tocopherol", "", 40),
    ]

    formula = parse_rows(rows, merged=[(1, 3, 1, 4)])

    assert shares_by_name(formula)["Glycerin"] == ("6", "6")
    assert finding_places(formula) == []


def test_columns_of_quantities_that_were_not_read_are_noted() -> None:
    rows = [("INCI", "Old %", "% w/w"), ("Aqua", 90, 95), ("Glycerin", 10, 5)]

    formula = parse_rows(rows)

    assert shares_by_name(formula)["Aqua"] == ("95", "95")
    assert [note.en for note in formula.notes] == [
        "The quantities were taken from C1 % w/w.",
        "Other columns hold quantities too and were not read: B1 Old %.",
    ]


@pytest.mark.parametrize(
    ("name", "is_mixture"),
    [
        ("Phenoxyethanol (and) Ethylhexylglycerin", True),
        ("Phenoxyethanol, Ethylhexylglycerin", True),
        ("苯氧乙醇、乙基己基甘油", True),
        ("1,2-Hexanediol", False),
        ("Acrylates/C10-30 Alkyl Acrylate Crosspolymer", False),
    ],
)
def test_several_names_in_one_cell_are_a_mixture(
    name: str, *, is_mixture: bool
) -> None:
    formula = parse_rows([*lines(95), (name, 5)])

    assert [code for code, _, _ in finding_places(formula)] == (
        ["mixture-not-exploded"] if is_mixture else []
    )


def test_two_numbers_in_one_cell_are_not_one_number() -> None:
    formula = parse_rows([*lines(95), ("Glycerin", "4 1")])

    assert ("unreadable-quantity", "blocking", "B3") in finding_places(formula)


def test_a_row_that_a_merged_cell_covers_is_no_line() -> None:
    rows = [("INCI", "%"), ("Aqua", 100), ("", "")]

    formula = parse_rows(rows, merged=[(2, 1, 3, 1), (2, 2, 3, 2)])

    assert shares_by_name(formula) == {"Aqua": ("100", "100")}


def test_a_dash_is_no_quantity() -> None:
    formula = parse_rows([*lines(100), ("Parfum", "-")])

    assert finding_places(formula) == [("missing-quantity", "blocking", "A3")]
