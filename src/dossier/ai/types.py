"""Value objects of model calls that several modules use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dossier.ai.rules.pricing import Price

PriceOf = Callable[[str], Awaitable[Price | None]]
"""Returns what a model costs, or `None` where nobody knows it."""


@dataclass(frozen=True, slots=True)
class PlannedServer:
    """A server that settings name, and its models by purpose; never its key."""

    server: str
    provider: str
    models: dict[str, str]
