"""The lease keeper, against rows that another worker may take."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self
from uuid import UUID

import asyncpg
import pytest

from dossier.core.database import asyncpg_url
from dossier.core.models import new_id
from dossier.integrations.queue.lease import (
    LeaseKeeper,
    beat_interval_s,
    settling_s,
)

ENGINE_ID = 1
LEASE_S = 0.4
_CLAIM = """
insert into queue.pgqueuer
  (id, priority, entrypoint, status, queue_manager_id, heartbeat)
values ($1, 0, 'tests.act', 'picked', $2, now() - interval '1 hour')
"""
_IS_STALE = """
select heartbeat < clock_timestamp() - interval '1 minute' from queue.pgqueuer
"""


@pytest.fixture
async def watcher(fresh_database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(asyncpg_url(fresh_database))
    yield connection
    await connection.close()


class Keeping:
    """A keeper of one job, and whether `on_taken` was called."""

    def __init__(self, url: str, owner: UUID) -> None:
        loop = asyncio.get_running_loop()
        self.taken = asyncio.Event()
        self.keeper = LeaseKeeper(
            asyncpg_url(url),
            lambda: {ENGINE_ID: owner},
            lease_s=LEASE_S,
            on_taken=lambda: loop.call_soon_threadsafe(self.taken.set),
        )

    async def __aenter__(self) -> Self:
        self.keeper.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.keeper.close()


async def until_fresh(watcher: Any) -> None:
    async with asyncio.timeout(5):
        while await watcher.fetchval(_IS_STALE):
            pass


async def test_the_lease_of_a_running_job_is_renewed(
    fresh_database: str, watcher: Any
) -> None:
    owner = new_id()
    await watcher.execute(_CLAIM, ENGINE_ID, owner)

    async with Keeping(fresh_database, owner) as keeping:
        await until_fresh(watcher)

    assert not keeping.taken.is_set()


async def test_the_keeper_goes_on_when_its_connection_is_cut(
    fresh_database: str, watcher: Any
) -> None:
    owner = new_id()
    await watcher.execute(_CLAIM, ENGINE_ID, owner)

    async with Keeping(fresh_database, owner):
        await until_fresh(watcher)
        await watcher.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await watcher.execute(
            "update queue.pgqueuer set heartbeat = now() - interval '1 hour'"
        )
        await until_fresh(watcher)


async def test_a_job_that_another_worker_holds_is_noticed(
    fresh_database: str, watcher: Any
) -> None:
    await watcher.execute(_CLAIM, ENGINE_ID, new_id())

    async with Keeping(fresh_database, new_id()) as keeping, asyncio.timeout(5):
        await keeping.taken.wait()


async def test_a_job_that_has_just_ended_is_not_taken(
    fresh_database: str, watcher: Any
) -> None:
    ended, owner = new_id(), new_id()
    await watcher.execute(_CLAIM, ENGINE_ID + 1, owner)

    async with Keeping(fresh_database, ended) as keeping:
        # Its row is gone: the keeper sees neither its own nor another's claim.
        async with asyncio.timeout(5):
            while not await watcher.fetchval(
                "select exists (select from pg_stat_activity "
                "where query like '%queue_manager_id <> running.owner%' "
                "and pid <> pg_backend_pid() and datname = current_database())"
            ):
                pass

    assert not keeping.taken.is_set()


@pytest.mark.parametrize(("lease_s", "interval_s"), [(25, 1), (1, 0.125), (0.1, 0.05)])
def test_a_lease_is_renewed_eight_times_and_at_least_each_second(
    lease_s: float, interval_s: float
) -> None:
    assert beat_interval_s(lease_s) == interval_s
    assert settling_s(lease_s) > 3 * interval_s
