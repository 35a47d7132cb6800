"""CAS and EC numbers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.products.formula_import.identifiers import (
    find_cas,
    find_ec,
    is_cas,
    is_ec,
    is_missing,
)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7732-18-5", ["7732-18-5"]),
        ("7732\u201318\u20135", ["7732-18-5"]),
        ("7732 - 18 - 5", ["7732-18-5"]),
        ("\uff17\uff17\uff13\uff12\uff0d\uff11\uff18\uff0d\uff15", ["7732-18-5"]),
        ("0007732-18-5", ["7732-18-5"]),
        ("7732185", ["7732-18-5"]),
        ("CAS: 56-81-5 / 7732-18-5", ["56-81-5", "7732-18-5"]),
        ("56-81-5\n7732-18-5", ["56-81-5", "7732-18-5"]),
        ("7732-18-4", ["7732-18-4"]),
        ("231-791-2", []),
        ("7732184", []),
        ("proprietary", []),
    ],
)
def test_cas_numbers_are_found_in_free_text(text: str, numbers: list[str]) -> None:
    assert find_cas(text) == numbers


def test_ec_numbers_are_found_beside_cas_numbers() -> None:
    assert find_ec("7732-18-5 / 231\u2013791\u20132") == ["231-791-2"]


@pytest.mark.parametrize("text", ["", "-", "N/A", "\u2014", "無"])
def test_a_dash_is_a_missing_number(text: str) -> None:
    assert is_missing(text)


@given(st.integers(min_value=10**3, max_value=10**9 - 1))
def test_exactly_one_digit_completes_a_cas_number(body: int) -> None:
    stem = f"{body // 100}-{body % 100:02d}"

    assert sum(is_cas(f"{stem}-{digit}") for digit in range(10)) == 1


@given(st.integers(min_value=200000, max_value=999999))
def test_at_most_one_digit_completes_an_ec_number(body: int) -> None:
    stem = f"{body // 1000}-{body % 1000:03d}"

    assert sum(is_ec(f"{stem}-{digit}") for digit in range(10)) <= 1


@pytest.mark.parametrize("number", ["231-791-2", "200-289-5", "204-589-7"])
def test_known_ec_numbers_are_valid(number: str) -> None:
    assert is_ec(number)


def test_a_mistyped_number_is_not_valid() -> None:
    assert not is_cas("7732-18-4")
    assert not is_ec("231-791-3")
    assert not is_cas("water")
    assert not is_ec("water")
