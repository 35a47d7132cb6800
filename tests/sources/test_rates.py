"""A host is asked at most so often, by all processes together."""

import asyncio
import time

from tests.factories.databases import Committing

from dossier.sources.service import SourceRates

EVERY_S = 0.03


async def test_callers_at_once_are_let_in_one_after_the_other(
    committing: Committing,
) -> None:
    entered_s: list[float] = []

    async def ask() -> None:
        await SourceRates(committing).turn("slow.example", EVERY_S)
        entered_s.append(time.monotonic())

    started_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())

    assert entered_s[-1] - started_s >= 3 * EVERY_S


async def test_hosts_do_not_wait_for_each_other(committing: Committing) -> None:
    rates = SourceRates(committing)
    await rates.turn("one.example", 60)

    await asyncio.wait_for(rates.turn("other.example", 60), 5)
