"""Which sheet and which column are read, and what is asked where two are as likely."""

from dataclasses import replace
from typing import Any

import pytest
from tests.factories.grids import (
    SOURCE,
    book_of,
    finding_places,
    note_codes,
    parse_rows,
    shares_by_name,
    sheet_of,
)

from dossier.products.exceptions import FormulaColumnNotFoundError
from dossier.products.formula_import.accounting import CellUse
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula

Rows = list[tuple[Any, ...]]
HEAD = ("INCI", "CAS No.", "% w/w")
ONE: Rows = [HEAD, ("Aqua", "", 95), ("Glycerin", "", 5)]
OTHER: Rows = [HEAD, ("Aqua", "", 90), ("Glycerin", "", 10)]


def beside(header: str, *values: Any, name: str = "% w/w") -> Rows:
    """Return a table with another column before the shares 80, 15 and 5."""
    names = ("Aqua", "Glycerin", "Phenoxyethanol")
    rows = zip(names, values, (80, 15, 5), strict=True)
    return [("INCI", header, name), *rows]


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("% of cost", (1, 39, 60)),
        ("Price (USD/kg)", (1, 39, 60)),
        ("成本比例 %", (1, 39, 60)),
        ("Natural origin content %", (100, 100, 0)),
        ("天然來源指數 %", (100, 100, 0)),
        ("Active matter %", (100, 99, 90)),
        ("活性物含量 %", (100, 99, 90)),
        ("Active %", (100, 99, 90)),
        ("Purity %", (100, 99, 99)),
        ("Solids content %", (0, 100, 100)),
        ("Max. permitted %", (100, 100, 1)),
        ("法規限量 %", (100, 100, 1)),
        ("Maximum %", (90, 20, 10)),
        ("Dermal absorption %", (50, 50, 50)),
        ("Previous %", (70, 25, 5)),
        ("舊配方 %", (70, 25, 5)),
        ("旧配方 %", (70, 25, 5)),
        ("Batch 500 kg (kg)", (400, 75, 25)),
        ("% (w/v)", (80, 15, 5)),
    ],
)
def test_percentages_of_something_else_are_not_the_formula(
    header: str, values: tuple[int, ...]
) -> None:
    formula = parse_rows(beside(header, *values))

    assert shares_by_name(formula)["Glycerin"] == ("15", "15")
    assert finding_places(formula) == []
    assert any(header in note.en for note in formula.notes)


@pytest.mark.parametrize(
    "name", ["Content", "Amount", "Quantity", "用量", "wt"], ids=lambda name: name
)
def test_a_share_without_a_sign_wins_over_percentages_of_something_else(
    name: str,
) -> None:
    formula = parse_rows(beside("Active matter %", 100, 99, 90, name=name))

    assert shares_by_name(formula)["Aqua"] == ("80", "80")


@pytest.mark.parametrize(
    "header", ["% (lab)", "% version 2", "Content %", "% 2024", "Sample B %"]
)
def test_two_columns_that_may_both_be_the_shares_are_asked_about(header: str) -> None:
    rows = beside(header, 70, 25, 5)

    formula = parse_rows(rows)

    assert formula.lines == ()
    assert finding_places(formula) == [("ambiguous-quantity-column", "blocking", "B1")]
    assert f"B1 {header}" in formula.findings[0].message.en
    assert set(formula.uses.values()) == {CellUse.REPORTED}


@pytest.mark.parametrize("column", ["% (v2)", "b", "B", " % (V2) "])
def test_a_named_column_is_read(column: str) -> None:
    rows = beside("% (v2)", 70, 25, 5)

    formula = parse_formula(book_of(sheet_of(rows)), SOURCE, column=column)

    assert shares_by_name(formula)["Aqua"] == ("70", "70")
    assert note_codes(formula) == ["column-chosen", "other-quantities"]


def test_a_named_column_that_is_missing_is_refused_with_those_there_are() -> None:
    with pytest.raises(FormulaColumnNotFoundError, match=r"'A1 INCI', 'B1 CAS No\."):
        parse_formula(book_of(sheet_of(ONE)), SOURCE, column="Z")


def test_two_columns_without_a_header_that_both_make_a_whole_are_asked_about() -> None:
    rows = [("INCI", "V1", "V2"), ("Aqua", 80, 70), ("Glycerin", 20, 30)]

    assert finding_places(parse_rows(rows))[0][0] == "ambiguous-quantity-column"


def hidden(rows: Rows, *columns: int) -> ParsedFormula:
    sheet = replace(sheet_of(rows), hidden_columns=list(columns))
    return parse_formula(book_of(sheet), SOURCE)


def test_a_hidden_column_is_never_preferred_and_is_named() -> None:
    formula = hidden(beside("% (v2)", 70, 25, 5), 3)

    assert shares_by_name(formula)["Aqua"] == ("70", "70")
    assert note_codes(formula) == [
        "column-chosen",
        "other-quantities",
        "hidden-columns",
    ]


def test_a_hidden_column_that_is_the_only_one_is_read_with_a_warning() -> None:
    assert finding_places(hidden(ONE, 3)) == [("hidden-column-read", "warning", "C1")]


RANGES: dict[str, tuple[Rows, tuple[str, str], str]] = {
    "minimum and maximum": (
        [("INCI", "Min %", "Max %"), ("Aqua", "q.s.", "q.s."), ("Parfum", 1, 2)],
        ("1", "2"),
        "1\u20132",
    ),
    "in Chinese": (
        [("成分", "最小值 %", "最大值 %"), ("水", "適量", ""), ("Parfum", 1, 2)],
        ("1", "2"),
        "1\u20132",
    ),
    "with a target": (
        [
            ("INCI", "Min %", "Target %", "Max %"),
            ("Aqua", "", "q.s. to 100", ""),
            ("Parfum", 1, 1.5, 2),
        ],
        ("1", "2"),
        "1.5 (1\u20132)",
    ),
    "exact alone": (
        [
            ("INCI", "Min %", "Max %", "Exact %"),
            ("Aqua", "q.s.", "", ""),
            ("Parfum", "", "", 1.5),
        ],
        ("1.5", "1.5"),
        "1.5",
    ),
    "a maximum alone": (
        [("INCI", "Min %", "Max %"), ("Aqua", "q.s.", ""), ("Parfum", "", 2)],
        ("0", "2"),
        "≤ 2",
    ),
}


@pytest.mark.parametrize("name", RANGES)
def test_minimum_maximum_and_exact_are_one_range(name: str) -> None:
    rows, bounds, text = RANGES[name]

    formula = parse_rows(rows)

    line = formula.lines[1]
    assert shares_by_name(formula)["Parfum"] == bounds
    assert line.percent_text == text
    assert finding_places(formula) == []


def test_a_value_outside_its_own_range_is_blocking() -> None:
    rows = [("INCI", "Min %", "Max %", "Exact %"), ("Aqua", "", "", "q.s.")]

    formula = parse_rows([*rows, ("Parfum", 1, 2, 3), ("Talc", 5, 4, "")])

    assert finding_places(formula) == [
        ("range-contradicts", "blocking", "D3"),
        ("range-contradicts", "blocking", "B4"),
    ]


CLEAR: dict[str, tuple[str, str]] = {
    "Final": ("Draft", "Final"),
    "words of warning": ("Formula (do not use)", "Sheet2"),
    "a newer version": ("Formula v2", "Formula v10"),
    "traditional": ("舊版", "配方"),
    "simplified": ("旧版", "最终版"),
    "a table of other things": ("Costing", "Sheet1"),
    "raw materials": ("Raw materials", "Sheet1"),
}


@pytest.mark.parametrize("case", CLEAR)
@pytest.mark.parametrize("is_first", [True, False])
def test_the_name_of_a_sheet_decides_in_any_order(case: str, *, is_first: bool) -> None:
    former, current = CLEAR[case]
    sheets = [sheet_of(OTHER, name=former), sheet_of(ONE, name=current)]

    formula = parse_formula(book_of(*sheets[:: 1 if is_first else -1]), SOURCE)

    assert formula.sheet == current
    assert note_codes(formula) == ["sheet-chosen", "other-sheets"]
    assert finding_places(formula) == []


def test_two_sheets_that_may_both_be_the_formula_are_asked_about() -> None:
    book = book_of(sheet_of(ONE, name="Day"), sheet_of(OTHER, name="Night"))

    formula = parse_formula(book, SOURCE)

    assert (formula.sheet, formula.lines) == ("", ())
    assert finding_places(formula) == [("ambiguous-sheet", "blocking", None)]
    assert "Day, Night" in formula.findings[0].message.en
    assert parse_formula(book, SOURCE, sheet="Night").sheet == "Night"


def test_equal_formulas_on_two_sheets_are_no_question() -> None:
    book = book_of(sheet_of(ONE, name="Day"), sheet_of(ONE, name="Copy for Mei"))

    assert len(parse_formula(book, SOURCE).lines) == 2


def test_sheets_that_differ_only_in_the_share_of_raw_materials_are_asked_about() -> (
    None
):
    head = ("Raw material % w/w", "INCI", "% in raw material")
    sheets = [
        sheet_of(
            [head, (water, "Aqua", 100), (100 - water, "Glycerin", 100)], name=name
        )
        for water, name in ((95, "Formula"), (90, "Formula (2)"))
    ]

    formula = parse_formula(book_of(*sheets), SOURCE)

    assert finding_places(formula) == [("ambiguous-sheet", "blocking", None)]


@pytest.mark.parametrize("first", ["q.s. to 100", 95])
def test_a_sheet_that_may_hold_a_part_of_the_formula_blocks(first: Any) -> None:
    rows = [HEAD, ("Aqua", "", first), ("Glycerin", "", 4)]
    part = [HEAD, ("Parfum", "", 0.5)]

    formula = parse_formula(
        book_of(sheet_of(rows, name="Main"), sheet_of(part, name="Phase B")), SOURCE
    )

    assert ("sheet-not-read", "blocking", None) in finding_places(formula)


def test_a_sheet_that_repeats_some_of_the_lines_is_only_noted() -> None:
    rows = [HEAD, ("Aqua", "", "q.s."), ("Parfum", "", 1)]
    summary = [HEAD, ("Parfum", "", 1)]

    formula = parse_formula(
        book_of(sheet_of(rows, name="A"), sheet_of(summary, name="B")), SOURCE
    )

    assert finding_places(formula) == []
    assert note_codes(formula) == ["sheet-chosen", "other-sheets"]


SIMPLIFIED = (
    *(
        "编号",
        "相别",
        "商品名",
        "成分名称",
        "CAS号",
        "EC号",
        "供应商",
        "功能",
        "含量(%)",
    ),
)
SPELLINGS = (
    *("S.No", "Ph.", "Tradename", "I.N.C.I.", "CASRN", "EINECS/ELINCS", "Vendor"),
    *("Purpose", "Conc. (% w/w)"),
)
ROLES = ("number", "phase", "trade_name", "inci", "cas", "ec", "supplier", "function")


@pytest.mark.parametrize("header", [SIMPLIFIED, SPELLINGS], ids=["zh-Hans", "en"])
def test_headers_in_both_scripts_and_many_spellings_are_known(
    header: tuple[str, ...],
) -> None:
    row = (1, "A", "Pure", "Aqua", "7732-18-5", "231-791-2", "Sample", "Solvent", 100)

    formula = parse_rows([header, row])

    line = formula.lines[0]
    assert {role for role in ROLES if role != "inci"} <= set(formula.columns)
    assert (line.phase, line.trade_name, line.supplier) == ("A", "Pure", "Sample")
    assert (line.inci, line.cas, line.ec) == ("Aqua", "7732-18-5", "231-791-2")
    assert finding_places(formula) == []


def test_the_filling_ingredient_and_an_adjuster_are_different_things() -> None:
    rows = [HEAD, ("Aqua", "", 90), ("Glycerin", "", 5)]

    formula = parse_rows([*rows, ("Sodium Hydroxide", "", "q.s. to pH 5.5")])

    assert formula.total.upper == 95
    assert finding_places(formula) == [("total-not-100", "blocking", "C1")]
    assert "adjusters" in note_codes(formula)


@pytest.mark.parametrize(
    ("text", "cas"),
    [("9003-01-04", "9003-01-4"), ("1950-01-01", "50-01-1"), ("2001-12-03", None)],
)
def test_a_cas_number_that_became_a_date_is_restored_or_named(
    text: str, cas: str | None
) -> None:
    formula = parse_rows([HEAD, ("Carbomer", text, 100)])

    assert formula.lines[0].cas == cas
    code = "cas-restored" if cas else "cas-became-date"
    assert finding_places(formula) == [(code, "warning", "B2")]


def test_footnote_marks_are_no_digits_and_no_part_of_a_name() -> None:
    rows = [
        HEAD,
        ("Aqua", "7732-18-5\u00b9", "q.s."),
        ("Parfum\u00b2", "", "0.5\u00b3"),
    ]

    formula = parse_rows([*rows, ("Rosa Oil*", "", "1 †"), ("* organic", "", "")])

    assert shares_by_name(formula) == {
        "Aqua": ("98.5", "98.5"),
        "Parfum": ("0.5", "0.5"),
        "Rosa Oil": ("1", "1"),
    }
    assert formula.lines[0].cas == "7732-18-5"
    assert finding_places(formula) == []


PHASE_A: Rows = [HEAD, ("Aqua", "7732-18-5", 80), ("Glycerin", "56-81-5", 10)]
PHASE_B: Rows = [HEAD, ("Cetyl Alcohol", "", 8), ("Phenoxyethanol", "122-99-5", 2)]


def read_sheets(sheets: dict[str, Rows], hidden: str = "") -> ParsedFormula:
    """Return the formula of a file with these sheets."""
    book = book_of(
        *(
            sheet_of(rows, name=name, is_hidden=name == hidden)
            for name, rows in sheets.items()
        )
    )
    return parse_formula(book, SOURCE)


@pytest.mark.parametrize(
    "names", [("Phase A", "Phase B"), ("Sheet1", "Sheet2"), ("水相", "油相")]
)
def test_sheets_that_come_to_100_together_are_one_formula(
    names: tuple[str, str],
) -> None:
    first, second = names

    formula = read_sheets({first: PHASE_A, second: PHASE_B, "old": OTHER})

    assert [(line.sheet, line.cell) for line in formula.lines] == [
        *((first, "C2"), (first, "C3")),
        *((second, "C2"), (second, "C3")),
    ]
    assert [line.position for line in formula.lines] == [1, 2, 3, 4]
    assert [(table.sheet, str(table.total.upper)) for table in formula.tables] == [
        (first, "90"),
        (second, "10"),
    ]
    assert note_codes(formula)[:2] == ["sheets-joined", "other-sheets"]
    (finding,) = formula.findings
    assert finding.code == "cas-check-digit"
    assert finding.place is not None
    assert (finding.place.sheet, finding.place.cell) == (second, "B3")
    assert formula.uses[f"{second}!A2"] is CellUse.LINE


@pytest.mark.parametrize(
    ("names", "is_joined"),
    [(("Phase A", "Phase B"), True), (("Premix", "Main"), False)],
)
def test_sheets_with_one_rest_are_joined_only_where_each_is_named_as_a_part(
    names: tuple[str, str],
    is_joined: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    first, second = names
    rows = [HEAD, ("Aqua", "", "q.s. to 100"), ("Glycerin", "", 10)]

    formula = read_sheets({first: rows, second: PHASE_B})

    assert (len(formula.lines) == 4) is is_joined
    assert (
        any(each.severity == "blocking" for each in formula.findings) is not is_joined
    )


@pytest.mark.parametrize(
    ("second", "hidden"),
    [
        ([HEAD, ("Cetyl Alcohol", "", 8)], ""),
        ([HEAD, ("Cetyl Alcohol", "", 28)], ""),
        ([("Ingredient", "CAS", "Amount (%)"), ("Cetyl Alcohol", "", 10)], ""),
        ([HEAD, ("Cetyl Alcohol", "", 10)], "Phase B"),
    ],
    ids=["below", "above", "headers", "hidden"],
)
def test_sheets_that_prove_no_whole_are_not_joined(second: Rows, hidden: str) -> None:
    formula = read_sheets({"Phase A": PHASE_A, "Phase B": second}, hidden)

    assert "Cetyl Alcohol" not in shares_by_name(formula)
    assert any(each.severity == "blocking" for each in formula.findings)


def test_a_part_beside_a_complete_formula_is_a_warning() -> None:
    formula = read_sheets({"Formula": ONE, "Phase B": PHASE_B})

    assert finding_places(formula) == [("sheet-not-read", "warning", None)]
