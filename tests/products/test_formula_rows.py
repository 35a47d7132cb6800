"""Rows that are no ingredients, and ingredients that no reading may lose."""

from typing import Any

import pytest
from tests.factories.grids import (
    finding_places,
    note_codes,
    parse_rows,
    shares_by_name,
)

HEAD = ("INCI", "%")
OPEN = [HEAD, ("Aqua", "q.s. to 100"), ("Glycerin", 5), ("Phenoxyethanol", 1)]
CLOSED = [HEAD, ("Aqua", 94), ("Glycerin", 5), ("Phenoxyethanol", 1)]
FIGURES = [
    *("Loss on drying", "Overage", "Safety factor", "Dilution", "Evaporation"),
    *("Ambient humidity", "Brix", "Freight", "Exchange rate", "MOQ", "Drum size"),
    *("Sensory score", "Panelists", "TEWL", "Cooling rate", "Hydration (%)"),
    *("pH of finished product", "pH調整後", "점도", "比重", "Colour index", "Grade B"),
]


@pytest.mark.parametrize("rows", [OPEN, CLOSED], ids=["rest", "closed"])
@pytest.mark.parametrize("label", FIGURES)
def test_a_last_row_that_names_no_substance_is_no_ingredient(
    rows: list[tuple[Any, ...]], label: str
) -> None:
    formula = parse_rows([*rows, (label, 3)])

    assert list(shares_by_name(formula)) == ["Aqua", "Glycerin", "Phenoxyethanol"]
    is_named = "properties" in note_codes(formula)
    assert is_named or finding_places(formula)[0][::2] == ("row-unclear", "B5")


@pytest.mark.parametrize(
    "name",
    [
        *("Cera Alba", "Honey", "BHT", "CI 77491", "Zea Mays", "Mica", "Nylon-12"),
        *("蘆薈", "防腐劑", "글리세린", "グリセリン", "Глицерин", "Royal Jelly"),
    ],
)
def test_a_last_row_that_names_a_substance_is_an_ingredient(name: str) -> None:
    formula = parse_rows([*OPEN, (name, 3)])

    assert shares_by_name(formula)[name] == ("3", "3")
    assert finding_places(formula) == []


def test_a_last_row_that_the_formula_needs_to_reach_100_is_an_ingredient() -> None:
    rows = [HEAD, ("Aqua", 94), ("Glycerin", 5), ("Secret blend B", 1)]

    assert "Secret blend B" in shares_by_name(parse_rows(rows))


@pytest.mark.parametrize("label", ["합계", "Suma", "Net total", "總重", "Σ", "Somme"])
def test_a_total_is_known_in_other_languages(label: str) -> None:
    formula = parse_rows([*OPEN, (label, 100)])

    assert list(shares_by_name(formula)) == ["Aqua", "Glycerin", "Phenoxyethanol"]
    assert finding_places(formula) == []


@pytest.mark.parametrize(
    "rows",
    [
        [
            ("Phase A", 90),
            ("Aqua", 80),
            ("Glycerin", 10),
            ("Phase B", 10),
            ("Talc", 10),
        ],
        [
            ("Aqua", 80),
            ("Glycerin", 10),
            ("Phase A", 90),
            ("Talc", 10),
            ("Phase B", 10),
        ],
        [("油相", 20), ("Glycerin", 20), ("水相", 80), ("Aqua", "q.s. to 100")],
    ],
)
def test_the_sum_of_a_phase_stands_above_or_below_its_rows(
    rows: list[tuple[Any, ...]],
) -> None:
    formula = parse_rows([HEAD, *rows])

    assert not {"Phase A", "Phase B", "油相", "水相"} & shares_by_name(formula).keys()
    assert finding_places(formula) == []


@pytest.mark.parametrize("label", ["Oil phase", "油相", "Part X"])
@pytest.mark.parametrize("first", [85, "q.s. to 100"])
def test_a_phase_whose_quantity_is_no_sum_is_reported(label: str, first: Any) -> None:
    rows = [("Aqua", first), ("Glycerin", 10), (label, 3), ("Phenoxyethanol", 2)]

    formula = parse_rows([HEAD, *rows])

    assert ("row-unclear", "blocking", "B4") in finding_places(formula)


def test_a_word_after_phase_makes_an_ingredient() -> None:
    rows = [("Aqua", 97), ("Water phase stabiliser", 1), ("Glycerin", 2)]

    assert "Water phase stabiliser" in shares_by_name(parse_rows([HEAD, *rows]))


@pytest.mark.parametrize("name", ["PEG-40 Hydrogenated", "Castor Oil", "Sodium"])
def test_a_name_alone_between_ingredients_is_reported(name: str) -> None:
    rows = [HEAD, ("Aqua", 95), (name, ""), ("Glycerin", 5)]

    assert finding_places(parse_rows(rows)) == [
        ("name-without-quantity", "warning", "A3")
    ]


@pytest.mark.parametrize("heading", ["Preservatives", "Oils:", "Phase B", "* organic"])
def test_a_heading_between_ingredients_is_not_reported(heading: str) -> None:
    rows = [HEAD, ("Aqua", 95), (heading, ""), ("Glycerin", 5)]

    assert finding_places(parse_rows(rows)) == []


def test_a_substance_with_a_share_above_the_header_blocks_a_formula_with_a_rest() -> (
    None
):
    formula = parse_rows([("Parfum", 0.3), (), *OPEN])

    assert finding_places(formula) == [("row-not-read", "blocking", "B1")]


def test_an_incomplete_composition_keeps_all_its_ingredients() -> None:
    formula = parse_rows(
        [
            ("Trade name", "% RM", "INCI", "% in RM"),
            ("Water", 90, "Aqua", 100),
            ("Mix", 10, "Glycerin", 50),
            ("", "", "Phenoxyethanol", 40),
        ]
    )

    assert shares_by_name(formula) == {
        "Aqua": ("90", "90"),
        "Glycerin": ("5", "5"),
        "Phenoxyethanol": ("4", "4"),
    }
    assert ("mixture-not-100", "warning", "B3") in finding_places(formula)


@pytest.mark.parametrize("is_share_merged", [True, False])
@pytest.mark.parametrize(
    "listed",
    ["Glycerin 60%\nAqua 40%", "Glycerin 60%\nAqua 30%\nPhenoxyethanol 10%"],
)
def test_listed_shares_in_a_cell_over_two_rows_are_all_read(
    listed: str,
    is_share_merged: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    merged = [(2, 1, 3, 1), (2, 2, 3, 2)]
    if is_share_merged:
        merged.append((2, 3, 3, 3))

    formula = parse_rows(
        [
            ("Trade name", "INCI", "% w/w"),
            ("Mix A", listed, 10),
            (),
            ("Oil", "Squalane", 90),
        ],
        merged,
    )

    assert len(formula.lines) == len(listed.split("\n")) + 1
    assert shares_by_name(formula)["Glycerin"] == ("6", "6")
    assert sum(line.percent_lower for line in formula.lines) == 100


@pytest.mark.parametrize(
    ("text", "is_adjuster"),
    [
        *(
            (each, False)
            for each in ("100 (q.s.)", "auf 100", "→ 100", "reste", "残量", "残部")
        ),
        *(
            (each, True)
            for each in ("pH 5.5 q.s.", "適量(調節pH)", "q.s. for pH 6-6.5")
        ),
    ],
)
def test_a_rest_is_known_in_other_words(text: str, is_adjuster: bool) -> None:  # noqa: FBT001
    formula = parse_rows([HEAD, ("Aqua", 94), ("Glycerin", 5), ("Citric Acid", text)])

    assert formula.lines[2].is_qs
    assert formula.total.lower == (99 if is_adjuster else 100)


def test_grouped_thousands_of_ppm_are_no_decimals() -> None:
    rows = [("Aqua", "940,000"), ("Glycerin", "60,000")]

    assert shares_by_name(parse_rows([("INCI", "ppm"), *rows]))["Aqua"] == ("94", "94")


@pytest.mark.parametrize(
    "text", ["c.s.p. 100", "q.b. a 100", "잔량", "qsp 100", "100 q.s.", "ad 100,0"]
)
def test_a_rest_is_known_in_other_languages(text: str) -> None:
    rows = [HEAD, ("Aqua", text), ("Glycerin", 5), ("Phenoxyethanol", 1)]

    assert shares_by_name(parse_rows(rows))["Aqua"] == ("94", "94")


@pytest.mark.parametrize(
    "label", ["of which Linalool", "- thereof Linalool", "其中：芳樟醇"]
)
def test_a_part_of_the_row_above_counts_no_second_time(label: str) -> None:
    head = ("INCI", "CAS", "%")
    rows = [("Aqua", "7732-18-5", "q.s."), ("Parfum", "", 1), (label, "78-70-6", 0.1)]

    formula = parse_rows([head, *rows])

    assert list(shares_by_name(formula)) == ["Aqua", "Parfum"]
    assert finding_places(formula) == [("row-unclear", "blocking", "C4")]


def test_a_row_of_units_below_the_header_belongs_to_it() -> None:
    formula = parse_rows(
        [("INCI", "Content"), ("", "ppm"), ("Aqua", 940000), ("Glycerin", 60000)]
    )

    assert shares_by_name(formula) == {"Aqua": ("94", "94"), "Glycerin": ("6", "6")}


def test_a_total_directly_below_the_header_heads_the_formula() -> None:
    formula = parse_rows([HEAD, ("Total", 100), *CLOSED[1:]])

    assert len(formula.lines) == 3
    assert finding_places(formula) == []


def test_names_with_their_cas_numbers_in_one_row_are_a_mixture() -> None:
    rows = [("Aqua", "", 94), ("Glycerin\nPhenoxyethanol", "56-81-5\n122-99-6", 6)]

    formula = parse_rows([("INCI", "CAS", "%"), *rows])

    assert finding_places(formula) == [("mixture-not-exploded", "warning", "A3")]
