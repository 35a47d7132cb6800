"""What the worker does for model calls: probe the servers, clear what is left over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta

from dossier.ai import gateway
from dossier.ai.constants import LOST_AFTER_FLOOR
from dossier.ai.service.capabilities import fingerprint_of, stored
from dossier.ai.service.ledger import lost_settlement
from dossier.ai.service.prices import stored_price
from dossier.ai.types import PlannedServer
from dossier.core.clock import now
from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.integrations.llm.types import ServerAbilities
from dossier.integrations.prices import ListedPrice

logger = logging.getLogger(__name__)

Probe = Callable[[], Awaitable[ServerAbilities]]
"""Asks the servers what they can do; a server that is away is a finding as well."""
PriceList = Callable[[str, str], ListedPrice | None]
"""Returns what a server takes for a model, if the list has both; may be slow."""

SWEEP_BATCH = 500


async def probe_servers(
    sessions: SessionFactory,
    servers: Sequence[PlannedServer],
    probe: Probe,
    price_list: PriceList,
) -> bool:
    """Ask the configured servers what they can do, and store it with their prices.

    Safe to repeat: the newest findings take the place of the older ones. A server that
    is away is a finding too.
    """
    if not servers:
        return False
    abilities = await probe()
    prices = await asyncio.to_thread(_prices, servers, price_list)
    values = {
        "fingerprint": fingerprint_of(servers),
        "servers": [asdict(server) for server in servers],
        "abilities": stored(abilities),
        "prices": prices,
        "probed_at": now(),
    }
    async with system_transaction(sessions) as session:
        await gateway.add_servers(session, values)
    logger.info(
        "ai.probe.finished",
        extra={"reachable": abilities.reachable, "problem": abilities.problem},
    )
    return True


async def settle_lost(sessions: SessionFactory, longest_s: float) -> int:
    """Settle calls whose process died before it could; return how many.

    `longest_s` is how long any run may last. Safe to repeat and to run beside itself:
    a call is settled once.
    """
    before = now() - max(timedelta(seconds=2 * longest_s), LOST_AFTER_FLOOR)
    total = 0
    while True:
        async with system_transaction(sessions) as session:
            calls = await gateway.list_open_calls_for_system(
                session, before, SWEEP_BATCH
            )
        for call in calls:
            settlement = lost_settlement(
                model=call.model,
                reserved_tokens=call.reserved_tokens,
                reserved_usd=call.reserved_usd,
            )
            async with tenant_transaction(sessions, call.org_id) as session:
                total += await gateway.settle_call_for_org(
                    session, call.org_id, call.id, settlement
                )
        if len(calls) < SWEEP_BATCH:
            return total


async def sweep_answers(sessions: SessionFactory) -> int:
    """Delete stored answers and leads whose time is over; return how many."""
    async with system_transaction(sessions) as session:
        return await gateway.remove_expired_for_system(session, now())


def _prices(
    servers: Sequence[PlannedServer], price_list: PriceList
) -> dict[str, dict[str, str | None]]:
    """Return the list's prices by model; of two servers the first one's."""
    prices: dict[str, dict[str, str | None]] = {}
    for server in servers:
        for model in set(server.models.values()) - prices.keys():
            price = price_list(server.server, model)
            if price is not None:
                prices[model] = stored_price(price)
    return prices
