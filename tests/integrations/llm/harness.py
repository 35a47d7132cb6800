"""A server that says what a test wants, and a ledger that remembers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson
from tests.integrations.llm.http_server import Handler, Request, http_server

from dossier.core.errors import PaymentRequiredError
from dossier.core.settings import AiSettings
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.plan import ModelPlan, model_plan
from dossier.integrations.llm.types import (
    CallRecord,
    CallTag,
    Completed,
    CompletionRequest,
    PromptMessage,
    StreamEvent,
    TextDelta,
)

TAG = CallTag(org_id=UUID(int=1), user_id=UUID(int=2), feature="chat.answer")
QUESTION = CompletionRequest(
    messages=(
        PromptMessage("system", "Answer from the passages."),
        PromptMessage("user", "成分是什麼"),
    )
)
SOON = {"retry-after-ms": "1"}
"""Header of a server that may be asked again at once."""


@dataclass
class RememberingLedger:
    """Notes what was set aside and what it came to."""

    limit_tokens: int | None = None
    reserved: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    settled: dict[UUID, CallRecord] = field(default_factory=dict)

    async def reserve(self, _tag: CallTag, model: str, tokens: int, /) -> UUID:
        if self.limit_tokens is not None and tokens > self.limit_tokens:
            raise PaymentRequiredError
        reservation = uuid4()
        self.reserved[reservation] = (model, tokens)
        return reservation

    async def settle(self, reservation: UUID, record: CallRecord, /) -> None:
        await asyncio.sleep(0)  # as a database would let others run
        assert reservation not in self.settled
        self.settled[reservation] = record

    @property
    def rows(self) -> list[CallRecord]:
        assert self.settled.keys() == self.reserved.keys(), "nothing stays set aside"
        return list(self.settled.values())


def chunk(text: str = "", *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "model": "small", "choices": [choice], **more}


def usage(read: int, written: int, cached: int = 0) -> dict[str, Any]:
    counts = {
        "prompt_tokens": read,
        "completion_tokens": written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return {"id": "c", "model": "small", "choices": [], "usage": counts}


def sse(*events: object) -> bytes:
    return b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events)


DONE = b"data: [DONE]\n\n"
WHOLE = sse(chunk("水"), chunk("和油"), chunk(finish="stop"), usage(20, 3, 8)) + DONE


@dataclass
class ScriptedServer:
    """Answers each call by the next step; the last one again and again."""

    steps: list[Handler]
    bodies: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    peers: list[object] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def answer(self, request: Request) -> None:
        self.requests.append(request)
        self.peers.append(request.peer)
        self.bodies.append(request.json())
        self.asked.set()
        step = self.steps[min(len(self.requests), len(self.steps)) - 1]
        try:
            await step(request)
        except (asyncio.CancelledError, ConnectionError):
            self.disconnected.set()
            raise


@asynccontextmanager
async def serving(*steps: Handler) -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer(list(steps))
    async with http_server(scripted.answer) as server:
        scripted.url = f"{server.url}/v1"
        yield scripted


def streaming(*pieces: bytes, pause_s: float = 0, cut: bool = False) -> Handler:
    """Stream pieces; `cut` ends the connection where more should come."""

    async def step(request: Request) -> None:
        await request.start_events()
        for piece in pieces:
            await request.write(piece)
            await asyncio.sleep(pause_s)
        if cut:
            request.abort()

    return step


def silent_after(*pieces: bytes) -> Handler:
    """Stream pieces, then nothing for ever."""

    async def step(request: Request) -> None:
        await request.start_events()
        for piece in pieces:
            await request.write(piece)
        await asyncio.sleep(60)

    return step


def failing(
    status: int, error: object = None, headers: dict[str, str] | None = None
) -> Handler:
    async def step(request: Request) -> None:
        await request.answer_json({"error": error}, status, headers or SOON)

    return step


def listing(*names: str) -> Handler:
    async def step(request: Request) -> None:
        await request.answer_json({"data": [{"id": name} for name in names]})

    return step


def ai_settings(url: str, **overrides: Any) -> AiSettings:
    values: dict[str, Any] = {"base_url": url, "model": "small", "max_retries": 2}
    return AiSettings(**(values | overrides))


def text_of(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def end_of(events: Sequence[StreamEvent]) -> Completed:
    [end] = [event for event in events if isinstance(event, Completed)]
    return end


def planned(url: str, **overrides: Any) -> ModelPlan:
    plan = model_plan(ai_settings(url, **overrides))
    assert plan is not None
    return plan


def opened(url: str, ledger: RememberingLedger, **overrides: Any) -> ChatClient:
    return ChatClient(planned(url, **overrides), ledger)


async def asked(
    url: str,
    ledger: RememberingLedger,
    request: CompletionRequest = QUESTION,
    **overrides: Any,
) -> list[StreamEvent]:
    client = opened(url, ledger, **overrides)
    try:
        return [event async for event in client.stream(request, TAG)]
    finally:
        await client.close()
