"""One call, its wire format, and the answer on its connection."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from starlette.types import Send

from dossier.testing.model_server import anthropic, openai
from dossier.testing.model_server.conversation import (
    Frames,
    JsonObject,
    Reply,
    ScriptedPrompt,
)
from dossier.testing.model_server.script import FaultKind, Script, ScriptedFault
from dossier.testing.model_server.state import RecordedCall

_JSON = {"content-type": "application/json"}
_EVENTS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
}


class HangUpError(Exception):
    """The server closes the connection in the middle of an answer, as if it crashed."""


@dataclass(frozen=True, slots=True)
class WireFormat:
    """How one vendor's requests are read and its answers written."""

    read: Callable[[JsonObject, str], ScriptedPrompt]
    whole: Callable[[ScriptedPrompt, Reply], JsonObject]
    frames: Callable[[ScriptedPrompt, Reply], Frames]
    error: Callable[[int, str, str | None], JsonObject]
    overloaded: int
    """Status of a server that is overloaded."""


OPENAI_FORMAT = WireFormat(openai.read, openai.whole, openai.frames, openai.error, 503)
ANTHROPIC_FORMAT = WireFormat(
    anthropic.read, anthropic.whole, anthropic.frames, anthropic.error, 529
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its connection."""

    send: Send
    call: RecordedCall
    script: Script
    fault: ScriptedFault | None
    wire: WireFormat

    def has_fault(self, *kinds: FaultKind) -> bool:
        """Return whether the fault of the call is one of these."""
        return self.fault is not None and self.fault.kind in kinds

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head of an answer."""
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send(
            {"type": "http.response.start", "status": status, "headers": encoded}
        )

    async def write(self, content: bytes, *, is_last: bool = False) -> None:
        """Send a piece of the body at once."""
        await self.send(
            {"type": "http.response.body", "body": content, "more_body": not is_last}
        )

    async def answer(
        self,
        content: JsonObject | bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a whole answer: JSON, or bytes instead of it."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        length = {"content-length": str(len(body))}
        await self.start(status, _JSON | length | dict(headers or {}))
        await self.write(body, is_last=True)

    async def stream(self, frames: Frames) -> None:
        """Send the tokens of an answer, each at its time after the first one."""
        await self.start(200, _EVENTS)
        loop, script = asyncio.get_running_loop(), self.script
        first_at_s = loop.time() + script.first_token_delay_ms / 1000
        delay_s = script.delay_per_token_ms / 1000
        paced = frames.tokens if delay_s else (b"".join(frames.tokens),)
        for number, content in enumerate(paced):
            await asyncio.sleep(first_at_s + number * delay_s - loop.time())
            if number == 0:
                self.call.first_token_s = time.monotonic()
            await self.write(content if number else frames.opening + content)
            self.call.tokens_sent = number + 1 if delay_s else len(frames.tokens)
        await self._close(frames.closing)

    async def half(self, content: JsonObject) -> None:
        """Send the first half of a whole answer, then nothing, or hang up."""
        body = orjson.dumps(content)
        await self.start(200, _JSON | {"content-length": str(len(body))})
        await self.write(body[: len(body) // 2])
        await self._close(b"")

    async def _close(self, closing: bytes) -> None:
        """End an answer, or leave it open, or hang up, by the fault of the call."""
        if self.has_fault(FaultKind.SILENCE):
            await asyncio.get_running_loop().create_future()
        if self.has_fault(FaultKind.CUT):
            raise HangUpError
        await self.write(closing, is_last=True)
