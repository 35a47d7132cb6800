"""The total of a formula is an interval of the sums of all admissible values."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.grids import parse_rows

from dossier.products.formula_import.quantities import Quantity, QuantityKind, printed
from dossier.products.formula_import.totals import deviation
from dossier.products.formula_import.types import HUNDRED, Interval

small = st.decimals(min_value=0, max_value=20, places=3)


@st.composite
def filled_lines(
    draw: st.DrawFn,
) -> list[tuple[Quantity, Decimal]]:
    """Draw some stated quantities, each with a value that it admits."""
    drawn = []
    for _ in range(draw(st.integers(min_value=1, max_value=5))):
        low, high = sorted((draw(small), draw(small)))
        value = draw(st.sampled_from([low, high, (low + high) / 2]))
        quantity = Quantity(kind=QuantityKind.RANGE, lower=low, upper=high)
        drawn.append((quantity, value))
    return drawn


def formula_of(stated: list[Quantity], *, has_rest: bool) -> list[tuple[str, str]]:
    rows = [(f"Ingredient {n}", printed(q)) for n, q in enumerate(stated)]
    rest = [("Aqua", "q.s. to 100")] if has_rest else [("Aqua", "10")]
    return [("INCI", "% w/w"), *rest, *rows]


@settings(max_examples=30)
@given(filled_lines())
def test_the_total_contains_the_sum_of_any_admissible_values(
    drawn: list[tuple[Quantity, Decimal]],
) -> None:
    formula = parse_rows(
        formula_of([quantity for quantity, _ in drawn], has_rest=False)
    )

    actual = sum((value for _, value in drawn), Decimal(10))

    assert formula.total.contains(actual)


@settings(max_examples=30)
@given(filled_lines())
def test_the_rest_contains_what_any_admissible_values_leave(
    drawn: list[tuple[Quantity, Decimal]],
) -> None:
    formula = parse_rows(formula_of([quantity for quantity, _ in drawn], has_rest=True))

    left = HUNDRED - sum((value for _, value in drawn), Decimal(0))
    water = formula.lines[0]

    assert water.percent_upper is not None
    assert water.percent_lower <= max(left, Decimal(0)) <= water.percent_upper


@given(small, small, small)
def test_a_tolerance_never_increases_the_deviation(
    low: Decimal, width: Decimal, tolerance: Decimal
) -> None:
    total = Interval(low + 80, low + 80 + width)

    assert (
        deviation(total, tolerance)
        <= deviation(total, Decimal(0))
        <= total.distance(HUNDRED)
    )
