"""A host is asked at most so often, by all processes together."""

import asyncio
import sys
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


_PROCESS = """
import asyncio, sys
from dossier.core.database import make_engine, make_sessions
from dossier.sources.service import SourceRates

async def main():
    engine = make_engine(sys.argv[1], pool_size=1)
    rates = SourceRates(make_sessions(engine))
    await rates.wait_for_turn("warm.example", 0)
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(2):
        await rates.wait_for_turn("slow.example", float(sys.argv[2]))
    await engine.dispose()

asyncio.run(main())
"""


async def test_two_processes_share_the_interval_of_a_host(fresh_database: str) -> None:
    every_s = 0.3
    running = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROCESS, fresh_database, str(every_s)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    async with asyncio.timeout(LONG_S):
        for each in running:
            assert each.stdout is not None
            assert await each.stdout.readline() == b"ready\n"
        started_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for each in running:
                group.create_task(each.communicate(b"\n"))

    assert [each.returncode for each in running] == [0, 0]
    # Alone, either would need one interval for its two turns.
    assert time.monotonic() - started_s >= 3 * every_s
