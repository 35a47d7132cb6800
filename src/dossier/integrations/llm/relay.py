"""Reads one stream: pieces of text out, time-outs and limits watched."""

import asyncio
from typing import Literal, Protocol

import aiohttp
import orjson

from dossier.integrations.llm import faults
from dossier.integrations.llm.gathering import Rest
from dossier.integrations.llm.models import Completed, Usage
from dossier.integrations.llm.plan import CallLimits
from dossier.integrations.llm.sse import SseEvent, SseParser

_MAX_STREAM_BYTES = 64 * 1024 * 1024
_GRACE_S = 0.01
_NOT_OF_THE_PROTOCOL = (ValueError, TypeError, AttributeError, LookupError)


class Reader(Protocol):
    """What a wire makes of the events of a stream."""

    model: str
    finish_reason: Literal["stop", "length", "refusal"] | None
    error: object
    has_begun: bool
    is_done: bool

    @property
    def usage(self) -> Usage:
        """Return the tokens that the server counted."""
        ...

    def read(self, event: SseEvent, /) -> str:
        """Return the text of an event; raises where it is not of the protocol."""
        ...


class Watch:
    """Closes a response that stays silent; one timer, nothing to do per token."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        reader: Reader,
        first_by_s: float,
        idle_s: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._reader = reader
        self._first_by_s = first_by_s
        self._idle_s = idle_s
        self._waits_for_first = True
        self._overdue_s = 0.0
        self.heard_at_s = self._loop.time()
        self.is_reading = False
        self.has_fired = False
        self._timer = self._loop.call_at(first_by_s, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def hear(self) -> None:
        """Note that the server said something, or that we listen again."""
        self.heard_at_s = self._loop.time()
        if self._waits_for_first and self._reader.has_begun:
            self._waits_for_first = False
            self._timer.cancel()
            at_s = self.heard_at_s + self._idle_s
            self._timer = self._loop.call_at(at_s, self._look)

    def _look(self) -> None:
        due_s = self.heard_at_s + self._idle_s
        if self._waits_for_first:
            due_s = self._first_by_s
        now_s = self._loop.time()
        if due_s <= now_s and self.is_reading:
            self._give_up(due_s)
            return
        # While our own reader takes its time, the server is not to blame.
        at_s = due_s if due_s > now_s else now_s + self._idle_s
        self._timer = self._loop.call_at(at_s, self._look)

    def _give_up(self, due_s: float) -> None:
        """Close at the second look: if we stood still, words may lie here unread."""
        if self._overdue_s != due_s:
            self._overdue_s = due_s
            self._timer = self._loop.call_later(_GRACE_S, self._look)
            return
        self.has_fired = True
        self._response.close()


class Relay:
    """The text of one stream, as it comes."""

    def __init__(
        self,
        label: str,
        response: aiohttp.ClientResponse,
        reader: Reader,
        rest: Rest,
        *,
        limits: CallLimits,
        started_at_s: float,
        max_characters: int,
    ) -> None:
        self._label = label
        self._response = response
        self._rest = rest
        self._may_rest = rest.length_s < limits.idle_timeout_s / 2
        self._reader = reader
        self._limits = limits
        self._parser = SseParser()
        self._failed: faults.AttemptFailedError | None = None
        self._head = b""
        self._has_events = False
        self._was_handed_out = False
        self._size_bytes = 0
        self._left = max_characters
        self.is_stopped = False
        self.written: list[str] = []
        first_by_s = started_at_s + limits.first_token_timeout_s
        self._watch = Watch(response, reader, first_by_s, limits.idle_timeout_s)

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far; who was stopped did not count the last."""
        return Usage() if self.is_stopped else self._reader.usage

    def close(self) -> None:
        """Watch no longer."""
        self._watch.stop()

    def end(self, model: str, server: str) -> Completed:
        """Return how the answer ended; `model` is the one that was asked."""
        return Completed(
            model=self._reader.model or model,
            usage=self.usage,
            finish_reason=self._reader.finish_reason or "stop",
            server=server,
        )

    async def read(self) -> list[str] | None:
        """Return the next pieces; `None` at the end; raises where there is none."""
        if self._failed is not None:
            raise self._failed
        chunk = b"" if self._reader.is_done else await self._chunk()
        if chunk:
            return self._gathered(self._texts(chunk))
        if self._reader.is_done or self._reader.finish_reason is not None:
            return None
        raise self._ended_early()

    async def _chunk(self) -> bytes:
        watch = self._watch
        watch.is_reading = True
        if self._was_handed_out:  # the time that our own reader took is not counted
            watch.hear()
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken() from error
        finally:
            watch.is_reading = False

    def _gathered(self, texts: list[str]) -> list[str]:
        """Let the stream lie for a while, if it is one of many; then tell in one piece.

        The first words are told at once, and nothing lies after the last ones.
        """
        if not texts or self._reader.is_done or not self._may_rest:
            return texts
        return ["".join(texts)] if self._rest.begin() else texts

    def _texts(self, chunk: bytes) -> list[str]:
        """Read whole events; what came before a fault is still handed out."""
        texts: list[str] = []
        try:
            events = self._parser.feed(chunk)
            for event in events:
                text = self._reader.read(event)
                if text:
                    texts.append(text.replace("\0", ""))
        except _NOT_OF_THE_PROTOCOL:
            self._failed = faults.malformed(self._label, "what its wire does not know")
        else:
            self._check(chunk, has_events=bool(events))
        texts = self._bounded(texts)
        self._was_handed_out = bool(texts)
        self.written += texts
        return texts

    def _bounded(self, texts: list[str]) -> list[str]:
        """End an answer that is longer than was asked for: its server would go on."""
        self._left -= sum(map(len, texts))
        if self._left >= 0:
            return texts
        self.is_stopped = self._reader.is_done = True
        self._reader.finish_reason = "length"
        self._failed = None
        kept = "".join(texts)[: self._left]
        return [kept] if kept else []

    def _check(self, chunk: bytes, *, has_events: bool) -> None:
        self._size_bytes += len(chunk)
        if has_events:  # comments keep a connection alive, they do not answer
            self._has_events = True
            self._watch.hear()
        elif not self._has_events:
            self._head += chunk
        if self._reader.error is not None:
            self._failed = faults.told(self._label, self._reader.error)
        elif self._size_bytes > _MAX_STREAM_BYTES:
            self._failed = faults.malformed(self._label, "more than is taken")

    def _broken(self) -> faults.AttemptFailedError:
        has_begun = self._reader.has_begun
        if not self._watch.has_fired:
            return faults.cut(self._label, has_begun=has_begun)
        limits = self._limits
        limit_s = limits.idle_timeout_s if has_begun else limits.first_token_timeout_s
        return faults.silent(self._label, limit_s, has_begun=has_begun)

    def _ended_early(self) -> faults.AttemptFailedError:
        """Tell a stream that was cut from an answer that is no stream at all."""
        if self._has_events or not self._head:
            return faults.cut(self._label, has_begun=self._reader.has_begun)
        try:
            told = orjson.loads(self._head)
        except orjson.JSONDecodeError:
            return faults.malformed(self._label, "without a stream of events")
        if isinstance(told, dict) and told.get("error"):
            return faults.told(self._label, told["error"])
        return faults.malformed(self._label, "without a stream of events")
