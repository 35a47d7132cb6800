"""Headers in the languages of suppliers, and columns that hold two things."""

from typing import Any

import pytest
from tests.factories.grids import finding_places, parse_rows, shares_by_name

WATER, GLYCERIN, PRESERVATIVE = "7732-18-5", "56-81-5", "122-99-6"
SHARES = {"Aqua": ("94", "94"), "Glycerin": ("5", "5"), "Phenoxyethanol": ("1", "1")}


def table(*columns: tuple[Any, ...], names: str = "INCI") -> list[tuple[Any, ...]]:
    """Return a table of three ingredients with columns beside their names."""
    rows = (names, "Aqua", "Glycerin", "Phenoxyethanol")
    return [(name, *(column[at] for column in columns)) for at, name in enumerate(rows)]


@pytest.mark.parametrize(
    "header",
    [
        *("Ingredient", "Component", "Substance", "I.N.C.I.", "CTFA name"),
        *("成分", "成份", "组分", "INCI名稱", "标准中文名称"),
        *("전성분", "성분명", "INCI 명", "成分名", "表示名称"),
        *("Inhaltsstoff", "Bezeichnung", "Ingrédient", "Nombre", "Składnik", "ชื่อสาร"),
        *("Ингредиент", "Nom INCI"),
    ],
)
def test_a_column_of_names_is_known_in_other_languages(header: str) -> None:
    assert shares_by_name(parse_rows(table(("% w/w", 94, 5, 1), names=header))) == (
        SHARES
    )


@pytest.mark.parametrize(
    "header",
    [
        *("% m/m", "g/100 g", "kg/100kg", "Level", "Amount"),
        *(
            "含量",
            "配比",
            "質量分數(%)",
            "함량",
            "함유량(%)",
            "배합비",
            "配合量",
            "配合率%",
        ),
        *("Menge", "Gew.-%", "Gehalt", "Teneur", "Quantité", "Cantidad", "% p/p"),
    ],
)
def test_a_column_of_shares_is_known_in_other_languages(header: str) -> None:
    assert shares_by_name(parse_rows(table((header, 94, 5, 1)))) == SHARES


@pytest.mark.parametrize(
    "header",
    [
        *("原価比率%", "원가 비율(%)", "Kosten %", "coût %", "Anteil am Preis %"),
        *("순도(%)", "사용한도(%)", "限用量%", "유효성분 함량(%)", "天然由来指数(%)"),
        *("RSPO %", "Recycled %", "Tax %", "Reinheit %", "前一版%"),
    ],
)
def test_shares_of_something_else_are_known_in_other_languages(header: str) -> None:
    formula = parse_rows(table((header, 1, 39, 60), ("% w/w", 94, 5, 1)))

    assert shares_by_name(formula) == SHARES
    assert not [place for place in finding_places(formula) if place[1] == "blocking"]


@pytest.mark.parametrize(
    ("header", "role"),
    [
        *((each, "cas") for each in ("CAS番号", "CAS 번호", "CAS-Nr.", "N° CAS")),
        *((each, "function") for each in ("배합목적", "機能", "Fonction", "Zweck")),
        *((each, "supplier") for each in ("제조사", "Lieferant", "Fournisseur")),
        *((each, "trade_name") for each in ("상품명", "Handelsname", "Rohstoff")),
        *((each, "ec") for each in ("EG-Nr.", "N° CE")),
    ],
)
def test_other_columns_are_known_in_other_languages(header: str, role: str) -> None:
    column = (header, WATER, GLYCERIN, PRESERVATIVE)

    assert parse_rows(table(column, ("%", 94, 5, 1))).columns[role] == header


def test_a_korean_sheet_is_read_with_its_total_its_figures_and_its_rest() -> None:
    formula = parse_rows(
        [
            ("번호", "원료명", "INCI 명", "CAS 번호", "배합비(%)", "배합목적"),
            (1, "정제수", "Water", WATER, "잔량", "용제"),
            (2, "글리세린", "Glycerin", GLYCERIN, 5, "보습제"),
            ("", "합계", "", "", 100, ""),
            ("", "pH", "", "", 5.5, ""),
            ("", "점도", "", "", 12000, ""),
        ]
    )

    assert shares_by_name(formula) == {"Water": ("95", "95"), "Glycerin": ("5", "5")}
    assert formula.lines[0].is_qs
    assert finding_places(formula) == []


@pytest.mark.parametrize("header", ["INCI / CAS", "CAS / INCI", "成分名稱/CAS No."])
@pytest.mark.parametrize(
    "shape", ["{0} / {1}", "{0} ({1})", "{0}\n{1}", "{0}, CAS No. {1}", "{1} {0}"]
)
def test_a_column_of_names_and_cas_numbers_is_split(header: str, shape: str) -> None:
    pairs = [("Aqua", WATER, 94), ("1,2-Hexanediol", "6920-22-5", 5), ("PEG-40", "", 1)]
    rows = [(shape.format(*p) if p[1] else p[0], p[2]) for p in pairs]

    formula = parse_rows([(header, "% w/w"), *rows])

    assert [(line.inci, line.cas) for line in formula.lines] == [
        ("Aqua", WATER),
        ("1,2-Hexanediol", "6920-22-5"),
        ("PEG-40", None),
    ]


def test_cas_numbers_beside_names_are_read_without_a_header_that_says_so() -> None:
    rows = [("Aqua (CAS 7732-18-5)", 95), ("Glycerin (CAS 56-81-4)", 5)]

    formula = parse_rows([("INCI", "% w/w"), *rows])

    assert [(line.inci, line.cas) for line in formula.lines] == [
        ("Aqua", WATER),
        ("Glycerin", "56-81-4"),
    ]
    assert finding_places(formula) == [("cas-check-digit", "warning", "A3")]


@pytest.mark.parametrize("unit", ["", "(%)"])
def test_an_upper_limit_beside_a_lower_one_bounds_the_share(unit: str) -> None:
    rows = [("Aqua", 80, 98), ("Glycerin", 1, 15)]

    formula = parse_rows([("INCI", f"下限{unit or '%'}", f"上限{unit or '%'}"), *rows])

    assert shares_by_name(formula) == {"Aqua": ("80", "98"), "Glycerin": ("1", "15")}


@pytest.mark.parametrize("error", ["#DIV/0!", "#REF!", "#N/A", "#NAME?", "Err:502"])
def test_the_error_of_a_formula_is_no_name_and_no_number(error: str) -> None:
    rows = [("Aqua", WATER, "q.s."), (error, GLYCERIN, 5), ("Panthenol", error, 1)]

    formula = parse_rows([("INCI", "CAS", "%"), *rows])

    assert [(line.inci, line.cas) for line in formula.lines][1:] == [
        (None, GLYCERIN),
        ("Panthenol", None),
    ]
    assert finding_places(formula) == [("missing-inci", "blocking", "C3")]
