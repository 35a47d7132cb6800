"""The worker's loops: take jobs from the engine, run them, keep their leases.

Jobs are taken by several queue managers, one for each group of kinds, over one pool and
one listening connection. Each has its own cap: the engine's `concurrency_limit` counts
over all workers, and what a manager has claimed counts against its own
`max_concurrent_tasks` alone, so that one group never starves another.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.core.executors import (
    AbstractEntrypointExecutor,
)
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job, Schedule
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.sm import SchedulerManager
from typing_extensions import override

from dossier.core.database import SYSTEM_ROLE, asyncpg_url
from dossier.core.listening import Listener
from dossier.core.reconnect import retry_until_connected
from dossier.integrations.queue.client import ENGINE_CHANNEL, QUEUE_SCHEMA, TABLE
from dossier.integrations.queue.delivery import Delivery, DeliveryHandler
from dossier.integrations.queue.driver import ReconnectingDriver
from dossier.integrations.queue.lease import LeaseKeeper, end_process, settling_s

logger = logging.getLogger(__name__)

POOL_SIZE = 4
FAILED_DELAY = timedelta(seconds=2)
"""Before a job is delivered again whose handler raised."""
_OWNER = f"select queue_manager_id from {TABLE} where id = $1 and status = 'picked'"  # noqa: S608 - the name is a constant
_SERVER_AGE = f"""
select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8
where exists (select from {TABLE} where status = 'picked')
"""  # noqa: S608 - the name is a constant


@dataclass(frozen=True, slots=True)
class Queue:
    """A group of kinds that a worker takes together."""

    handlers: Mapping[str, DeliveryHandler]
    max_concurrent: int = 200
    """Jobs at once in one worker; at least two."""
    lease_s: float = 25
    batch_size: int = 20
    """Jobs taken in one statement, unless half of the cap is less."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A short action that one of all workers runs at each due time."""

    name: str
    cron: str
    action: Callable[[], Awaitable[object]]


class EngineWorker:
    """One worker: its connections, its lease keeper, its loops."""

    def __init__(
        self,
        url: str,
        queues: Sequence[Queue],
        timers: Sequence[Timer] = (),
        *,
        dequeue_timeout_s: float = 0.5,
    ) -> None:
        self._url = asyncpg_url(url)
        self._queues = [queue for queue in queues if queue.handlers]
        self._timers = timers
        self._dequeue_timeout_s = dequeue_timeout_s
        self._lease_s = min((queue.lease_s for queue in self._queues), default=25)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then wait for what runs and return."""
        async with self._pool() as pool:
            await self._wait_for_beats(pool, stop)
            listener = Listener(self._url)
            driver = ReconnectingDriver(pool, listener, stop, lease_s=self._lease_s)
            managers = [self._manager(driver, pool, queue) for queue in self._queues]

            def running() -> dict[int, UUID]:
                return {
                    engine_id: manager.queue_manager_id
                    for manager in managers
                    for engine_id in list(manager.job_context)
                }

            keeper = LeaseKeeper(self._url, running, lease_s=self._lease_s)
            keeper.start()
            try:
                async with asyncio.TaskGroup() as group:
                    for manager, queue in zip(managers, self._queues, strict=True):
                        manager.shutdown = stop
                        group.create_task(self._take_jobs(manager, queue))
                    if self._timers:
                        scheduler = SchedulerManager(engine_queries(driver))
                        scheduler.shutdown = stop
                        for timer in self._timers:
                            schedule = scheduler.schedule(timer.name, timer.cron)
                            schedule(_on_schedule(timer))
                        group.create_task(scheduler.run())
            finally:
                await keeper.close()
                await listener.close()

    async def _wait_for_beats(
        self, pool: "asyncpg.Pool[Any]", stop: asyncio.Event
    ) -> None:
        """Wait until running workers have renewed their leases after a restart."""
        age_s = await retry_until_connected(
            lambda: pool.fetchval(_SERVER_AGE), stop.is_set
        )
        enough_s = settling_s(self._lease_s)
        if age_s is not None and age_s < enough_s:
            await asyncio.sleep(enough_s - age_s)

    @contextlib.asynccontextmanager
    async def _pool(self) -> AsyncIterator["asyncpg.Pool[Any]"]:
        pool = asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=POOL_SIZE,
            reset=_no_reset,
            server_settings={"role": SYSTEM_ROLE, "application_name": "dossier worker"},
        )
        try:
            await pool
            yield pool
        finally:
            pool.terminate()

    def _manager(
        self, driver: Driver, pool: "asyncpg.Pool[Any]", queue: Queue
    ) -> QueueManager:
        manager = QueueManager(engine_queries(driver), Channel(ENGINE_CHANNEL))

        async def leave_if_taken(engine_id: int) -> None:
            owner = await pool.fetchval(_OWNER, engine_id)
            if owner not in {None, manager.queue_manager_id}:
                end_process()

        for kind, handler in queue.handlers.items():
            factory = partial(
                HandlerExecutor, handler=handler, on_superseded=leave_if_taken
            )
            manager.entrypoint(kind, executor_factory=factory)(_never)
        return manager

    async def _take_jobs(self, manager: QueueManager, queue: Queue) -> None:
        cap = max(queue.max_concurrent, 2)
        await manager.run(
            dequeue_timeout=timedelta(seconds=self._dequeue_timeout_s),
            # The engine refuses a cap of less than two batches.
            batch_size=min(queue.batch_size, cap // 2),
            max_concurrent_tasks=cap,
            shutdown_on_listener_failure=False,
            heartbeat_timeout=timedelta(seconds=queue.lease_s),
            log_aggregation_interval=timedelta(0),
        )


@dataclass
class HandlerExecutor(AbstractEntrypointExecutor):
    """Calls the handler with a claimed row and translates its outcome for the engine.

    Attempts are counted in the job's own row: the engine only delivers.
    """

    handler: DeliveryHandler
    on_superseded: Callable[[int], Awaitable[None]]

    @override
    async def execute(self, job: Job, context: Context) -> None:
        delivery = Delivery.of(job.id, job.payload, context.cancellation)
        try:
            outcome = await self.handler(delivery)
        except asyncio.CancelledError as exc:
            # The loop itself is ending: the engine would delete a cancelled row.
            raise RetryRequested(reason="the worker ended") from exc
        except Exception as exc:
            # The engine would delete the row of a job that is not recorded as ended.
            logger.exception("queue.handler.failed", extra={"engine_id": job.id})
            raise RetryRequested(delay=FAILED_DELAY, reason=repr(exc)[:200]) from exc
        if outcome.is_superseded:
            await self.on_superseded(job.id)
            # The row is that of a newer attempt, which may be queued: it must stay.
            raise RetryRequested(reason="superseded")
        if outcome.again_in_s is not None:
            raise RetryRequested(delay=timedelta(seconds=outcome.again_in_s))


def engine_settings() -> DBSettings:
    """Return settings that name every object: the engine reads stray variables."""
    return DBSettings(
        prefix="",
        db_schema=QUEUE_SCHEMA,
        channel=Channel(ENGINE_CHANNEL),
        function="fn_pgqueuer_changed",
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        trigger="tg_pgqueuer_changed",
        schedules_table="pgqueuer_schedules",
    )


def engine_queries(driver: Driver) -> Queries:
    """Return the engine's statements over a driver, in our schema."""
    settings = engine_settings()
    return Queries(
        driver,
        QueryBuilderEnvironment(settings),
        QueryQueueBuilder(settings),
        QuerySchedulerBuilder(settings),
    )


async def _no_reset(_connection: object) -> None:
    """Leave a connection as it is: no statement of the engine changes its settings.

    The pool's own reset would be half of all statements of a busy worker.
    """


async def _never(_job: Job) -> None:
    """Stand for a handler in the engine's registry; `HandlerExecutor` calls ours.

    The engine evaluates the annotations of what is registered, to see whether it takes
    a `Context` (`pgqueuer.core.executors.wants_context`); so `Job` is a real import.
    """


def _on_schedule(timer: Timer) -> Callable[[Schedule], Awaitable[None]]:
    async def fire(_schedule: Schedule) -> None:
        await timer.action()

    return fire
