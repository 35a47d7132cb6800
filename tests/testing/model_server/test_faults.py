"""Every fault as the official client of OpenAI's wire meets it."""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from dossier.testing.model_server.script import FaultKind, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CHAT = "/v1/chat/completions"
QUESTION: Any = {
    "model": "any",
    "messages": [{"role": "user", "content": "What is the pH of the cream?"}],
}


def error_of(name: str) -> Any:
    """Return an error of the official client by its name."""
    import openai as sdk  # noqa: PLC0415 - half a second, only here

    return getattr(sdk, name)


async def streamed(client: "AsyncOpenAI", received: list[str]) -> None:
    async for chunk in await client.chat.completions.create(**QUESTION, stream=True):
        received += [c.delta.content for c in chunk.choices if c.delta.content]


async def asked(client: "AsyncOpenAI", *, stream: bool) -> None:
    if stream:
        await streamed(client, [])
    else:
        await client.chat.completions.create(**QUESTION)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.RATE_LIMITED, "RateLimitError"),
        (FaultKind.SERVER_ERROR, "InternalServerError"),
        (FaultKind.OVERLOADED, "InternalServerError"),
        (FaultKind.UNAUTHORISED, "AuthenticationError"),
        (FaultKind.CONTEXT_TOO_LONG, "BadRequestError"),
    ],
)
async def test_refused_calls_raise_and_later_calls_succeed(
    openai: "AsyncOpenAI",
    server: ScriptedModelServer,
    kind: FaultKind,
    error: str,
) -> None:
    server.play(faults=(ScriptedFault(kind=kind, times=1),))

    with pytest.raises(error_of(error)) as raised:
        await openai.chat.completions.create(**QUESTION)
    await openai.chat.completions.create(**QUESTION)

    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message"]
    assert server.calls.by_route[CHAT] == {str(kind): 1, "completed": 1}


async def test_client_waits_for_retry_after_and_tries_again(
    openai: "AsyncOpenAI", server: ScriptedModelServer
) -> None:
    fault = ScriptedFault(kind=FaultKind.RATE_LIMITED, times=2, retry_after_s=0.01)
    server.play(faults=(fault,))
    answer = await openai.with_options(max_retries=2).chat.completions.create(
        **QUESTION
    )

    assert answer.choices
    assert server.calls.count(outcome="rate_limited") == 2
    assert server.calls.count(CHAT, "completed") == 1


async def test_stream_is_cut_after_some_tokens(
    openai: "AsyncOpenAI", server: ScriptedModelServer
) -> None:
    server.play(faults=(ScriptedFault(kind=FaultKind.CUT, after_tokens=4),))
    received: list[str] = []

    with pytest.raises(error_of("APIConnectionError")):
        await streamed(openai, received)

    assert len(received) == 4


@pytest.mark.parametrize("kind", [FaultKind.STREAM_ERROR, FaultKind.MALFORMED])
async def test_stream_breaks_with_an_error(
    openai: "AsyncOpenAI", server: ScriptedModelServer, kind: FaultKind
) -> None:
    server.play(
        faults=(ScriptedFault(kind=kind, after_tokens=2),), delay_per_token_ms=1
    )
    received: list[str] = []

    with pytest.raises((error_of("APIError"), ValueError)):
        await streamed(openai, received)

    assert len(received) == 2


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.MALFORMED])
async def test_whole_answer_is_cut_or_no_json(
    openai: "AsyncOpenAI", server: ScriptedModelServer, kind: FaultKind
) -> None:
    server.play(faults=(ScriptedFault(kind=kind),))

    with pytest.raises((error_of("APIError"), ValueError)):
        await openai.chat.completions.create(**QUESTION)


@pytest.mark.parametrize("kind", [FaultKind.NEVER_ANSWERS, FaultKind.SILENCE])
@pytest.mark.parametrize("stream", [False, True])
async def test_silence_lasts_until_the_client_leaves_and_is_counted(
    openai: "AsyncOpenAI", server: ScriptedModelServer, kind: FaultKind, *, stream: bool
) -> None:
    server.play(faults=(ScriptedFault(kind=kind, after_tokens=1),))
    hasty = openai.with_options(timeout=0.05)

    with pytest.raises(error_of("APITimeoutError")):
        await asked(hasty, stream=stream)
    await until_disconnected(server)

    assert server.calls.open == 0


async def until_disconnected(server: ScriptedModelServer) -> None:
    async with asyncio.timeout(2):
        while not server.calls.count(outcome="disconnected"):  # noqa: ASYNC110 - announced by no event
            await asyncio.sleep(0.002)


async def test_client_that_leaves_a_slow_stream_ends_it(
    openai: "AsyncOpenAI", server: ScriptedModelServer
) -> None:
    server.play(delay_per_token_ms=5, reply_tokens=1000)
    stream = await openai.chat.completions.create(**QUESTION, stream=True)
    async for _ in stream:
        break
    await stream.close()
    await until_disconnected(server)

    assert 1 <= server.calls.last[-1].tokens_sent < 100


async def test_tokens_come_at_their_pace(
    openai: "AsyncOpenAI", server: ScriptedModelServer
) -> None:
    server.play(delay_per_token_ms=5, first_token_delay_ms=20, reply_tokens=10)
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    stream = await openai.chat.completions.create(**QUESTION, stream=True)
    arrived = [
        loop.time() - began_at
        async for chunk in stream
        if chunk.choices[0].delta.content
    ]

    assert len(arrived) == 10
    assert arrived[0] >= 0.02
    assert arrived[-1] >= 0.065


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, CHAT),
        ({"messages": "hello"}, CHAT),
        ({"messages": [{"role": "boss", "content": "x"}]}, CHAT),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}, CHAT),
        ({"messages": [{"role": "user", "content": "x"}]}, "/v1/messages"),
        ({"input": ""}, "/v1/embeddings"),
        ({"query": "x"}, "/rerank"),
    ],
)
async def test_unreadable_requests_are_refused(
    server: ScriptedModelServer, body: dict[str, Any], path: str
) -> None:
    async with httpx2.AsyncClient(base_url=server.root_url) as client:
        answer = await client.post(path, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_server_checks_key_model_and_window(
    openai: "AsyncOpenAI", server: ScriptedModelServer
) -> None:
    server.play(api_key="secret")
    with pytest.raises(error_of("AuthenticationError")):
        await openai.chat.completions.create(**QUESTION)
    server.play(api_key=None, any_model=False)
    with pytest.raises(error_of("NotFoundError")):
        await openai.chat.completions.create(**QUESTION)
    server.play(any_model=True, window_tokens=3)
    with pytest.raises(error_of("BadRequestError")) as raised:
        await openai.chat.completions.create(**QUESTION)

    assert raised.value.code == "context_length_exceeded"
