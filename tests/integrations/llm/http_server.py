"""A small HTTP/1.1 server, for handlers that misbehave on the wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Request:
    """A request, and the connection that it came on."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    _writer: asyncio.StreamWriter
    is_chunked: bool = False

    def json(self) -> Any:
        return orjson.loads(self.body) if self.body else None

    @property
    def peer(self) -> object:
        return self._writer.get_extra_info("peername")

    async def start(
        self, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send the head of an answer; chunks follow unless it has a length."""
        reply = {name.lower(): value for name, value in (headers or {}).items()}
        if "content-length" not in reply:
            self.is_chunked = True
            reply["transfer-encoding"] = "chunked"
        lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in reply.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        await self._writer.drain()

    async def write(self, piece: bytes) -> None:
        framed = b"%x\r\n%b\r\n" % (len(piece), piece) if self.is_chunked else piece
        self._writer.write(framed)
        await self._writer.drain()

    async def end(self) -> None:
        if self.is_chunked:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()

    async def answer(
        self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        await self.start(status, {"Content-Length": str(len(body)), **(headers or {})})
        self._writer.write(body)
        await self._writer.drain()

    async def answer_json(
        self, reply: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        kind = {"Content-Type": "application/json"}
        await self.answer(orjson.dumps(reply), status, kind | dict(headers or {}))

    async def start_events(self) -> None:
        await self.start(headers={"Content-Type": "text/event-stream"})

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()


Handler = Callable[[Request], Awaitable[None]]


@dataclass
class HttpServer:
    """Answers each request by a handler; a client that leaves cancels it."""

    handler: Handler
    url: str = ""
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        except asyncio.CancelledError:
            pass  # the server closes
        finally:
            self._open.discard(task)
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, path, _version = first.split(" ")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, path.partition("?")[0], headers, body, writer)
        answering = asyncio.ensure_future(self.handler(request))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait(
                {answering, leaving}, return_when=asyncio.FIRST_COMPLETED
            )
            is_answered = answering.done()
            if is_answered:
                answering.result()
                await request.end()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.wait({answering, leaving})
        return is_answered and not writer.is_closing()

    async def close(self) -> None:
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)


@asynccontextmanager
async def http_server(handler: Handler) -> AsyncIterator[HttpServer]:
    server = HttpServer(handler)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listening.close()
        await server.close()
