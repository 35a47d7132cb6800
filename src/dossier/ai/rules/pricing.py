"""What a call costs: exact, or unknown; never a guess and never 0 for not knowing."""

from dataclasses import dataclass
from decimal import Decimal

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; `None` where nobody has said."""

    input_usd: Decimal | None
    output_usd: Decimal | None
    cached_usd: Decimal | None
    source: str
    """Who said so: `settings`, or the price list with its version."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one call; those from the server's cache are part of the input."""

    input: int | None
    output: int | None
    cached: int | None = None

    @property
    def total(self) -> int | None:
        """Return all of them, or `None` where the server told nothing."""
        told = [count for count in (self.input, self.output) if count is not None]
        return sum(told) if told else None


def cost_usd(price: Price | None, tokens: Tokens) -> Decimal | None:
    """Return what a call cost, or `None` where a price or a count is missing."""
    if price is None or tokens.input is None:
        return None
    cached = min(tokens.cached or 0, tokens.input)
    # Without a price of its own, what came from the cache costs what input costs.
    cached_usd = price.input_usd if price.cached_usd is None else price.cached_usd
    parts = (
        _part(tokens.input - cached, price.input_usd),
        _part(cached, cached_usd),
        _part(tokens.output or 0, price.output_usd),
    )
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def ceiling_usd(price: Price | None, tokens: int) -> Decimal | None:
    """Return the most that so many tokens can cost, or `None` if nobody knows."""
    if price is None or price.input_usd is None:
        return None
    return _part(tokens, max(price.input_usd, price.output_usd or Decimal(0)))


def _part(tokens: int, usd_per_million: Decimal | None) -> Decimal | None:
    if tokens == 0:
        return Decimal(0)
    return None if usd_per_million is None else tokens * usd_per_million / MILLION
