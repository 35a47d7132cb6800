"""What people write into the quantity column of a formula."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.products.formula_import.numbers import (
    DecimalMark,
    column_mark,
    parse_number,
)
from dossier.products.formula_import.quantities import (
    Quantity,
    QuantityKind,
    Unreadable,
    is_blank,
    parse_quantity,
    printed,
    why_unreadable,
)

EXACT, AT_MOST, AT_LEAST, RANGE = (
    QuantityKind.EXACT,
    QuantityKind.AT_MOST,
    QuantityKind.AT_LEAST,
    QuantityKind.RANGE,
)


@pytest.mark.parametrize(
    ("text", "kind", "lower", "upper", "unit"),
    [
        ("5", EXACT, "5", "5", None),
        ("5.25", EXACT, "5.25", "5.25", None),
        ("0,5", EXACT, "0.5", "0.5", None),
        ("1.234,56", EXACT, "1234.56", "1234.56", None),
        ("1,234.56", EXACT, "1234.56", "1234.56", None),
        ("5 %", EXACT, "5", "5", "%"),
        ("\uff15\uff0e\uff12\uff15\uff05", EXACT, "5.25", "5.25", "%"),
        ("5% w/w", EXACT, "5", "5", "%w/w"),
        ("50 g/kg", EXACT, "50", "50", "g/kg"),
        ("5 g/100 g", EXACT, "5", "5", "g/100g"),
        ("500ppm", EXACT, "500", "500", "ppm"),
        ("約5", EXACT, "5", "5", None),
        ("1e-3", EXACT, "0.001", "0.001", None),
        ("≤ 0.1", AT_MOST, "0", "0.1", None),
        ("<0.1", AT_MOST, "0", "0.1", None),
        ("\uff1c0.1", AT_MOST, "0", "0.1", None),
        ("<= 0,05 %", AT_MOST, "0", "0.05", "%"),
        ("max. 0.5", AT_MOST, "0", "0.5", None),
        ("0.5 max", AT_MOST, "0", "0.5", None),
        ("up to 5", AT_MOST, "0", "5", None),
        ("NMT 0.5", AT_MOST, "0", "0.5", None),
        ("0.5以下", AT_MOST, "0", "0.5", None),
        ("不超過0.5", AT_MOST, "0", "0.5", None),
        ("not less than 3", AT_LEAST, "3", None, None),
        ("3以上", AT_LEAST, "3", None, None),
        ("1\u20135", RANGE, "1", "5", None),
        ("1-5", RANGE, "1", "5", None),
        ("1 ~ 5 %", RANGE, "1", "5", "%"),
        ("1\uff5e5", RANGE, "1", "5", None),
        ("1% - 5%", RANGE, "1", "5", "%"),
        ("1,5-2,5", RANGE, "1.5", "2.5", None),
        ("≥1-<5", RANGE, "1", "5", None),
        ("1 to 5", RANGE, "1", "5", None),
        ("5 to 10%", RANGE, "5", "10", "%"),
        ("1至5", RANGE, "1", "5", None),
        ("0.1±0.01", RANGE, "0.09", "0.11", None),
        ("10 ± 5 %", RANGE, "9.5", "10.5", None),
        ("1\u20265", RANGE, "1", "5", None),
        (".5", EXACT, "0.5", "0.5", None),
        ("0.5\u200b", EXACT, "0.5", "0.5", None),
        ("5\u00b9", EXACT, "5", "5", None),
        ("0.5 *", EXACT, "0.5", "0.5", None),
        ("1.2\u00d710\u207b\u00b3", EXACT, "0.0012", "0.0012", None),
    ],
)
def test_a_stated_quantity_is_parsed(
    text: str, kind: QuantityKind, lower: str, upper: str | None, unit: str | None
) -> None:
    quantity = parse_quantity(text)

    assert quantity is not None
    assert quantity.kind is kind
    assert quantity.lower == Decimal(lower)
    assert quantity.upper == (None if upper is None else Decimal(upper))
    assert quantity.unit == unit


@pytest.mark.parametrize(
    ("text", "fills_to"),
    [
        ("q.s. to 100", "100"),
        ("Q.S. 100", "100"),
        ("qsp 100 g", "100"),
        ("q.s.to 100%", "100"),
        ("to 100", "100"),
        ("ad 100,0", "100"),
        ("up to 100 %", "100"),
        ("加至100", "100"),
        ("至 1000", "1000"),
        ("補足至100%", "100"),
        ("餘量", "100"),
        ("Balance", "100"),
        ("q.s. to 1", "1"),
        ("q.s.", None),
        ("適量", None),
        ("q.s. to pH 5.5", None),
        ("适量", None),
        ("余量", "100"),
        ("补足至100%", "100"),
        ("加純水至100", "100"),
        ("适量加至100", "100"),
    ],
)
def test_a_rest_is_parsed_with_the_total_that_it_fills(
    text: str, fills_to: str | None
) -> None:
    quantity = parse_quantity(text)

    assert quantity is not None
    assert quantity.kind is QuantityKind.REST
    assert quantity.fills_to == (None if fills_to is None else Decimal(fills_to))


@pytest.mark.parametrize("text", ["trace", "Traces", "微量"])
def test_a_trace_has_no_upper_bound(text: str) -> None:
    assert parse_quantity(text) == Quantity(kind=QuantityKind.TRACE)


@pytest.mark.parametrize(
    "text",
    [
        "-5",
        "abc",
        "57-55-6",
        "2024/05/01",
        "5-1",
        "water",
        "",
        "1.2.3,4,5",
        "9" * 40,
        "1±2",
        "0..5",
        "10.5,0",
        "1.2, 3.4",
        "0.5,0.7",
        "5; 6",
        "5 % ± 1 %",
        "q.s. 0.5",
        "02-123",
    ],
)
def test_a_text_without_a_quantity_is_not_parsed(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0..5", Unreadable.MARKS),
        ("10.5,0", Unreadable.MARKS),
        ("1.2, 3.4", Unreadable.SEVERAL),
        ("0.5,0.7", Unreadable.SEVERAL),
        ("5 or 6", Unreadable.SEVERAL),
        ("#DIV/0!", Unreadable.ERROR_VALUE),
        ("Err:502", Unreadable.ERROR_VALUE),
        ("2024-05-01", Unreadable.DATE),
        ("", Unreadable.NO_RESULT),
        ("see supplier", Unreadable.OTHER),
    ],
)
def test_a_refused_text_has_its_reason(text: str, reason: Unreadable) -> None:
    assert why_unreadable(text) is reason


@pytest.mark.parametrize("text", ["q.s. to pH 5.5", "适量调pH至5.5", "as needed"])
def test_what_adjusts_a_property_fills_nothing(text: str) -> None:
    quantity = parse_quantity(text)

    assert quantity is not None
    assert quantity.is_adjuster
    assert quantity.fills_to is None


@pytest.mark.parametrize("text", ["", " ", "-", "\u2014", "N/A", "無"])
def test_an_empty_or_missing_quantity_is_blank(text: str) -> None:
    assert is_blank(text)


def test_a_grouped_thousand_is_read_only_in_a_column_with_decimal_points() -> None:
    assert parse_number("1,000") == Decimal("1.000")
    assert parse_number("1,000", DecimalMark.COMMA) == Decimal("1.000")
    assert parse_number("1,000", DecimalMark.POINT) == Decimal(1000)
    assert parse_number("1.000.000") == Decimal(1000000)


def test_unambiguous_numbers_of_a_column_decide_its_decimal_mark() -> None:
    assert column_mark(["1,000", "0,5"]) is DecimalMark.COMMA
    assert column_mark(["1,000", "0.5"]) is DecimalMark.POINT
    assert column_mark(["0,5", "0.5"]) is None


shares = st.decimals(min_value=0, max_value=100, places=4)


@given(shares)
def test_a_printed_number_is_read_back(value: Decimal) -> None:
    assert round_trip(Quantity(kind=EXACT, lower=value, upper=value))


@given(shares)
def test_a_printed_limit_is_read_back(value: Decimal) -> None:
    assert round_trip(Quantity(kind=AT_MOST, upper=value))
    assert round_trip(Quantity(kind=AT_LEAST, lower=value))


@given(shares, shares)
def test_a_printed_range_is_read_back(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))

    assert round_trip(Quantity(kind=RANGE, lower=low, upper=high))


@given(st.sampled_from([None, Decimal(1), Decimal(100), Decimal(1000)]))
def test_a_printed_rest_is_read_back(target: Decimal | None) -> None:
    assert round_trip(Quantity(kind=QuantityKind.REST, fills_to=target))


@given(shares, st.sampled_from(["%", "g/kg", "ppm"]))
def test_a_printed_unit_is_read_back(value: Decimal, unit: str) -> None:
    assert round_trip(Quantity(kind=EXACT, lower=value, upper=value, unit=unit))


def round_trip(quantity: Quantity) -> bool:
    return parse_quantity(printed(quantity)) == quantity
