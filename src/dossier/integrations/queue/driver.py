"""The engine's database driver: its statements outlive lost connections."""

import asyncio
from typing import Any

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.ports.driver import NotifyCallback
from typing_extensions import override

from dossier.core.listening import Listener
from dossier.integrations.queue.lost import outlast


class LastingDriver(AsyncpgPoolDriver):
    """Repeats each statement until the database answers; LISTEN comes back.

    The engine's own statements are safe to repeat: each is one compare-and-set, and a
    claim whose reply was lost goes stale and is taken again.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", listener: Listener) -> None:
        super().__init__(pool)
        self._listener = listener
        self._stopping = asyncio.Event()

    @override
    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        fetch = super().fetch
        return await outlast(lambda: fetch(query, *args), self._gives_up)

    @override
    async def execute(self, query: str, *args: object) -> str:
        execute = super().execute
        return await outlast(lambda: execute(query, *args), self._gives_up)

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
        self._entered -= 1
        if self._entered <= 0:
            await self._listener.close()

    def stopping_with(self, stopping: asyncio.Event) -> None:
        """Give up on a dead database once this is set: a drain must come to its end."""
        self._stopping = stopping

    def _gives_up(self) -> bool:
        return self._stopping.is_set()
