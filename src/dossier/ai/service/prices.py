"""What a model costs: settings first, then what the probe found in the price list."""

from decimal import Decimal
from typing import Any

from dossier.ai.rules.pricing import Price
from dossier.ai.service.abilities import StoredProbe
from dossier.core.settings.models import AiSettings
from dossier.integrations.prices.client import ListedPrice

FROM_SETTINGS = "settings"


class ModelPrices:
    """Prices by model; satisfies `Prices`.

    Prices in settings are those of the strong model, and of whatever it calls itself in
    its answers: they hold for every model but those that settings name besides it.
    """

    def __init__(self, ai: AiSettings, probe: StoredProbe) -> None:
        self._override = _override(ai)
        self._besides = _besides(ai)
        self._probe = probe

    async def price_of(self, model: str) -> Price | None:
        """Return the price, or `None` where nobody knows it."""
        if self._override is not None and model not in self._besides:
            return self._override
        found = await self._probe.latest()
        members = found.prices.get(model) if found else None
        return None if members is None else restored_price(members)


def stored_price(price: ListedPrice) -> dict[str, str | None]:
    """Return a price as it is stored: exact, as text."""
    return {
        "input_usd": _text(price.input_usd),
        "output_usd": _text(price.output_usd),
        "cached_usd": _text(price.cached_usd),
        "source": price.source,
    }


def restored_price(members: dict[str, Any]) -> Price:
    """Return a stored price."""
    return Price(
        _decimal(members["input_usd"]),
        _decimal(members["output_usd"]),
        _decimal(members["cached_usd"]),
        members["source"],
    )


def _override(ai: AiSettings) -> Price | None:
    if ai.price_input_usd_per_mtok is None and ai.price_output_usd_per_mtok is None:
        return None
    return Price(
        ai.price_input_usd_per_mtok,
        ai.price_output_usd_per_mtok,
        ai.price_cached_usd_per_mtok,
        FROM_SETTINGS,
    )


def _besides(ai: AiSettings) -> frozenset[str | None]:
    named = {ai.cheap_model, ai.vision_model, ai.embed_model, ai.fallback_model}
    return frozenset(named - {ai.model, None})


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
