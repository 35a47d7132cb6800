"""Raw materials become ingredients: what each stated per cent is a share of."""

from typing import Any

import pytest
from tests.factories.grids import (
    Area,
    finding_places,
    note_codes,
    parse_rows,
    shares_by_name,
)

from dossier.products.formula_import.types import HUNDRED

Rows = list[tuple[Any, ...]]
HEAD = ("Trade name", "Raw material %", "INCI", "% in raw material")
EXPECTED = {
    "Aqua": ("90", "90"),
    "Glycerin": ("7", "7"),
    "Parfum": ("3", "3"),
}


@pytest.mark.parametrize("style", ["blank", "merged", "repeated"])
def test_a_composition_is_multiplied(style: str) -> None:
    repeated = style == "repeated"
    rows: Rows = [
        HEAD,
        ("Water", 90, "Aqua", 100),
        ("RoseMix", 10, "Glycerin", 70),
        ("RoseMix" if repeated else "", 10 if repeated else "", "Parfum", 30),
    ]
    areas: list[Area] = [(3, 1, 4, 1), (3, 2, 4, 2)] if style == "merged" else []

    formula = parse_rows(rows, areas)

    assert shares_by_name(formula) == EXPECTED
    assert note_codes(formula) == ["sub-percentages-raw"]
    assert finding_places(formula) == []
    assert [line.trade_name for line in formula.lines] == [
        "Water",
        "RoseMix",
        "RoseMix",
    ]
    assert [line.cell for line in formula.lines] == ["B2", "D3", "D4"]


def test_shares_of_the_product_are_not_multiplied_again() -> None:
    formula = parse_rows(
        [
            ("Trade name", "% w/w", "INCI", "Mixture %"),
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 7, "Glycerin", 70),
            ("RoseMix", 3, "Parfum", 30),
        ]
    )

    assert shares_by_name(formula) == EXPECTED
    assert note_codes(formula) == ["sub-percentages-outer"]


def test_a_composition_column_that_holds_shares_of_the_product_is_recognised() -> None:
    formula = parse_rows(
        [
            HEAD,
            ("Water", 90, "Aqua", 90),
            ("RoseMix", 10, "Glycerin", 7),
            ("", "", "Parfum", 3),
        ]
    )

    assert shares_by_name(formula) == EXPECTED
    assert note_codes(formula) == ["sub-percentages-inner"]


@pytest.mark.parametrize(("first", "second"), [(70, 30), (7, 3)])
def test_one_column_holds_raw_materials_and_their_ingredients(
    first: int, second: int
) -> None:
    formula = parse_rows(
        [
            ("Trade name", "INCI", "%"),
            ("Water", "Aqua", 90),
            ("RoseMix", "", 10),
            ("", "Glycerin", first),
            ("", "Parfum", second),
        ]
    )

    assert shares_by_name(formula) == EXPECTED
    assert finding_places(formula) == []


def test_a_stated_share_of_the_product_is_taken_and_checked() -> None:
    formula = parse_rows(
        [
            (*HEAD, "% in product"),
            ("Water", 90, "Aqua", 100, 90),
            ("RoseMix", 10, "Glycerin", 70, 7),
            ("", "", "Parfum", 30, 2),
        ]
    )

    assert shares_by_name(formula)["Parfum"] == ("2", "2")
    assert ("explosion-mismatch", "warning", "E4") in finding_places(formula)


def test_a_rest_is_divided_by_the_composition_of_its_raw_material() -> None:
    formula = parse_rows(
        [
            HEAD,
            ("Rose water", "q.s. to 100", "Aqua", 99),
            ("", "", "Parfum", 1),
            ("Glycerin", 10, "Glycerin", 100),
        ]
    )

    assert shares_by_name(formula)["Aqua"] == ("89.1", "89.1")
    assert shares_by_name(formula)["Parfum"] == ("0.9", "0.9")


def test_ranges_inside_a_composition_keep_the_total_of_the_raw_material() -> None:
    formula = parse_rows(
        [
            HEAD,
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 10, "Glycerin", "60-80"),
            ("", "", "Parfum", "20-40"),
        ]
    )

    assert shares_by_name(formula)["Glycerin"] == ("6", "8")
    assert (formula.total.lower, formula.total.upper) == (HUNDRED, HUNDRED)
    assert finding_places(formula) == []


def test_a_rest_inside_a_composition_takes_what_is_left() -> None:
    formula = parse_rows(
        [
            HEAD,
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 10, "Glycerin", "q.s. to 100"),
            ("", "", "Parfum", 30),
        ]
    )

    assert shares_by_name(formula) == EXPECTED


def test_an_incomplete_composition_is_a_finding() -> None:
    formula = parse_rows(
        [
            HEAD,
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 10, "Glycerin", 70),
            ("", "", "Parfum", 29.5),
        ]
    )

    assert ("mixture-not-100", "warning", "B3") in finding_places(formula)


def test_water_in_two_extracts_is_no_duplicate() -> None:
    formula = parse_rows(
        [
            HEAD,
            ("Extract one", 50, "Aqua", 99),
            ("", "", "Rosa Extract", 1),
            ("Extract two", 50, "Aqua", 98),
            ("", "", "Iris Extract", 2),
        ]
    )

    assert finding_places(formula) == []


def test_ingredients_stacked_in_one_cell_become_separate_lines() -> None:
    formula = parse_rows(
        [
            (*HEAD, "CAS"),
            ("Water", 90, "Aqua", 100, "7732-18-5"),
            ("RoseMix", 10, "Glycerin\nParfum", "70\n30", "56-81-5\n-"),
        ]
    )

    assert shares_by_name(formula) == EXPECTED
    assert [line.cas for line in formula.lines] == ["7732-18-5", "56-81-5", None]
    assert {line.trade_name for line in formula.lines} == {"Water", "RoseMix"}
    assert finding_places(formula) == []


def test_a_name_that_is_wrapped_stays_one_name() -> None:
    formula = parse_rows([("INCI", "%"), ("Caprylic/Capric\nTriglyceride", 100)])

    assert shares_by_name(formula) == {"Caprylic/Capric Triglyceride": ("100", "100")}


def test_the_total_decides_between_equal_shares_of_equal_raw_materials() -> None:
    formula = parse_rows(
        [
            ("Trade name", "%", "INCI", "Mixture %"),
            ("Water", 90, "Aqua", 100),
            ("Duo", 5, "Glycerin", 50),
            ("Duo", 5, "Parfum", 50),
        ]
    )

    assert shares_by_name(formula)["Glycerin"] == ("5", "5")
    assert formula.total.lower == HUNDRED


def test_a_stated_total_counts_raw_materials_once() -> None:
    formula = parse_rows(
        [
            ("Trade name", "INCI", "%"),
            ("Water", "Aqua", 90),
            ("RoseMix", "", 10),
            ("", "Glycerin", 70),
            ("", "Parfum", 30),
            ("Total", "", 100),
        ]
    )

    assert finding_places(formula) == []


def test_a_total_below_a_composition_is_not_compared_with_the_product() -> None:
    formula = parse_rows([HEAD, ("Water", 100, "Aqua", 100), ("Total", 100, "", 250)])

    assert finding_places(formula) == []


def test_a_stated_total_of_100_is_right_beside_a_rest() -> None:
    formula = parse_rows(
        [("INCI", "%"), ("Aqua", "q.s. to 100"), ("Parfum", 1), ("Total", 100)]
    )

    assert finding_places(formula) == []


def test_a_product_share_is_checked_only_where_it_can_be_computed() -> None:
    formula = parse_rows(
        [
            (*HEAD, "% in product"),
            ("Water", "q.s. to 100", "Aqua", 100, "q.s. to 100"),
            ("RoseMix", 10, "Glycerin", 100, 10),
        ]
    )

    assert shares_by_name(formula) == {"Aqua": ("90", "90"), "Glycerin": ("10", "10")}
    assert finding_places(formula) == []


@pytest.mark.parametrize("name", ["RoseMix", ""])
def test_a_bare_percent_beside_the_raw_material_is_its_composition(name: str) -> None:
    formula = parse_rows(
        [
            ("Trade name", "Raw material %", "INCI", "%"),
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 10, "Glycerin", 70),
            (name, 10 if name else "", "Parfum", 30),
        ]
    )

    assert shares_by_name(formula) == EXPECTED


def test_rows_without_a_raw_material_column_are_separate_ingredients() -> None:
    formula = parse_rows(
        [
            ("INCI", "% w/w", "Mixture %"),
            ("Aqua", 90, 100),
            ("Glycerin", 10, 50),
        ]
    )

    assert formula.total.upper == HUNDRED


def test_the_total_decides_for_a_table_with_an_open_composition() -> None:
    formula = parse_rows(
        [
            ("Trade name", "%", "INCI", "Mixture %"),
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 7, "Glycerin", 60),
            ("RoseMix", 3, "Parfum", 30),
        ]
    )

    assert shares_by_name(formula) == EXPECTED


def test_a_share_of_the_product_that_is_missing_is_computed() -> None:
    formula = parse_rows(
        [
            (*HEAD, "% in product"),
            ("Water", 90, "Aqua", 100, 90),
            ("RoseMix", 10, "Glycerin", 70, 7),
            ("", "", "Parfum", 30, ""),
        ]
    )

    assert shares_by_name(formula) == EXPECTED


def test_a_percent_in_the_formula_beside_a_composition_is_the_raw_material() -> None:
    formula = parse_rows(
        [
            ("Trade name", "% in formula", "INCI", "Composition %"),
            ("Water", 90, "Aqua", 100),
            ("RoseMix", 10, "Glycerin", 70),
            ("", "", "Parfum", 30),
        ]
    )

    assert shares_by_name(formula) == EXPECTED


@pytest.mark.parametrize(
    "cell",
    [
        "Phenoxyethanol (90%)\nEthylhexylglycerin (10 %)",
        "Phenoxyethanol 90%\n\nEthylhexylglycerin - 10 %",
        "Phenoxyethanol: 90 \uff05\nEthylhexylglycerin [10%]",
    ],
)
@pytest.mark.parametrize("head", ["INCI (%)", "INCI"])
def test_shares_in_the_same_cell_as_their_names_are_separated(
    head: str, cell: str
) -> None:
    rows = [
        ("Trade name", head, "% in formula", "CAS"),
        ("Euxyl", cell, 1, "122-99-6\n70445-33-9"),
        ("Water", "Aqua", 99, "7732-18-5"),
    ]

    formula = parse_rows(rows)

    assert shares_by_name(formula) == {
        "Phenoxyethanol": ("0.9", "0.9"),
        "Ethylhexylglycerin": ("0.1", "0.1"),
        "Aqua": ("99", "99"),
    }
    assert formula.lines[1].cas == "70445-33-9"
    assert finding_places(formula) == []


@pytest.mark.parametrize("scale", [1, 100])
def test_a_composition_in_fractions_is_multiplied(scale: int) -> None:
    rows = [
        ("Trade name", "INCI", "% RM in formula", "% INCI in RM"),
        ("Water", "Aqua", 0.9 * scale, 1),
        ("Blend", "Glycerin", 0.1 * scale, 0.6),
        ("", "Tocopherol", "", 0.4),
    ]

    formula = parse_rows(rows)

    assert shares_by_name(formula) == {
        "Aqua": ("90", "90"),
        "Glycerin": ("6", "6"),
        "Tocopherol": ("4", "4"),
    }
    assert finding_places(formula) == []


@pytest.mark.parametrize("has_own_share", [True, False])
def test_a_list_of_shares_that_is_merged_over_its_rows_is_one_per_row(
    *, has_own_share: bool
) -> None:
    names = "Phenoxyethanol 90%\nEthylhexylglycerin 10%"
    rows: Rows = [
        ("Trade name", "INCI (%)", "% in formula", "CAS"),
        ("Euxyl", names, 0.9 if has_own_share else 1, "122-99-6"),
        ("", "", 0.1 if has_own_share else "", "70445-33-9"),
        ("Water", "Aqua", 99, "7732-18-5"),
    ]
    areas: list[Area] = [(2, 2, 3, 2), (2, 1, 3, 1)]

    formula = parse_rows(rows, areas if has_own_share else [*areas, (2, 3, 3, 3)])

    assert shares_by_name(formula) == {
        "Phenoxyethanol": ("0.9", "0.9"),
        "Ethylhexylglycerin": ("0.1", "0.1"),
        "Aqua": ("99", "99"),
    }
    assert [line.cas for line in formula.lines][:2] == ["122-99-6", "70445-33-9"]
    assert finding_places(formula) == []


def test_a_list_that_is_merged_over_other_rows_belongs_to_the_first_of_them() -> None:
    formula = parse_rows(
        [
            ("Trade name", "INCI (%)", "% in formula"),
            ("Mix", "Talc 80%\nMica 10%\nSilica 10%", 10),
            ("", "", ""),
            ("Water", "Aqua", 90),
        ],
        [(2, 2, 3, 2), (2, 3, 3, 3)],
    )

    assert shares_by_name(formula)["Talc"] == ("8", "8")
    assert len(formula.lines) == 4


@pytest.mark.parametrize("phase", ["A", "B"])
@pytest.mark.parametrize("repeated", [10, ""])
def test_a_raw_material_that_is_added_twice_is_two_compositions(
    phase: str, repeated: Any
) -> None:
    formula = parse_rows(
        [
            ("Phase", "Trade name", "RM %", "INCI", "Composition %"),
            ("A", "Water", 80, "Aqua", 100),
            ("A", "Duo", 10, "Glycerin", 86),
            ("A", "Duo", repeated, "Aqua", 14),
            (phase, "Duo", 10, "Glycerin", 86),
            (phase, "Duo", repeated, "Aqua", 14),
        ]
    )

    assert formula.total.lower == HUNDRED
    assert [f"{line.percent_lower:f}" for line in formula.lines] == [
        *("80", "8.6", "1.4", "8.6", "1.4")
    ]
    assert "mixture-not-100" not in [code for code, _, _ in finding_places(formula)]
