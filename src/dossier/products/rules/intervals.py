"""Closed intervals of exact decimals."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from `lower` to `upper`."""

    lower: Decimal
    upper: Decimal

    @classmethod
    def exactly(cls, value: Decimal) -> Self:
        """Return the interval of one value."""
        return cls(value, value)

    @classmethod
    def sum(cls, parts: Iterable["Interval"]) -> "Interval":
        """Return what the sum of one value out of each part may be."""
        every = list(parts)
        return cls(
            sum((part.lower for part in every), ZERO),
            sum((part.upper for part in every), ZERO),
        )

    def contains(self, value: Decimal) -> bool:
        """Return whether the value lies inside."""
        return self.lower <= value <= self.upper

    def distance(self, value: Decimal) -> Decimal:
        """Return how far outside the value lies; 0 when inside."""
        return max(self.lower - value, value - self.upper, ZERO)

    def times(self, other: "Interval") -> "Interval":
        """Return the product of two intervals that are not negative."""
        return Interval(self.lower * other.lower, self.upper * other.upper)

    def scaled(self, factor: Decimal) -> "Interval":
        """Return the interval multiplied by a factor that is not negative."""
        return Interval(self.lower * factor, self.upper * factor)
