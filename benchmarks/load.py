"""A bounded load generator: kept-alive connections over loopback, nothing else.

Runs in the benchmark's own process, so that the server has a core to itself.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from benchmarks.figures import Figures, figures
from benchmarks.processes import cpu_s
from benchmarks.wire import body_length
from typing_extensions import override

Request = Callable[[int], bytes]
"""Makes the n-th request of a run."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run goes, and how hard."""

    port: int
    pid: int
    connections: int = 10
    seconds: float = 3.0
    warm_up_seconds: float = 0.7


def always(content: bytes) -> Request:
    """Return a request that never changes."""
    return lambda _number: content


async def drive(target: Target, make: Request) -> Figures:
    """Send requests for the given time and return what was measured."""
    await _run(target, make, target.warm_up_seconds)
    before_s = cpu_s(target.pid)
    run = await _run(target, make, target.seconds)
    used_s = cpu_s(target.pid) - before_s
    return figures(run.latencies_ms, run.elapsed_s, used_s, run.refused)


class _Run:
    """What all connections of one run share."""

    def __init__(self, make: Request, seconds: float) -> None:
        self.latencies_ms: list[float] = []
        self.refused = 0
        self.elapsed_s = 0.0
        self._make = make
        self._number = 0
        self.started_at = time.perf_counter()
        self.until = self.started_at + seconds

    def next_request(self) -> bytes | None:
        """Return the next request, or nothing when the time is over."""
        if time.perf_counter() >= self.until:
            return None
        self._number += 1
        return self._make(self._number)

    def record(self, status: int, started_at: float) -> None:
        """Count one answer."""
        now = time.perf_counter()
        self.latencies_ms.append((now - started_at) * 1000)
        self.elapsed_s = now - self.started_at
        self.refused += status >= 400  # noqa: PLR2004 - the first status of failure


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run, ended: "asyncio.Future[None]") -> None:
        self._run = run
        self._ended = ended
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transports are of no class of asyncio.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    @override
    def data_received(self, data: bytes) -> None:
        """Take one answer whole, then send the next request."""
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < body_length(head):
            return
        self._run.record(int(self._buffer[9:12]), self._sent_at)
        self._buffer = b""
        self._send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """End; a connection that the server closes early counts as refused."""
        del exc  # the server's reason is the same to us as none
        if not self._ended.done():
            self._run.refused += 1
            self._ended.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        content = self._run.next_request()
        if content is None:
            self._ended.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(content)


async def _run(target: Target, make: Request, seconds: float) -> _Run:
    loop = asyncio.get_running_loop()
    run = _Run(make, seconds)
    ends: list[asyncio.Future[None]] = []
    for _ in range(target.connections):
        ended = loop.create_future()
        ends.append(ended)
        await loop.create_connection(
            lambda ended=ended: _Connection(run, ended),  # type: ignore[misc] # default binds the loop's variable
            "127.0.0.1",
            target.port,
        )
    await asyncio.wait(ends)
    return run
