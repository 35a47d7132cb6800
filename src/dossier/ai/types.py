"""Value objects of model calls that several modules use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dossier.ai.constants import BudgetScope, BudgetWindow


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; `None` where it is not known."""

    input_usd: Decimal | None
    output_usd: Decimal | None
    cached_usd: Decimal | None
    source: str
    """`settings`, or the price list with its version."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one call; those from the server's cache are part of the input."""

    input: int
    output: int
    cached: int | None = None


PriceOf = Callable[[str], Awaitable[Price | None]]
"""Returns what a model costs, or `None` where it is unknown."""


@dataclass(frozen=True, slots=True)
class PlannedServer:
    """A server that settings name, and its models by purpose; never its key."""

    server: str
    provider: str
    models: dict[str, str]


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget, as far as it decides over a call."""

    id: UUID
    scope: BudgetScope
    window: BudgetWindow
    cap_tokens: int | None
    cap_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a window has spent, and holds for running calls."""

    spent_tokens: int = 0
    reserved_tokens: int = 0
    spent_usd: Decimal = Decimal(0)
    reserved_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are meant."""

    since: datetime | None = None
    until: datetime | None = None
    feature: str | None = None
    model: str | None = None
    user_id: UUID | None = None
    key_id: UUID | None = None
    run_id: UUID | None = None
    outcome: str | None = None
    """A `CallOutcome`."""
