"""Streams as a client hears them: taken in raw, looked into when all is over."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson
from typing_extensions import override

_END_OF_HEAD = b"\r\n\r\n"


@dataclass(slots=True)
class Heard:
    """One stream: its bytes, and when they came."""

    sent_at: float = 0.0
    first_token_at: float = 0.0
    arrivals: list[float] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    @property
    def first_token_ms(self) -> float:
        """Return the time from the request to the first token."""
        return (self.first_token_at - self.sent_at) * 1000

    def longest_silence_ms(self) -> float:
        """Return the longest time without a byte after the first token."""
        times = [self.first_token_at, *(t for t in self.arrivals if self._counts(t))]
        gaps = (after - before for before, after in pairwise(times))
        return max(gaps, default=0.0) * 1000

    def _counts(self, arrived_at: float) -> bool:
        return arrived_at > self.first_token_at > 0

    def status(self) -> int:
        """Return the status of the answer."""
        return int(self.content[9:12] or 0)

    def end(self) -> str:
        """Return how it ended: the type of its last event, else its status."""
        last = [data.get("type", "") for _, data in self.events()][-1:]
        return last[0] if last else str(self.status())

    def events(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number and the data of each event, in their order."""
        for block in _body(bytes(self.content)).split(b"\n\n"):
            lines = dict(_line(line) for line in block.split(b"\n") if b":" in line)
            data = lines.get(b"data", b"")
            if data.startswith(b"{"):
                yield int(lines.get(b"id", 0)), orjson.loads(data)


def _line(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


def _body(content: bytes) -> bytes:
    """Return what was sent, without the frames of its chunks."""
    head, _, rest = content.partition(_END_OF_HEAD)
    if b"chunked" not in head.lower():
        return rest
    pieces = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size or b"0", 16)
        pieces.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(pieces)


class _Listener(asyncio.Protocol):
    def __init__(self, token: bytes, last: bytes, tokens: int | None) -> None:
        self.heard = Heard()
        self.ended = asyncio.get_running_loop().create_future()
        self._token = token
        self._last = last
        self._left = tokens
        self._tail = b""

    @override
    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self.heard.arrivals.append(now)
        self.heard.content += data
        seen = self._tail + data
        self._tail = seen[-64:]
        if not self.heard.first_token_at and self._token in seen:
            self.heard.first_token_at = now
        if self._last in seen or self._is_enough(data):
            self._end()

    def _is_enough(self, data: bytes) -> bool:
        """Tell whether as many tokens came as were wanted."""
        if self._left is None:
            return False
        self._left -= data.count(self._token)
        return self._left <= 0

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


@dataclass(frozen=True, slots=True)
class Voice:
    """A kind of stream: what is sent, and by which bytes a token and the end show."""

    port: int
    token: bytes
    last: bytes
    request: Callable[[int], bytes]


async def listen(voice: Voice, number: int, tokens: int | None = None) -> Heard:
    """Ask once and hear the answer to its end, or leave after some tokens."""
    loop = asyncio.get_running_loop()
    transport, listener = await loop.create_connection(
        lambda: _Listener(voice.token, voice.last, tokens), "127.0.0.1", voice.port
    )
    try:
        listener.heard.sent_at = time.monotonic()
        transport.write(voice.request(number))
        await listener.ended
    finally:
        transport.abort() if tokens else transport.close()
    return listener.heard


async def listen_together(
    voices: Sequence[Voice], count: int, within_s: float
) -> list[Heard]:
    """Hear many streams at once, begun one after the other within a time."""

    async def late(number: int) -> Heard:
        await asyncio.sleep(within_s * number / count)
        return await listen(voices[number % len(voices)], number)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(late(number)) for number in range(count)]
    return [task.result() for task in tasks]
