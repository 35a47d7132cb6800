"""The engine's database driver: its statements are repeated after lost connections."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.ports.driver import NotifyCallback
from typing_extensions import override

from dossier.core.listening import GONE, Listener
from dossier.core.reconnect import is_lost, retry_until_connected
from dossier.integrations.queue.lease import settling_s

T = TypeVar("T")


class ReconnectingDriver(AsyncpgPoolDriver):
    """Repeats each statement until the database answers; LISTEN comes back.

    The engine's own statements are safe to repeat: each is one compare-and-set, and the
    lease of a claim whose reply was lost ends, and it is taken again.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        listener: Listener,
        stopping: asyncio.Event,
        *,
        lease_s: float,
    ) -> None:
        super().__init__(pool)
        self._listener = listener
        # Retries end once this is set: a drain must end without a database.
        self._stopping = stopping
        self._short_outage_s = lease_s / 4
        self._settling_s = settling_s(lease_s)

    @override
    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        fetch = super().fetch
        return await self._retry(lambda: fetch(query, *args))

    @override
    async def execute(self, query: str, *args: object) -> str:
        execute = super().execute
        return await self._retry(lambda: execute(query, *args))

    @override
    async def notify(self, channel: str, payload: str) -> None:
        await self.execute("select pg_notify($1, $2)", channel, payload)

    @override
    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._listener.add(channel, callback)

    @override
    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        self._listener.remove(channel, callback)

    @override
    async def __aexit__(self, *_: object) -> None:
        """Leave the listener alone: all managers share it, and the worker closes it."""

    async def _retry(self, action: Callable[[], Awaitable[T]]) -> T:
        probe = super().fetch
        while True:
            try:
                return await action()
            except (*GONE, OSError) as exc:
                if not is_lost(exc):
                    raise
            began_s = time.monotonic()
            await retry_until_connected(
                lambda: probe("select 1"), self._stopping.is_set
            )
            # After an outage as long as the lease all leases have ended: the first
            # worker to claim would take jobs that others are still running. So wait
            # until these have renewed their leases.
            if time.monotonic() - began_s > self._short_outage_s:
                await asyncio.sleep(self._settling_s)
