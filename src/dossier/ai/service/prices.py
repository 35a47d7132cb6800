"""What a model costs: settings first, then what the probe found in the price list."""

from decimal import Decimal
from typing import Any

from dossier.ai.service.capabilities import StoredProbe
from dossier.ai.types import Price
from dossier.core.settings import AiSettings
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import Purpose
from dossier.integrations.prices import ListedPrice

FROM_SETTINGS = "settings"


class ModelPrices:
    """Prices by model.

    Prices in settings are those of the first server's strong model, by whatever name:
    they hold for every model but the others that may be asked, a fallback's as well.
    """

    def __init__(self, ai: AiSettings, probe: StoredProbe) -> None:
        self._override = _override(ai)
        self._besides = _besides(ai)
        self._probe = probe

    async def price_of(self, model: str) -> Price | None:
        """Return the price, or `None` where it is unknown."""
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


def _besides(ai: AiSettings) -> frozenset[str]:
    """Return every model that may be asked, but the strong one of the first server."""
    plan = model_plan(ai)
    if plan is None:
        return frozenset()
    embedders = (plan.embedder,) if plan.embedder else ()
    asked = (*plan.servers, *embedders)
    named = {name for server in asked for name in server.models.values()}
    return frozenset(named - {plan.servers[0].models[Purpose.STRONG]})


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
