"""One clock for all streams: a thousand of them share a timer, not a task each."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from dossier.testing.model_server.calls import Call

_TICK_S = 0.001


def chunk(content: bytes) -> bytes:
    """Frame bytes as one chunk of HTTP/1.1."""
    return b"%x\r\n%b\r\n" % (len(content), content)


@dataclass(eq=False, slots=True)
class Stream:
    """Tokens that are due one after the other on one connection."""

    transport: asyncio.Transport
    opening: bytes
    tokens: tuple[bytes, ...]
    first_at: float
    delay_s: float
    call: Call
    done: asyncio.Future[None]
    sent: int = 0

    def due_at(self) -> float:
        """Return when the next token is due: by the plan, so that nothing drifts."""
        return self.first_at + self.sent * self.delay_s

    def send(self) -> bool:
        """Write the next token; tell whether there is another one."""
        if self.done.done() or self.transport.is_closing():
            self.end()
            return False
        content = self.tokens[self.sent]
        if self.sent == 0:
            content = self.opening + content
            self.call.first_token_s = time.monotonic()
        self.transport.write(chunk(content))
        self.sent += 1
        self.call.tokens_sent = self.sent
        if self.sent < len(self.tokens):
            return True
        self.end()
        return False

    def end(self) -> None:
        """Let whoever waits go on."""
        if not self.done.done():
            self.done.set_result(None)


@dataclass(slots=True)
class Pacer:
    """Sends what is due, tick by tick."""

    _due: defaultdict[int, list[Stream]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _timer: asyncio.TimerHandle | None = None
    _timer_tick: int = 0

    async def play(self, stream: Stream) -> None:
        """Send all tokens of a stream in their time; return after the last."""
        if stream.delay_s == 0:
            await self._at_once(stream)
            return
        self._plan(stream)
        await stream.done

    async def _at_once(self, stream: Stream) -> None:
        wait_s = stream.first_at - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if not stream.transport.is_closing():
            stream.call.first_token_s = time.monotonic()
            stream.transport.write(chunk(stream.opening + b"".join(stream.tokens)))
            stream.sent = stream.call.tokens_sent = len(stream.tokens)

    def close(self) -> None:
        """Stop the clock and let all streams end."""
        if self._timer:
            self._timer.cancel()
        for streams in self._due.values():
            for stream in streams:
                stream.end()
        self._due.clear()

    def _plan(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        if stream.due_at() <= loop.time() and not stream.send():
            return
        tick = int(stream.due_at() / _TICK_S) + 1
        self._due[tick].append(stream)
        if self._timer is None or tick < self._timer_tick:
            self._wake_at(tick)

    def _wake_at(self, tick: int) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer_tick = tick
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(tick * _TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for tick in [tick for tick in sorted(self._due) if tick * _TICK_S <= now]:
            for stream in self._due.pop(tick):
                if stream.send():
                    self._due[int(stream.due_at() / _TICK_S) + 1].append(stream)
        if self._due:
            self._wake_at(min(self._due))
