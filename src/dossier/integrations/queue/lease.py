"""Renews the leases of running jobs from a thread of its own.

A job that blocks the event loop cannot lose its lease, because leases are not renewed
there. Code that holds the interpreter lock for longer than the lease still can:
such work belongs in another process.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import asyncpg

from dossier.core.database import SYSTEM_ROLE
from dossier.core.listening import GONE
from dossier.integrations.queue.client import TABLE

logger = logging.getLogger(__name__)

LEASE_TAKEN_EXIT = 75
"""Exit code of a process that lost its jobs; start it again (EX_TEMPFAIL)."""
LEASE_TIMEOUT_S = 3
_BEAT = f"""
update {TABLE} held set heartbeat = clock_timestamp()
from unnest($1::bigint[], $2::uuid[]) as running (id, owner)
where held.id = running.id and held.status = 'picked'
  and held.queue_manager_id = running.owner
returning held.id
"""  # noqa: S608 - the name is a constant
_TAKEN = f"""
select held.id from {TABLE} held
join unnest($1::bigint[], $2::uuid[]) as running (id, owner) using (id)
where held.status = 'picked' and held.queue_manager_id <> running.owner
"""  # noqa: S608 - the name is a constant


def beat_interval_s(lease_s: float) -> float:
    """Return how often a worker renews its leases, in seconds."""
    return max(0.05, min(1.0, lease_s / 8))


def settling_s(lease_s: float) -> float:
    """Return how long, after an outage, until all workers have renewed their leases."""
    return 3 * beat_interval_s(lease_s) + 0.2


def end_process() -> None:
    """End at once: another worker has our jobs, and two must never run one."""
    logger.critical("queue.lease.taken")
    os._exit(LEASE_TAKEN_EXIT)  # a clean exit would wait for the jobs


class LeaseKeeper:
    """Renews the leases of the jobs that one worker runs, until it is closed.

    Args:
        url: The database.
        running: Returns the engine's rows that run here and the manager of each; it is
            called from the thread.
        lease_s: The shortest lease of the worker's queues.
        on_taken: Called when another worker has a job that still runs here.
    """

    def __init__(
        self,
        url: str,
        running: Callable[[], Mapping[int, UUID]],
        *,
        lease_s: float,
        on_taken: Callable[[], object] = end_process,
    ) -> None:
        self._url = url
        self._running = running
        self._interval_s = beat_interval_s(lease_s)
        self._on_taken = on_taken
        self._closing = threading.Event()
        self._connection: Any = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._keep()), name="lease", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def close(self) -> None:
        """Stop the thread; called when no job runs any more."""
        self._closing.set()
        await asyncio.to_thread(self._thread.join)

    async def _keep(self) -> None:
        while not self._closing.wait(self._interval_s):
            try:
                await self._beat(self._running())
            except (*GONE, OSError) as exc:
                logger.warning("queue.lease.missed", extra={"reason": repr(exc)[:200]})
                self._drop()
        self._drop()

    async def _beat(self, running: Mapping[int, UUID]) -> None:
        if not running:
            return
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._url,
                timeout=LEASE_TIMEOUT_S,
                server_settings={"role": SYSTEM_ROLE},
            )
        columns = list(running), list(running.values())
        rows = await self._connection.fetch(_BEAT, *columns, timeout=LEASE_TIMEOUT_S)
        kept = {row["id"] for row in rows}
        lost = {key: owner for key, owner in running.items() if key not in kept}
        if not lost:
            return
        columns = list(lost), list(lost.values())
        rows = await self._connection.fetch(_TAKEN, *columns, timeout=LEASE_TIMEOUT_S)
        still_running = set(self._running())
        if any(row["id"] in still_running for row in rows):
            self._on_taken()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
