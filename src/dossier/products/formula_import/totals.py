"""The total of a formula as an interval, and what `q.s.` lines take of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.products.formula_import.explosion import Portion, contribution
from dossier.products.formula_import.types import HUNDRED, ZERO, Interval

BLOCKING_BEYOND: Final = Decimal("0.1")
"""Percentage points from 100 beyond which a wrong total blocks the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The total of a formula.

    `known` is what the lines state; `rest` what is left for `q.s.`, `None` without such
    a line, its lower bound negative when the lines may come to more than 100.
    """

    known: Interval
    rest: Interval | None

    @property
    def interval(self) -> Interval:
        """Return the total; a rest that is possible brings it to 100."""
        if self.rest is None or self.deficit > ZERO:
            return self.known
        return Interval.exactly(HUNDRED)

    @property
    def is_closed(self) -> bool:
        """Return whether the lines come to 100 without one that takes the rest."""
        return self.rest is None and self.known.distance(HUNDRED) <= BLOCKING_BEYOND

    @property
    def deficit(self) -> Decimal:
        """Return how far even the upper bound of the rest is below 0."""
        return ZERO if self.rest is None else max(-self.rest.upper, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortionShare:
    """A portion with its share of the product in per cent."""

    portion: Portion
    share: Interval


def total_of(portions: Sequence[Portion]) -> Total:
    """Return the interval of the total and the rest that it leaves."""
    known = Interval.sum(contribution(portion) for portion in portions)
    if not any(portion.amount.fills for portion in portions):
        return Total(known=known, rest=None)
    rest = Interval(HUNDRED - known.upper, HUNDRED - known.lower)
    return Total(known=known, rest=rest)


def portion_shares(portions: Sequence[Portion], total: Total) -> list[PortionShare]:
    """Return the share of every portion; a `q.s.` line takes the rest.

    Where several lines say `q.s.`, one of them fills up to 100; the others (a pH
    adjuster) take anything from 0 to the whole rest, and so does the one that fills.
    """
    rests = [portion for portion in portions if portion.amount.is_rest]
    # Without a line that fills, an adjuster takes no more than what is missing.
    missing = Interval(ZERO, max(HUNDRED - total.known.lower, ZERO))
    known_rest = total.rest or missing
    is_filled_by_one = len(rests) == 1 and total.rest is not None
    lower = max(known_rest.lower, ZERO) if is_filled_by_one else ZERO
    rest = Interval(lower, max(known_rest.upper, ZERO))
    return [
        PortionShare(
            portion=each, share=rest if each.amount.is_rest else each.amount.interval
        )
        for each in portions
    ]


def deviation(total: Interval, tolerance: Decimal) -> Decimal:
    """Return how far 100 lies outside the total and its tolerance; 0 when inside."""
    return max(total.distance(HUNDRED) - tolerance, ZERO)
