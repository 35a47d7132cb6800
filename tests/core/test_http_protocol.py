import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dossier.core.http_protocol import (
    MAX_HEAD_BYTES,
    MAX_INCOMPLETE_PER_ADDRESS,
    BoundedHttpProtocol,
)

GET = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_HEAD = b"GET /live HTTP/1.1\r\nHost: a\r\n"
UPLOAD = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def live(_: Request) -> Response:
    return PlainTextResponse("ok")


async def upload(request: Request) -> Response:
    try:
        body = await request.body()
    except ClientDisconnect:
        request.app.state.disconnected.set()
        raise
    return PlainTextResponse(str(len(body)))


async def slow_stream(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b"):
            yield piece
            await asyncio.sleep(0.4)  # longer than both time-outs

    return StreamingResponse(pieces())


@asynccontextmanager
async def serving(**bounds: Any) -> AsyncIterator[tuple[Connect, Starlette]]:
    """Serve three routes on a free port; yield how to connect, and the app."""
    app = Starlette(
        routes=[
            Route("/live", live),
            Route("/upload", upload, methods=["POST"]),
            Route("/stream", slow_stream),
        ]
    )
    app.state.disconnected = asyncio.Event()
    config = uvicorn.Config(
        app,
        port=0,
        http=partial(BoundedHttpProtocol, **bounds),  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    try:
        yield connect, app
    finally:
        for writer in writers:
            writer.close()
        await server.shutdown()


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return status and body of one answer of known length."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    length = next(
        int(line.split(":")[1])
        for line in head.split("\r\n")
        if line.lower().startswith("content-length")
    )
    return int(head.split()[1]), await reader.readexactly(length)


async def test_whole_requests_on_one_connection_are_answered() -> None:
    async with serving() as (connect, _):
        reader, writer = await connect()
        for _ in range(3):
            writer.write(GET)
            assert await answer_of(reader) == (200, b"ok")
        writer.write(GET + GET)  # pipelined
        assert [await answer_of(reader) for _ in range(2)] == [(200, b"ok")] * 2
        writer.write(UPLOAD + b"0123456789")
        assert await answer_of(reader) == (200, b"10")


@pytest.mark.parametrize("sent", [b"", HALF_HEAD, b"\r\n", GET + HALF_HEAD])
async def test_head_that_does_not_end_in_time_is_refused(sent: bytes) -> None:
    async with serving(head_timeout_s=0.2) as (connect, _):
        reader, writer = await connect()
        writer.write(sent)
        if sent.startswith(GET):
            assert await answer_of(reader) == (200, b"ok")
        status, body = await answer_of(reader)
        rest = await asyncio.wait_for(reader.read(), 5)

    assert status == 408
    assert json.loads(body)["code"] == "request_timeout"
    assert rest == b""  # closed


async def test_bytes_between_requests_do_not_keep_a_connection_open() -> None:
    async with serving(head_timeout_s=0.2) as (connect, _):
        reader, writer = await connect()
        writer.write(GET)
        assert await answer_of(reader) == (200, b"ok")
        writer.write(b"\r\n")
        assert (await answer_of(reader))[0] == 408


async def test_one_byte_now_and_then_does_not_extend_the_time_of_a_head() -> None:
    async with serving(head_timeout_s=0.3) as (connect, _):
        reader, writer = await connect()
        writer.write(HALF_HEAD + b"X: ")

        async def trickle() -> None:
            while True:
                writer.write(b"a")
                await asyncio.sleep(0.05)

        task = asyncio.create_task(trickle())
        status, _body = await answer_of(reader)
        task.cancel()

    assert status == 408


@pytest.mark.parametrize("parts", [1, 40])
async def test_head_above_the_limit_is_refused(parts: int) -> None:
    head = HALF_HEAD + b"X-Long: " + b"a" * MAX_HEAD_BYTES
    async with serving() as (connect, _):
        reader, writer = await connect()
        if parts == 1:
            writer.write(head + b"\r\n\r\n")
        else:
            size = len(head) // parts
            for start in range(0, len(head), size):
                writer.write(head[start : start + size])
                await writer.drain()
        status, body = await answer_of(reader)

    assert status == 431
    assert str(MAX_HEAD_BYTES) in json.loads(body)["detail"]


async def test_idle_body_is_refused_and_ends_the_request() -> None:
    async with serving(body_idle_s=0.2) as (connect, app):
        reader, writer = await connect()
        writer.write(UPLOAD + b"01234")
        status, _ = await answer_of(reader)
        await asyncio.wait_for(app.state.disconnected.wait(), 5)

    assert status == 408


async def test_slow_body_that_goes_on_is_received() -> None:
    async with serving(body_idle_s=0.3) as (connect, _):
        reader, writer = await connect()
        writer.write(UPLOAD)
        for digit in b"0123456789":
            await asyncio.sleep(0.06)  # together twice the time-out
            writer.write(bytes([digit]))
        assert await answer_of(reader) == (200, b"10")


async def test_answer_may_take_longer_than_the_time_outs() -> None:
    async with serving(head_timeout_s=0.2, body_idle_s=0.2) as (connect, _):
        reader, writer = await connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        whole = await asyncio.wait_for(reader.read(), 5)

    assert whole.endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


@pytest.mark.parametrize("half", [HALF_HEAD, UPLOAD + b"01234"])
async def test_incomplete_requests_of_one_address_are_limited(half: bytes) -> None:
    async with serving() as (connect, _):
        held = [await connect() for _ in range(MAX_INCOMPLETE_PER_ADDRESS)]
        for _, writer in held:
            writer.write(half)
        reader, writer = await connect()
        writer.write(GET)  # whole ones are not counted
        assert await answer_of(reader) == (200, b"ok")
        writer.write(half)
        status, body = await answer_of(reader)
        held[0][1].close()
        await held[0][1].wait_closed()
        reader, writer = await connect()
        writer.write(half)
        with pytest.raises(TimeoutError):  # there is room again: nothing is refused
            await asyncio.wait_for(reader.read(1), 0.2)

    assert status == 429
    assert json.loads(body)["retry_after"] > 0


async def test_trusted_proxy_may_hold_more_incomplete_requests() -> None:
    async with serving(trusted_proxies=("127.0.0.0/8",)) as (connect, _):
        held = [await connect() for _ in range(2 * MAX_INCOMPLETE_PER_ADDRESS)]
        for _, writer in held:
            writer.write(UPLOAD + b"01234")
        for reader, writer in held:
            writer.write(b"56789")
            assert await answer_of(reader) == (200, b"10")
