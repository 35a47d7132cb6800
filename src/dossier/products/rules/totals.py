"""The total of a formula as an interval, and what `q.s.` lines take of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from dossier.products.rules.explosion import Portion, share
from dossier.products.rules.intervals import HUNDRED, ZERO, Interval

BLOCKING_BEYOND: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The whole of a formula.

    `known` is what the lines state; `rest` what is left for `q.s.`, `None` without such
    a line, its lower bound negative when the lines may come to more than 100.
    """

    known: Interval
    rest: Interval | None

    @property
    def interval(self) -> Interval:
        """Return the total; a rest that exists brings it to 100."""
        if self.rest is None or self.deficit > ZERO:
            return self.known
        return Interval.exactly(HUNDRED)

    @property
    def deficit(self) -> Decimal:
        """Return how far the rest is below nothing even at its best."""
        return ZERO if self.rest is None else max(-self.rest.upper, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A portion with its share of the product in per cent."""

    portion: Portion
    share: Interval


def total_of(portions: Sequence[Portion]) -> Total:
    """Return the interval of the total and the rest that it leaves."""
    known = Interval.sum(share(portion) for portion in portions)
    if not any(portion.amount.is_rest for portion in portions):
        return Total(known=known, rest=None)
    return Total(
        known=known, rest=Interval(HUNDRED - known.upper, HUNDRED - known.lower)
    )


def settle(portions: Sequence[Portion], total: Total) -> list[Settled]:
    """Give every portion its share; the filler takes the rest.

    Where several lines say `q.s.`, one of them fills; the others (a pH adjuster) may
    take anything from nothing to the whole rest, and so the filler too.
    """
    rests = [portion for portion in portions if portion.amount.is_rest]
    rest = _not_negative(total.rest or Interval(ZERO, ZERO))
    if len(rests) > 1:
        rest = replace(rest, lower=ZERO)
    return [
        Settled(
            portion=each, share=rest if each.amount.is_rest else each.amount.interval
        )
        for each in portions
    ]


def _not_negative(rest: Interval) -> Interval:
    return Interval(max(rest.lower, ZERO), max(rest.upper, ZERO))


def miss(total: Interval, tolerance: Decimal) -> Decimal:
    """Return how far 100 lies outside the total and its tolerance; 0 when inside."""
    return max(total.distance(HUNDRED) - tolerance, ZERO)
