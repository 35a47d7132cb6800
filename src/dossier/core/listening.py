"""One LISTEN connection that is opened again when it is lost."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

logger = logging.getLogger(__name__)

GONE = (
    ConnectionError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # A connection cut between two messages of one statement leaves the driver here.
    asyncpg.InternalClientError,
)
"""What the driver raises when the server is away, starting, stopping or full."""

RECONNECT_S = 0.5
LISTEN_TIMEOUT_S = 5
PROBE_INTERVAL_S = 10
"""How often an idle connection is tested: a firewall may drop it without a sign."""

Callback = Callable[[str], None]


class Listener:
    """Delivers the payloads of NOTIFY, over as many connections as it takes.

    What is sent while no connection is up is lost: `on_return` runs after each
    connection, so that listeners can read what they missed.
    """

    def __init__(self, url: str, on_return: Callable[[], None] | None = None) -> None:
        self._url = url
        self._on_return = [] if on_return is None else [on_return]
        self._callbacks: list[tuple[str, Callback]] = []
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(
        self,
        channel: str,
        callback: Callback,
        on_return: Callable[[], None] | None = None,
    ) -> None:
        """Deliver a channel's payloads from the moment that the server listens.

        `on_return` then runs for the first time.
        """
        if on_return is not None:
            self._on_return.append(on_return)
        entry = channel, callback
        if entry not in self._callbacks:  # a cancelled call may be repeated
            self._callbacks.append(entry)
        self._ready.clear()
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="listener")

    async def add(self, channel: str, callback: Callback) -> None:
        """Deliver a channel's payloads; returns when the server listens."""
        self.subscribe(channel, callback)
        await self._ready.wait()

    def remove(self, channel: str, callback: Callback) -> None:
        """Deliver no more to this callback."""
        self._callbacks.remove((channel, callback))

    async def close(self) -> None:
        """Give the connection back and stop."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except (*GONE, OSError):  # OSError: the socket of a server that is away
                await asyncio.sleep(RECONNECT_S)
            except Exception:
                logger.exception("listener.failed")
                await asyncio.sleep(RECONNECT_S)

    async def _serve(self) -> None:
        connection: Any = await asyncpg.connect(self._url, timeout=LISTEN_TIMEOUT_S)
        connection.add_termination_listener(lambda _: self._changed.set())
        listened: set[str] = set()
        try:
            while not connection.is_closed():
                self._changed.clear()
                for channel in {channel for channel, _ in self._callbacks} - listened:
                    await connection.add_listener(channel, self._deliver)
                    listened.add(channel)
                if {channel for channel, _ in self._callbacks} <= listened:
                    self._ready.set()
                for on_return in self._on_return:
                    on_return()
                while not self._changed.is_set():
                    try:
                        async with asyncio.timeout(PROBE_INTERVAL_S):
                            await self._changed.wait()
                    except TimeoutError:
                        await connection.fetchval("select 1", timeout=LISTEN_TIMEOUT_S)
        finally:
            self._ready.clear()
            connection.terminate()

    def _deliver(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        for wanted, callback in tuple(self._callbacks):
            if wanted == channel:
                callback(payload)
