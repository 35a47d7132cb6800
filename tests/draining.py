"""Runs what is queued, one after the other, without a worker.

It works inside one outer transaction, where the engine cannot (its clock stands still
there), and takes delayed jobs at once, so that nothing sleeps.
"""

from collections.abc import Mapping

import anyio

from dossier.core.database import SessionFactory, raw_rows, system_transaction
from dossier.integrations.queue.client import TABLE
from dossier.integrations.queue.delivery import (
    Delivery,
    DeliveryHandler,
    DeliveryOutcome,
)

_NEXT = f"""
select id, entrypoint, payload from {TABLE}
where status = 'queued' and entrypoint = any($1::text[])
order by priority desc, id limit 1
"""  # noqa: S608 - the name is a constant
_FORGET = f"delete from {TABLE} where id = $1"  # noqa: S608 - the name is a constant


async def drain(
    sessions: SessionFactory,
    handlers: Mapping[str, DeliveryHandler],
    *,
    limit: int = 1000,
) -> int:
    """Run until nothing is queued, at most `limit` runs; return how many."""
    for count in range(limit):
        if not await _run_next(sessions, handlers):
            return count
    message = f"The queue is not empty after {limit} runs."
    raise RuntimeError(message)


async def _run_next(
    sessions: SessionFactory, handlers: Mapping[str, DeliveryHandler]
) -> bool:
    async with system_transaction(sessions) as session:
        rows = await raw_rows(session, _NEXT, list(handlers))
    if not rows:
        return False
    [row] = rows
    delivery = Delivery.of(row["id"], row["payload"], anyio.CancelScope())
    outcome: DeliveryOutcome = await handlers[row["entrypoint"]](delivery)
    if outcome.again_in_s is None:
        async with system_transaction(sessions) as session:
            await raw_rows(session, _FORGET, row["id"])
    return True
