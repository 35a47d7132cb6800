"""Reads a stream less often while many are open, so that a process bears more of them.

What a token costs is mostly paid per reading: a system call, a task that wakes, an
event that is stored and sent. Few streams are read whenever something comes. Of many,
each rests after a reading; what comes meanwhile gathers in its socket, and goes on in
one piece.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

MOST_UNRESTED = 150
"""So many streams are read whenever something comes."""
REST_S = 0.15
"""Of more, each rests so long after a reading: three tokens of a usual server."""
_TICK_S = 0.005


class Gathering:
    """The streams of one event loop; those that rest share one timer."""

    def __init__(
        self, most_unrested: int = MOST_UNRESTED, rest_s: float = REST_S
    ) -> None:
        self.rest_s = rest_s
        self._most_unrested = most_unrested
        self._streams = 0
        self._resting: deque[tuple[float, Rest]] = deque()
        """All rest equally long: who began first is the first to end."""
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def joined(self, response: aiohttp.ClientResponse) -> Iterator["Rest"]:
        """Count a stream as long as the block lasts."""
        self._streams += 1
        rest = Rest(self, response)
        try:
            yield rest
        finally:
            self._streams -= 1
            rest.end()

    def let_rest(self, rest: "Rest") -> bool:
        """End a rest in a while, where there are many streams; tell whether so."""
        if self._streams <= self._most_unrested:
            return False
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self.rest_s
        self._resting.append((due_s, rest))
        if self._timer is None:
            self._timer = loop.call_at(due_s, self._wake)
        return True

    def _wake(self) -> None:
        loop = asyncio.get_running_loop()
        resting, now_s = self._resting, loop.time()
        while resting and resting[0][0] <= now_s:
            resting.popleft()[1].end()
        self._timer = None
        if resting:
            at_s = max(resting[0][0], now_s + _TICK_S)
            self._timer = loop.call_at(at_s, self._wake)


class Rest:
    """Lets one stream lie, and takes it up again; nobody waits for that."""

    __slots__ = ("_gathering", "_response", "_transport")

    def __init__(self, gathering: Gathering, response: aiohttp.ClientResponse) -> None:
        self._gathering = gathering
        self._response = response
        self._transport: asyncio.Transport | None = None

    @property
    def length_s(self) -> float:
        """Return how long a rest is, where there is one."""
        return self._gathering.rest_s

    def begin(self) -> bool:
        """Read nothing for a while, where many streams are open; tell whether so."""
        connection = self._response.connection
        if connection is None or connection.transport is None:
            return False
        if not self._gathering.let_rest(self):
            return False
        self._transport = connection.transport
        self._transport.pause_reading()
        return True

    def end(self) -> None:
        """Read on."""
        transport, self._transport = self._transport, None
        if transport is not None and not transport.is_closing():
            transport.resume_reading()
