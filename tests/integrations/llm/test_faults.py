"""Every fault of a server ends in a named problem, and in a row of the ledger."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from tests.integrations.llm.harness import (
    DONE,
    QUESTION,
    TAG,
    WHOLE,
    RememberingLedger,
    ScriptedServer,
    asked,
    chunk,
    failing,
    opened,
    planned,
    serving,
    silent_after,
    sse,
    streaming,
    text_of,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.core.errors import AppError
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.exceptions import (
    ModelContextTooLongError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelResponseMalformedError,
    ModelStreamCutError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from dossier.integrations.llm.types import CallOutcome, StreamEvent, TextDelta

NOBODY = "http://127.0.0.1:1/v1"


def answering(content: bytes, content_type: str = "text/event-stream") -> Handler:
    async def step(request: Request) -> None:
        await request.answer(content, headers={"Content-Type": content_type})

    return step


async def redirecting(request: Request) -> None:
    await request.answer(b"", 307, {"Location": "http://10.0.0.1/steal"})


async def cutting_at_once(request: Request) -> None:
    request.abort()


async def failed(
    *steps: Handler, **overrides: Any
) -> tuple[AppError, ScriptedServer, RememberingLedger]:
    """Ask, and return the problem that it ends in."""
    ledger = RememberingLedger()
    async with serving(*steps) as server:
        with pytest.raises(AppError) as caught:
            await asked(server.url, ledger, **overrides)
    return caught.value, server, ledger


async def answered(*steps: Handler) -> tuple[list[StreamEvent], RememberingLedger]:
    ledger = RememberingLedger()
    async with serving(*steps) as server:
        return await asked(server.url, ledger), ledger


def codes(ledger: RememberingLedger) -> Sequence[str | None]:
    return [row.error_code for row in ledger.rows]


@pytest.mark.parametrize(
    ("step", "kind", "code", "attempts"),
    [
        (failing(429), ModelRateLimitedError, "http_429", 3),
        (failing(429, {"code": "insufficient_quota"}), ModelRateLimitedError, None, 1),
        (failing(500), ModelUnavailableError, "http_500", 3),
        (failing(529, {"type": "overloaded_error"}), ModelUnavailableError, None, 3),
        (failing(401, {"code": "invalid_api_key"}), ModelUnavailableError, None, 1),
        (failing(404), ModelUnavailableError, "http_404", 1),
        (failing(400), ModelUnavailableError, "http_400", 1),
        (redirecting, ModelUnavailableError, "http_307", 1),
        (cutting_at_once, ModelUnavailableError, "unreachable", 3),
        (
            failing(400, {"code": "context_length_exceeded"}),
            ModelContextTooLongError,
            "context_too_long",
            1,
        ),
        (
            failing(400, {"message": "prompt is too long: 9 tokens > 8 maximum"}),
            ModelContextTooLongError,
            None,
            1,
        ),
        (failing(400, {"code": "content_filter"}), ModelRefusedError, "filtered", 1),
        (
            streaming(sse({"error": {"code": "server_error"}})),
            ModelUnavailableError,
            "http_500",
            1,
        ),
        (
            answering(b'{"error": {"code": 429}}', "application/json"),
            ModelRateLimitedError,
            None,
            1,
        ),
        (answering(b"<html>"), ModelResponseMalformedError, "malformed", 1),
        (answering(b"data: {oops\n\n"), ModelResponseMalformedError, "malformed", 1),
        (answering(b"data: []\n\n"), ModelResponseMalformedError, "malformed", 1),
        (
            answering(sse({"choices": [{"delta": {"content": [1]}}]})),
            ModelStreamCutError,
            None,
            1,
        ),
        (
            streaming(b"data: ", *[b"x" * 2**18] * 5),
            ModelResponseMalformedError,
            None,
            1,
        ),
        (answering(b""), ModelResponseMalformedError, "malformed", 1),
    ],
)
async def test_a_fault_before_the_first_token_has_a_name(
    step: Handler, kind: type[AppError], code: str | None, attempts: int
) -> None:
    error, server, ledger = await failed(step)

    assert type(error) is kind
    assert len(server.requests) == attempts
    [row] = ledger.rows
    assert code in {None, row.error_code}


@pytest.mark.parametrize("fault", [failing(429), failing(503), cutting_at_once])
async def test_a_passing_fault_is_not_seen(fault: Handler) -> None:
    events, ledger = await answered(fault, fault, streaming(WHOLE))

    assert text_of(events) == "水和油"
    [row] = ledger.rows
    assert (row.outcome, row.usage.input_tokens) == (CallOutcome.COMPLETED, 20)


async def test_the_pause_that_a_server_asks_for_is_kept() -> None:
    steps = (failing(429, headers={"Retry-After": "0.3"}), streaming(WHOLE))
    async with serving(*steps) as server:
        began_s = time.monotonic()
        await asked(server.url, RememberingLedger())

    assert len(server.requests) == 2
    assert time.monotonic() - began_s >= 0.3


async def test_a_server_that_asks_for_minutes_is_not_waited_for() -> None:
    error, server, _ledger = await failed(failing(429, headers={"Retry-After": "600"}))

    assert error.retry_after_s == 600
    assert len(server.requests) == 1


async def test_a_problem_contains_neither_key_nor_question() -> None:
    echo = failing(401, {"message": "sk-secret is wrong for 成分是什麼", "code": "x y"})
    error, server, _ledger = await failed(echo, api_key="sk-secret")

    assert error.detail == "The model server answered 401: the key was not accepted."
    assert server.url[7:-3] not in error.detail
    assert "sk-secret" not in str(error.__cause__)


async def test_server_that_cannot_be_reached_is_not_named_by_its_host() -> None:
    ledger = RememberingLedger()
    unreachable = "^The model server cannot be reached"
    with pytest.raises(ModelUnavailableError, match=unreachable):
        await asked(NOBODY, ledger, max_retries=0)

    assert codes(ledger) == ["unreachable"]


@pytest.mark.parametrize("head", [(), (b": waiting\n\n",), (sse(chunk()),)])
async def test_silence_before_the_first_token_ends(head: tuple[bytes, ...]) -> None:
    error, server, ledger = await failed(silent_after(*head), first_token_timeout_s=0.3)

    assert type(error) is ModelTimeoutError
    assert len(server.requests) == 1
    assert codes(ledger) == ["first_token_timeout"]
    assert ledger.rows[0].usage.input_tokens == 12 + 9


async def read_into(texts: list[str], client: ChatClient) -> None:
    async for event in client.stream(QUESTION, TAG):
        assert isinstance(event, TextDelta)
        texts.append(event.text)


async def kept_until_the_fault(
    step: Handler, **overrides: Any
) -> tuple[str, AppError, RememberingLedger]:
    """Ask, and return what was handed out before the problem."""
    ledger = RememberingLedger()
    texts: list[str] = []
    async with serving(step) as server:
        client = opened(server.url, ledger, **overrides)
        with pytest.raises(AppError) as caught:
            await read_into(texts, client)
        await client.close()
        assert len(server.requests) == 1, "after a token nothing is tried again"
    return "".join(texts), caught.value, ledger


@pytest.mark.parametrize(
    ("step", "kind", "code"),
    [
        (silent_after(sse(chunk("水"))), ModelTimeoutError, "idle_timeout"),
        (streaming(sse(chunk("水")), cut=True), ModelStreamCutError, "cut"),
        (streaming(sse(chunk("水"))), ModelStreamCutError, "cut"),
        (
            streaming(sse(chunk("水")) + b"data: {\n\n"),
            ModelResponseMalformedError,
            None,
        ),
        (
            streaming(sse(chunk("水"), {"error": {"code": 503}})),
            ModelUnavailableError,
            "http_503",
        ),
        (
            streaming(sse(chunk("水"), {"error": "overloaded", "choices": []})),
            ModelUnavailableError,
            "http_500",
        ),
    ],
)
async def test_a_fault_in_mid_stream_keeps_what_came_before(
    step: Handler, kind: type[AppError], code: str | None
) -> None:
    # Short only where it must run out: a busy machine makes its own silences.
    idle_s = 0.05 if kind is ModelTimeoutError else 30
    text, error, ledger = await kept_until_the_fault(step, idle_timeout_s=idle_s)

    assert (text, type(error)) == ("水", kind)
    assert code in {None, ledger.rows[0].error_code}
    [row] = ledger.rows
    assert (row.usage.input_tokens, row.usage.output_tokens) == (12 + 9, 1)
    assert row.is_estimated


async def test_comments_do_not_count_as_an_answer() -> None:
    async def murmuring(request: Request) -> None:
        await request.start_events()
        await request.write(sse(chunk("水")))
        while True:
            await request.write(b": still here\n\n")
            await asyncio.sleep(0.01)

    _text, error, _ledger = await kept_until_the_fault(murmuring, idle_timeout_s=0.05)

    assert type(error) is ModelTimeoutError


async def test_a_slow_reader_is_not_a_silent_server() -> None:
    steps = streaming(sse(chunk("水")), sse(chunk("油", finish="stop")) + DONE)
    async with serving(steps) as server:
        client = opened(server.url, RememberingLedger(), idle_timeout_s=0.03)
        events = []
        async for event in client.stream(QUESTION, TAG):
            await asyncio.sleep(0.08)
            events.append(event)
        await client.close()

    assert text_of(events) == "水油"


@pytest.mark.parametrize(
    "fault", [failing(401), failing(500), answering(b"<html>"), cutting_at_once]
)
async def test_the_next_server_answers_when_the_first_cannot(fault: Handler) -> None:
    ledger = RememberingLedger()
    async with serving(fault) as first, serving(streaming(WHOLE)) as second:
        events = await asked(
            first.url,
            ledger,
            max_retries=0,
            fallback_base_url=second.url,
            fallback_model="spare",
        )

    assert text_of(events) == "水和油"
    assert [row.model for row in ledger.rows] == ["small", "spare"]


async def test_a_question_at_fault_is_not_asked_elsewhere() -> None:
    too_long = failing(400, {"code": "context_length_exceeded"})
    async with serving(streaming(WHOLE)) as second:
        error, _server, _ledger = await failed(too_long, fallback_base_url=second.url)

    assert type(error) is ModelContextTooLongError
    assert second.requests == []


async def test_when_all_fail_the_first_failure_is_raised() -> None:
    async with serving(failing(401)) as second:
        error, _server, ledger = await failed(
            failing(500), fallback_base_url=second.url, fallback_model="b"
        )

    assert "answered 500" in error.detail
    assert codes(ledger) == ["http_500", "http_401"]


async def test_a_failing_server_is_not_asked_until_its_breaker_is_half_open() -> None:
    at_s = [100.0]
    ledger = RememberingLedger()
    async with serving(failing(500), failing(500), streaming(WHOLE)) as server:
        plan = planned(server.url, max_retries=0, breaker_failures=2)
        client = ChatClient(plan, ledger, monotonic=lambda: at_s[0])
        for _ in range(2):
            with pytest.raises(ModelUnavailableError):
                await client.complete(QUESTION, TAG)
        with pytest.raises(ModelUnavailableError, match="not asked") as caught:
            await client.complete(QUESTION, TAG)
        assert len(server.requests) == len(ledger.rows) == 2
        at_s[0] += 31
        completion = await client.complete(QUESTION, TAG)
        await client.close()

    assert caught.value.retry_after_s == 30
    assert completion.text == "水和油"


async def test_a_process_that_stood_still_does_not_blame_the_server() -> None:
    async def stalling(request: Request) -> None:
        await request.start_events()
        await request.write(sse(chunk("水")))
        await asyncio.sleep(0.02)  # the client waits for more by now
        await request.write(sse(chunk("油")))
        time.sleep(0.15)  # noqa: ASYNC251 - the whole loop stands still
        await asyncio.sleep(0.02)
        await request.write(sse(chunk(finish="stop")) + DONE)

    async with serving(stalling) as server:
        events = await asked(server.url, RememberingLedger(), idle_timeout_s=0.12)

    assert text_of(events) == "水油"
