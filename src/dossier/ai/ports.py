"""What model calls need from outside: prices, and somebody who probes."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from dossier.ai.rules.pricing import Price
from dossier.integrations.llm.types import ServerAbilities
from dossier.integrations.prices.client import ListedPrice


@dataclass(frozen=True, slots=True)
class PlannedServer:
    """A server that settings name, and its models by purpose; never its key."""

    server: str
    provider: str
    models: dict[str, str]


class PriceList(Protocol):
    """Knows what models cost where nobody has set it; may be slow and large."""

    def __call__(self, server: str, model: str, /) -> ListedPrice | None:
        """Return what a server takes for a model, if the list has both."""
        ...


class Probe(Protocol):
    """Asks the servers what they can do."""

    def __call__(self) -> Awaitable[ServerAbilities]:
        """Return what was found; a server that is away is a finding as well."""
        ...


class Prices(Protocol):
    """Knows what a model costs, at once."""

    async def price_of(self, model: str, /) -> Price | None:
        """Return the price, or `None` where nobody knows it."""
        ...
