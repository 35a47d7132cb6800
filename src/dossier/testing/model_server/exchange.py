"""One call under way, and the answer on its connection."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from starlette.types import Send

from dossier.testing.model_server.calls import Call
from dossier.testing.model_server.conversation import Frames, Json
from dossier.testing.model_server.script import Fault, FaultKind, Script
from dossier.testing.model_server.wires.wire import Wire

_JSON = {"content-type": "application/json"}
_EVENTS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
}


class HangUpError(Exception):
    """The server closes the connection in the middle of an answer, as if it died."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call under way."""

    send: Send
    call: Call
    script: Script
    fault: Fault | None
    wire: Wire

    def meets(self, *kinds: FaultKind) -> bool:
        """Tell whether the call meets one of these faults."""
        return self.fault is not None and self.fault.kind in kinds

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head of an answer."""
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send(
            {"type": "http.response.start", "status": status, "headers": told}
        )

    async def write(self, content: bytes, *, is_last: bool = False) -> None:
        """Send a piece of the body at once."""
        await self.send(
            {"type": "http.response.body", "body": content, "more_body": not is_last}
        )

    async def answer(
        self,
        content: Json | bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a whole answer in JSON, or bytes that shall pass for it."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        length = {"content-length": str(len(body))}
        await self.start(status, _JSON | length | dict(headers or {}))
        await self.write(body, is_last=True)

    async def stream(self, frames: Frames) -> None:
        """Send the tokens of an answer in their time: by the plan, nothing drifts."""
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

    async def half(self, content: Json) -> None:
        """Send the first half of a whole answer, then go silent or hang up."""
        body = orjson.dumps(content)
        await self.start(200, _JSON | {"content-length": str(len(body))})
        await self.write(body[: len(body) // 2])
        await self._close(b"")

    async def _close(self, closing: bytes) -> None:
        """End an answer: properly, not at all, or by hanging up."""
        if self.meets(FaultKind.SILENCE):
            await asyncio.get_running_loop().create_future()
        if self.meets(FaultKind.CUT):
            raise HangUpError
        await self.write(closing, is_last=True)
