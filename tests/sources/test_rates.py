"""A host is asked at most so often, by all processes together."""

import asyncio
import time

from dossier.core.database import make_engine, make_sessions
from dossier.sources.service import SourceRates

EVERY_S = 0.03
LONG_S = 60


async def test_calls_of_one_host_are_spaced(fresh_database: str) -> None:
    engine = make_engine(fresh_database, pool_size=4)
    rates = SourceRates(make_sessions(engine))
    await rates.wait_for_turn("busy.example", LONG_S)
    entered_s: list[float] = []

    async def ask() -> None:
        await rates.wait_for_turn("slow.example", EVERY_S)
        entered_s.append(time.monotonic())

    started_s = time.monotonic()
    async with asyncio.timeout(LONG_S / 2), asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
    await engine.dispose()

    assert entered_s[-1] - started_s >= 3 * EVERY_S
