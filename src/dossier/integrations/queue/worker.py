"""The worker's loop: takes jobs from the engine, runs them, keeps their leases."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer.applications import PgQueuer
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.domain.types import Channel

from dossier.core.database import SYSTEM_ROLE, asyncpg_url
from dossier.core.listening import Listener
from dossier.integrations.queue.delivery import Handler
from dossier.integrations.queue.driver import LastingDriver
from dossier.integrations.queue.engine import engine_queries
from dossier.integrations.queue.executor import executor_factory
from dossier.integrations.queue.lease import LeaseKeeper, end_process, settling_s
from dossier.integrations.queue.lost import outlast
from dossier.integrations.queue.names import ENGINE_CHANNEL, TABLE

logger = logging.getLogger(__name__)

_OWNER = f"select queue_manager_id from {TABLE} where id = $1 and status = 'picked'"  # noqa: S608 - the name is a constant
_SETTLING = f"""
select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8
where exists (select from {TABLE} where status = 'picked')
"""  # noqa: S608 - the name is a constant


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How one worker takes and holds jobs."""

    lease_s: float = 25
    dequeue_timeout_s: float = 0.5
    batch_size: int = 20
    max_concurrent: int = 200


@dataclass(frozen=True, slots=True)
class Timer:
    """Something short that one of all workers does at each due time."""

    name: str
    cron: str
    action: Callable[[], Awaitable[object]]


class EngineWorker:
    """One worker: its connections, its lease keeper, its loop."""

    def __init__(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        timers: Sequence[Timer] = (),
        options: EngineOptions | None = None,
    ) -> None:
        self._url = asyncpg_url(url)
        self._handlers = handlers
        self._timers = timers
        self._options = options or EngineOptions()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what runs and return."""
        async with self._pool() as pool:
            await outlast(
                lambda: _settled(pool, settling_s(self._options.lease_s)), stop.is_set
            )
            engine = self._engine(pool)
            keeper = self._keeper(engine)
            keeper.start()
            watch = asyncio.create_task(_pass_on(stop, engine.shutdown))
            try:
                await self._loop(engine)
            finally:
                watch.cancel()
                await keeper.close()

    @contextlib.asynccontextmanager
    async def _pool(self) -> AsyncIterator["asyncpg.Pool[Any]"]:
        pool = asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=4,
            server_settings={"role": SYSTEM_ROLE, "application_name": "dossier worker"},
        )
        try:
            await pool
            yield pool
        finally:
            pool.terminate()

    def _engine(self, pool: "asyncpg.Pool[Any]") -> PgQueuer:
        driver = LastingDriver(pool, Listener(self._url), lease_s=self._options.lease_s)
        engine = PgQueuer(
            driver, channel=Channel(ENGINE_CHANNEL), queries=engine_queries(driver)
        )
        driver.stopping_with(engine.shutdown)
        owner = engine.qm.queue_manager_id

        async def leave_if_taken(engine_id: int) -> None:
            if await pool.fetchval(_OWNER, engine_id) not in {None, owner}:
                end_process()

        for kind, handler in self._handlers.items():
            factory = executor_factory(handler, leave_if_taken)
            engine.entrypoint(kind, executor_factory=factory)(_never)
        for timer in self._timers:
            engine.schedule(timer.name, timer.cron)(_on_schedule(timer))
        return engine

    def _keeper(self, engine: PgQueuer) -> LeaseKeeper:
        return LeaseKeeper(
            self._url,
            engine.qm.queue_manager_id,
            lambda: list(engine.qm.job_context),
            lease_s=self._options.lease_s,
        )

    async def _loop(self, engine: PgQueuer) -> None:
        options = self._options
        await engine.run(
            dequeue_timeout=timedelta(seconds=options.dequeue_timeout_s),
            batch_size=options.batch_size,
            # The engine refuses less than two batches.
            max_concurrent_tasks=max(options.max_concurrent, 2 * options.batch_size),
            shutdown_on_listener_failure=False,
            heartbeat_timeout=timedelta(seconds=options.lease_s),
            log_aggregation_interval=timedelta(0),
        )


async def _settled(pool: "asyncpg.Pool[Any]", enough_s: float) -> None:
    """Wait while living workers may not have beaten since the server's restart."""
    age_s = await pool.fetchval(_SETTLING)
    if age_s is not None and age_s < enough_s:
        await asyncio.sleep(enough_s - age_s)


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()


async def _never(_job: Job) -> None:
    """Satisfy the engine, whose executor calls the handler instead."""


def _on_schedule(timer: Timer) -> Callable[[Schedule], Awaitable[None]]:
    async def fire(_schedule: Schedule) -> None:
        await timer.action()

    return fire
