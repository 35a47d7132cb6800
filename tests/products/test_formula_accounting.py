"""Every cell of a sheet is accounted for, whatever it holds; tidy sheets stay clean."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.grids import (
    SOURCE,
    book_of,
    finding_places,
    parse_rows,
    shares_by_name,
    sheet_of,
)

from dossier.core.findings import Severity
from dossier.core.spreadsheets import Cell, Sheet
from dossier.products.exceptions import FormulaTooLongError, NoFormulaFoundError
from dossier.products.formula_import.accounting import CellUse
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula

HEAD = ("INCI", "CAS No.", "% w/w")
WATER = ("Aqua", "7732-18-5", "q.s. to 100")
GLYCERIN = ("Glycerin", "56-81-5", 5)
PRESERVATIVE = ("Phenoxyethanol", "122-99-6", 1)
Rows = list[tuple[Any, ...]]


def contents(sheet: Sheet) -> set[str]:
    return {
        cell.address
        for cell in sheet.cells
        if cell.merged_from is None and (cell.text or cell.formula or cell.struck_text)
    }


def assert_accounted(formula: ParsedFormula, sheet: Sheet) -> None:
    assert set(formula.uses) == contents(sheet)


WORDS = st.sampled_from(
    [
        *(
            "",
            "",
            "",
            "INCI",
            "Ingredient",
            "% w/w",
            "CAS",
            "Phase",
            "Aqua",
            "Glycerin",
        ),
        *("q.s.", "5", "0..5", "1-5", "1.2, 3.4", "#REF!", "Total", "Phase B", "pH"),
        *("7732-18-5", "2024-01-05", "成分", "含量%", "水", "合計", "Min %", "Max %"),
        *(
            "Old %",
            "Trade name",
            "% in raw material",
            "A 90%\nB 10%",
            "see note",
            "trace",
        ),
        *(5, 0.3, 95, 100, 12000, "Allergens", "Part B", "≤ 0.1", "Approved by"),
    ]
)


@st.composite
def any_sheets(draw: st.DrawFn) -> Sheet:
    """Draw a sheet of words that formulas hold, in any order, with merged cells."""
    width = draw(st.integers(1, 6))
    rows = draw(st.lists(st.lists(WORDS, min_size=width, max_size=width), max_size=14))
    if draw(st.booleans()):
        rows = [list(HEAD), list(WATER), *rows]
    merged = []
    if draw(st.booleans()) and len(rows) > 2:
        column = draw(st.integers(1, width))
        top = draw(st.integers(1, len(rows) - 1))
        merged = [(top, column, top + 1, column)]
    sheet = sheet_of(rows, merged)
    hidden = draw(st.lists(st.integers(1, 14), max_size=2))
    cells = [
        replace(cell, text="", number=None, struck_text=cell.text)
        if draw(st.integers(0, 20)) == 0 and not cell.merged_from
        else cell
        for cell in sheet.cells
    ]
    return replace(sheet, cells=cells, hidden_rows=hidden, hidden_columns=hidden[:1])


@given(any_sheets())
def test_no_cell_is_lost_and_nothing_raises(sheet: Sheet) -> None:
    try:
        formula = parse_formula(book_of(sheet), SOURCE)
    except (NoFormulaFoundError, FormulaTooLongError):
        return

    assert_accounted(formula, sheet)


NAMES = (
    *("Aqua", "Glycerin", "Parfum", "Tocopherol", "Panthenol", "Sodium Hyaluronate"),
    *("1,2-Hexanediol", "Caprylic/Capric Triglyceride", "Citric Acid", "Carbomer"),
    *(
        "Butyrospermum Parkii Butter",
        "CI 77891",
        "甘油",
        "PEG-40 Hydrogenated Castor Oil",
    ),
)
TEXT_COLUMNS = {
    "number": ("No.", "項次", "序号"),
    "phase": ("Phase", "相別", "相别"),
    "cas": ("CAS No.", "CAS號碼", "CAS号"),
    "ec": ("EINECS", "EC No.", "EC号"),
    "function": ("Function", "用途", "功能"),
    "supplier": ("Supplier", "供應商", "供应商"),
    "remark": ("Remarks", "備註", "备注"),
}


@st.composite
def tidy_sheets(draw: st.DrawFn) -> tuple[Rows, dict[str, Decimal]]:
    """Draw an ordinary sheet and the shares that it states."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=9, unique=True))
    parts = draw(
        st.lists(st.integers(1, 900), min_size=len(names) - 1, max_size=len(names) - 1)
    )
    shares = [Decimal(part) / 100 for part in parts]
    shares = [Decimal(100) - sum(shares), *shares]
    has_rest = draw(st.booleans())
    columns = draw(st.lists(st.sampled_from(sorted(TEXT_COLUMNS)), unique=True))
    columns.insert(draw(st.integers(0, len(columns))), "name")
    columns.insert(draw(st.integers(0, len(columns))), "percent")
    headers = {
        "name": draw(st.sampled_from(["INCI Name", "INCI", "成分名稱", "成分名称"])),
        "percent": draw(st.sampled_from(["% w/w", "含量(%)", "Content %", "wt %"])),
    } | {key: draw(st.sampled_from(words)) for key, words in TEXT_COLUMNS.items()}
    titles: Rows = [("Rose cream",), ("Formula no.: RC-12",)]
    rows = titles[: draw(st.integers(0, 2))]
    if draw(st.booleans()):
        rows.append(())
    rows.append(tuple(headers[column] for column in columns))
    for position, (name, share) in enumerate(zip(names, shares, strict=True)):
        if draw(st.integers(0, 5)) == 0:
            rows.append(())
        first = "q.s. to 100" if has_rest and position == 0 else float(share)
        values = {
            "name": name,
            "percent": first,
            "number": position + 1,
            "phase": "AB"[position > 1],
            "cas": "",
            "ec": "",
            "function": "Humectant",
            "supplier": "Sample Ltd",
            "remark": "purified",
        }
        rows.append(tuple(values[column] for column in columns))
    if draw(st.booleans()):
        labels = dict.fromkeys(columns, "") | {"name": "Total", "percent": 100}
        rows.append(tuple(labels[column] for column in columns))
    if draw(st.booleans()):
        rows += [(), ("Prepared by: Mei Lin",), ("Date: 2025-03-01",)]
    return rows, dict(zip(names, shares, strict=True))


@given(tidy_sheets())
def test_a_tidy_sheet_is_read_without_a_finding(
    sheet: tuple[Rows, dict[str, Decimal]],
) -> None:
    rows, shares = sheet

    formula = parse_rows(rows)

    found = {line.inci: line.percent_lower for line in formula.lines}
    assert found == shares
    assert finding_places(formula) == []
    assert_accounted(formula, sheet_of(rows))


REPORTED: dict[str, tuple[Rows, list[tuple[str, str, str | None]]]] = {
    "a second table with a header of its own": (
        [HEAD, WATER, (), ("Ingredient", "Percentage"), ("Parfum", 0.3)],
        [("table-not-read", "blocking", "A4")],
    ),
    "a table beside": (
        [(*HEAD, "", *HEAD), (*WATER, "", *PRESERVATIVE)],
        [("table-not-read", "blocking", "E1")],
    ),
    "a line below the total": (
        [HEAD, WATER, ("Total", "", 100), PRESERVATIVE],
        [("row-not-read", "blocking", "C4")],
    ),
    "a line below a total that is met without a rest": (
        [HEAD, ("Aqua", "", 100), ("Total", "", 100), PRESERVATIVE],
        [("row-not-read", "warning", "C4")],
    ),
    "a figure that may be an ingredient": (
        [HEAD, WATER, ("Holding (min)", "", 10)],
        [("row-unclear", "blocking", "C3")],
    ),
    "a quantity without a name": (
        [HEAD, WATER, ("", "", 3)],
        [("quantity-without-name", "blocking", "C3")],
    ),
    "numbers beside the table": (
        [("Rose cream", 12), (), HEAD, WATER],
        [("numbers-not-read", "warning", "B1")],
    ),
    "a table of revisions": (
        [HEAD, WATER, (), ("Rev", "Date", "Change"), (1, 45000, "first")],
        [("numbers-not-read", "warning", "A5")],
    ),
    "a column that nobody knows": (
        [("INCI", "%", "Zzz"), ("Aqua", 95, "x"), ("Glycerin", 5, "y")],
        [("unknown-column", "info", "C1")],
    ),
    "numbers in a column that nobody knows": (
        [("INCI", "%", "Zzz"), ("Aqua", 95, 1), ("Glycerin", 5, 2)],
        [("unknown-column", "warning", "C1")],
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_what_is_not_read_is_reported_with_its_cell(name: str) -> None:
    rows, expected = REPORTED[name]

    formula = parse_rows(rows)

    assert finding_places(formula) == expected
    assert_accounted(formula, sheet_of(rows))


@pytest.mark.parametrize("gap", [1, 8, 200])
def test_rows_below_a_gap_of_any_length_are_read(gap: int) -> None:
    formula = parse_rows([HEAD, WATER, *[()] * gap, PRESERVATIVE])

    assert shares_by_name(formula)["Aqua"] == ("99", "99")


PARTS: dict[str, Rows] = {
    "below, named as parts": [
        ("Part A",),
        HEAD,
        WATER,
        GLYCERIN,
        (),
        ("Part B",),
        ("Ingredient", "CAS", "Percentage"),
        PRESERVATIVE,
    ],
    "beside, named as phases": [
        ("A相", "", "", "", "B相"),
        (*HEAD, "", *HEAD),
        (*WATER, "", *PRESERVATIVE),
        (*GLYCERIN, "", "", "", ""),
    ],
    "100 only together": [
        HEAD,
        ("Aqua", "", 94),
        GLYCERIN,
        (),
        ("Ingredient", "Percentage"),
        ("Phenoxyethanol", 1),
    ],
}


@pytest.mark.parametrize("name", PARTS)
def test_tables_that_are_parts_of_one_formula_are_joined(name: str) -> None:
    formula = parse_rows(PARTS[name])

    assert shares_by_name(formula) == {
        "Aqua": ("94", "94"),
        "Glycerin": ("5", "5"),
        "Phenoxyethanol": ("1", "1"),
    }
    assert len(formula.tables) == 2
    assert finding_places(formula) == []
    assert_accounted(formula, sheet_of(PARTS[name]))


PROPERTIES = (
    *(
        "SPF",
        "pH",
        "pH (25 °C)",
        "Viscosity (cps)",
        "Batch size (kg)",
        "Yield",
        "Yield %",
    ),
    *("Specific gravity", "Mixing temperature", "Shelf life (months)", "Cost per kg"),
    *("批量(kg)", "黏度", "粘度", "产率", "温度", "單位成本", "比重", "酸鹼值"),
)


@pytest.mark.parametrize("label", PROPERTIES)
def test_a_property_of_the_product_is_no_ingredient(label: str) -> None:
    formula = parse_rows([HEAD, WATER, GLYCERIN, (label, "", 12000)])

    assert list(shares_by_name(formula)) == ["Aqua", "Glycerin"]
    assert finding_places(formula) == []
    assert formula.uses["A4"] is CellUse.PROPERTY


@pytest.mark.parametrize(
    "name", ["pH Adjuster", "Yield Improver", "Batch Dye", "Viscosity Modifier"]
)
def test_a_row_with_a_cas_number_is_an_ingredient_whatever_its_name(name: str) -> None:
    formula = parse_rows([HEAD, WATER, (name, "56-81-5", 5)])

    assert shares_by_name(formula)[name] == ("5", "5")


@pytest.mark.parametrize(
    "title", ["Allergens", "過敏原", "Heavy metals", "Specifications"]
)
def test_a_titled_table_of_another_kind_is_noted_and_not_read(title: str) -> None:
    rows = [HEAD, WATER, ("Total", "", 100), (), (title,), HEAD, PRESERVATIVE]

    formula = parse_rows(rows)

    assert finding_places(formula) == []
    assert [note.code for note in formula.notes] == ["other-tables"]
    assert formula.uses["C7"] is CellUse.OTHER_TABLE


def test_crossed_out_text_is_noted_and_never_a_value() -> None:
    cells = [
        *sheet_of([HEAD, WATER, ("Parfum",)]).cells,
        Cell(row=3, column=3, struck_text="0.3"),
        Cell(row=4, column=1, struck_text="Talc"),
        Cell(row=4, column=3, struck_text="2"),
    ]
    sheet = Sheet(name="F", cells=cells)

    formula = parse_formula(book_of(sheet), SOURCE)

    assert finding_places(formula) == [("missing-quantity", "blocking", "A3")]
    assert formula.notes[0].en.endswith("C3 0.3, A4 Talc, C4 2.")
    assert_accounted(formula, sheet)


def hidden_rows(last: Any, first: Any = 95) -> ParsedFormula:
    rows = [("INCI", "%"), ("Aqua", first), ("Glycerin", 5), ("Talc", last)]
    return parse_formula(book_of(replace(sheet_of(rows), hidden_rows=[4])), SOURCE)


def test_hidden_rows_are_left_out_where_the_sum_shows_that_they_do_not_belong() -> None:
    formula = hidden_rows(3)

    assert list(shares_by_name(formula)) == ["Aqua", "Glycerin"]
    assert finding_places(formula) == [("hidden-rows-left-out", "warning", None)]
    assert formula.uses["B4"] is CellUse.REPORTED


def test_hidden_rows_are_read_where_the_sum_needs_them_or_cannot_tell() -> None:
    assert finding_places(hidden_rows(3, first=92)) == []
    assert finding_places(hidden_rows(3, first="q.s.")) == [
        ("hidden-rows-read", "warning", None)
    ]


def test_an_unreadable_finding_names_its_reason_in_both_languages() -> None:
    rows = [HEAD, WATER, ("A", "", "1.2, 3.4"), ("B", "", "0..5"), ("C", "", "#DIV/0!")]

    found = parse_rows(rows).findings

    assert all(each.severity is Severity.BLOCKING for each in found)
    assert [each.message.en.partition(": ")[2] for each in found] == [
        "the cell holds two or more values.",
        "decimal marks are doubled or mixed.",
        "the cell shows the error of a formula.",
    ]
    assert "錯誤值" in found[2].message.zh


STACKED: dict[str, tuple[Rows, list[tuple[str, str, str | None]]]] = {
    "out of date below": (
        [("New formula",), HEAD, WATER, GLYCERIN, (), ("OLD",), HEAD, WATER],
        [],
    ),
    "out of date above": (
        [("OLD",), HEAD, WATER, PRESERVATIVE, (), ("New",), HEAD, WATER, GLYCERIN],
        [],
    ),
    "two products": (
        [("Day",), HEAD, WATER, GLYCERIN, (), ("Night",), HEAD, WATER, PRESERVATIVE],
        [("table-not-read", "blocking", "A7")],
    ),
    "the same names without titles": (
        [HEAD, WATER, GLYCERIN, (), HEAD, WATER, ("Glycerin", "", 9)],
        [("table-not-read", "blocking", "A5")],
    ),
}


@pytest.mark.parametrize("name", STACKED)
def test_one_of_two_formulas_on_a_sheet_is_read(name: str) -> None:
    rows, expected = STACKED[name]

    formula = parse_rows(rows)

    assert shares_by_name(formula)["Aqua"] == ("95", "95")
    assert len(formula.lines) == 2
    assert finding_places(formula) == expected
    assert_accounted(formula, sheet_of(rows))


def test_a_header_repeated_under_the_same_title_continues_the_formula() -> None:
    rows = [("Rose",), HEAD, WATER, GLYCERIN, ("Rose",), HEAD, PRESERVATIVE]

    assert shares_by_name(parse_rows(rows))["Aqua"] == ("94", "94")


def test_a_hidden_sheet_is_read_only_where_there_is_no_other() -> None:
    shown = sheet_of([HEAD, WATER, GLYCERIN], name="Shown")
    unseen = sheet_of([HEAD, WATER, PRESERVATIVE], name="Unseen", is_hidden=True)

    both = parse_formula(book_of(unseen, shown), SOURCE)
    alone = parse_formula(book_of(unseen), SOURCE)

    assert both.sheet == "Shown"
    assert [note.code for note in both.notes] == ["hidden-sheets"]
    assert finding_places(alone) == [("hidden-sheet-read", "warning", None)]


def test_last_rows_that_state_less_than_all_others_may_be_figures() -> None:
    rows = [
        ("Phase", "INCI", "CAS", "% w/w", "Function"),
        ("A", "Aqua", "7732-18-5", "q.s.", "Solvent"),
        ("B", "Glycerin", "56-81-5", 5, "Humectant"),
        ("", "Parfum", "", 0.3, ""),
        ("", "Slip index", "", 12, ""),
    ]

    formula = parse_rows(rows)

    assert list(shares_by_name(formula)) == ["Aqua", "Glycerin", "Parfum"]
    assert finding_places(formula) == [("row-unclear", "blocking", "D5")]
