"""A server that does not stop is stopped: a call stays within what was set aside."""

import asyncio
from dataclasses import replace

import pytest
from tests.integrations.llm.harness import (
    DONE,
    QUESTION,
    RememberingLedger,
    asked,
    chunk,
    end_of,
    serving,
    sse,
    streaming,
    text_of,
    usage,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.integrations.llm.types import Usage


def endless(piece: str) -> Handler:
    async def step(request: Request) -> None:
        await request.start_events()
        while True:
            await request.write(sse(chunk(piece), usage(20, 1)))
            await asyncio.sleep(0)

    return step


@pytest.mark.parametrize("piece", ["oil " * 16, "o" * 5_000], ids=["short", "long"])
@pytest.mark.parametrize(
    ("max_tokens", "characters"), [(50, 4_096), (256, 4_096), (300, 4_800)]
)
async def test_a_stream_without_an_end_is_ended(
    piece: str, max_tokens: int, characters: int
) -> None:
    ledger = RememberingLedger()
    request = replace(QUESTION, max_output_tokens=max_tokens)
    async with asyncio.timeout(10), serving(endless(piece)) as server:
        events = await asked(server.url, ledger, request)
        await server.disconnected.wait()

    assert text_of(events) == (piece * characters)[:characters]
    assert end_of(events).finish_reason == "length"
    assert end_of(events).usage == Usage()
    [row] = ledger.rows
    assert (row.outcome, row.is_estimated) == ("completed", True)
    assert (row.usage.output_tokens or 0) > characters / 4


async def test_an_answer_of_just_the_length_allowed_is_whole() -> None:
    reply = sse(chunk("o" * 4_096), chunk(finish="stop"), usage(20, 50)) + DONE
    request = replace(QUESTION, max_output_tokens=50)
    async with serving(streaming(reply)) as server:
        events = await asked(server.url, RememberingLedger(), request)

    assert len(text_of(events)) == 4_096
    assert end_of(events).finish_reason == "stop"
    assert end_of(events).usage == Usage(20, 50, 0)


async def test_what_follows_an_answer_that_was_ended_is_not_its_fault() -> None:
    reply = sse(chunk("o" * 5_000), {"error": {"message": "no"}})
    request = replace(QUESTION, max_output_tokens=50)
    async with serving(streaming(reply)) as server:
        events = await asked(server.url, RememberingLedger(), request)

    assert end_of(events).finish_reason == "length"
