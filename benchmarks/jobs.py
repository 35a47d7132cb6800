"""`jobs`: how soon a job starts, how many pass, how many wait at once."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from benchmarks.figures import percentile

from dossier.core.database import tenant_transaction
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.settings import Settings
from dossier.core.startup import Database, opened_database
from dossier.core.tenancy import Actor
from dossier.jobs.attempts import JobHandler
from dossier.jobs.context import JobContext
from dossier.jobs.kinds import declare
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind
from dossier.worker import make_worker

ORG = UUID("018f0000-0000-7000-8000-0000000000d1")
KINDS = [declare(JobKind(name)) for name in ("bench.touch", "bench.wait")]
LATENCY_LIMIT_MS = 20
SAMPLES = 200
BULK = 1000
WAITING = 200
WAIT_S = 2.0
_ORGANISATION = """
insert into organisations (id, created_at, name, kind)
values ($1, now(), 'Bench', 'brand')
"""


@dataclass
class Watch:
    """What the tasks tell the benchmark; both live in one process."""

    started_at: dict[int, float] = field(default_factory=dict)
    running: int = 0
    most_running: int = 0
    left: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, count: int) -> None:
        """Count down from here."""
        self.left = count
        self.done.clear()

    async def touch(self, ctx: JobContext, number: int) -> None:
        """Start, and be done."""
        self.started_at[number] = time.perf_counter()
        await self._finish(ctx)

    async def wait(self, ctx: JobContext) -> None:
        """Wait as a slow outside system would make one wait."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(WAIT_S)
        self.running -= 1
        await self._finish(ctx)

    async def _finish(self, ctx: JobContext) -> None:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            await ctx.finish(session)
        self.left -= 1
        if not self.left:
            self.done.set()


async def measure() -> dict[str, Any]:
    """Return latencies, jobs per second and the number waiting at once."""
    watch = Watch()
    async with _database() as database, _worker(database, watch):
        latencies_ms = await _latencies_ms(database, watch)
        bulk_s = await _bulk_s(database, watch)
        waiting_s = await _waiting_s(database, watch)
    p50_ms = percentile(latencies_ms, 50)
    return {
        "enqueue_to_start_ms": {
            "p50": p50_ms,
            "p99": percentile(latencies_ms, 99),
            "limit": LATENCY_LIMIT_MS,
            "passed": p50_ms < LATENCY_LIMIT_MS,
        },
        "jobs_per_s": round(BULK / bulk_s, 1),
        "waiting_at_once": {
            "jobs": watch.most_running,
            "each_waits_s": WAIT_S,
            "all_done_s": round(waiting_s, 2),
            "passed": watch.most_running == WAITING,
        },
    }


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        home = Path(folder)
        try:
            async with opened_database(_settings(home)) as database:
                await _add_organisation(database.url)
                yield database
        finally:
            embedded_postgres(home).destroy()


def _settings(home: Path) -> Settings:
    return Settings.model_validate({"home": home})


async def _add_organisation(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_ORGANISATION, ORG)
    finally:
        await connection.close()


@asynccontextmanager
async def _worker(database: Database, watch: Watch) -> AsyncIterator[None]:
    tasks: dict[str, JobHandler] = {
        "bench.touch": watch.touch,
        "bench.wait": watch.wait,
    }
    stop = asyncio.Event()
    worker = make_worker(_settings(Path(tempfile.gettempdir())), database, tasks, [])
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await asyncio.sleep(1)  # it listens by then
        yield
        stop.set()


async def _enqueue(database: Database, kind: str, items: list[dict[str, Any]]) -> float:
    """Queue jobs in one transaction; return when it was committed."""
    async with tenant_transaction(database.sessions, ORG) as session:
        jobs = JobsService(session, Actor.system(ORG))
        for item in items:
            await jobs.enqueue(kind, **item)
    return time.perf_counter()


async def _latencies_ms(database: Database, watch: Watch) -> list[float]:
    latencies_ms = []
    for number in range(SAMPLES):
        watch.expect(1)
        committed_at = await _enqueue(database, "bench.touch", [{"number": number}])
        await watch.done.wait()
        latencies_ms.append((watch.started_at[number] - committed_at) * 1000)
    return [max(latency, 0.0) for latency in latencies_ms]


async def _bulk_s(database: Database, watch: Watch) -> float:
    watch.expect(BULK)
    started_at = time.perf_counter()
    await _enqueue(database, "bench.touch", [{"number": n} for n in range(BULK)])
    await watch.done.wait()
    return time.perf_counter() - started_at


async def _waiting_s(database: Database, watch: Watch) -> float:
    watch.expect(WAITING)
    started_at = time.perf_counter()
    await _enqueue(database, "bench.wait", [{} for _ in range(WAITING)])
    await watch.done.wait()
    return time.perf_counter() - started_at
