"""Reads the package `genai-prices`: 40 MiB in memory, so only in the worker."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

PRICES_PACKAGE = "genai-prices"


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """USD per million tokens, and which list says so."""

    input_usd: Decimal | None
    output_usd: Decimal | None
    cached_usd: Decimal | None
    source: str


def listed_price(host: str, model: str) -> ListedPrice | None:
    """Return what the server at a host takes for a model, if the list knows both.

    A model of the same name on a server of one's own costs something else, so the host
    decides as well. Of prices in steps the first is taken.
    """
    name = host.partition(":")[0]
    if "." not in name or name.replace(".", "").isdigit():
        return None  # an address, or a name of the local network: no vendor's
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 40 MiB

    try:
        _provider, found = get_snapshot().find_provider_model(
            model, None, None, f"https://{host}"
        )
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    return ListedPrice(
        _first(prices.input_mtok),
        _first(prices.output_mtok),
        _first(prices.cache_read_mtok),
        f"{PRICES_PACKAGE} {version(PRICES_PACKAGE)}",
    )


def _first(price: object) -> Decimal | None:
    base = getattr(price, "base", price)
    return base if isinstance(base, Decimal) else None
