from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from tests.integrations.llm.harness import (
    QUESTION,
    TAG,
    RememberingLedger,
    end_of,
    failing,
    serving,
    streaming,
    text_of,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.core.errors import AppError
from dossier.core.settings import AiSettings
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.exceptions import (
    ModelContextTooLongError,
    ModelStreamCutError,
    ModelUnavailableError,
)
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import StreamEvent, Usage


def reply(*events: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: ".encode() + orjson.dumps(event) + b"\n\n"
        for event in events
    )


def start(read: int, cached: int = 0, written: int = 0) -> dict[str, Any]:
    counts = {
        "input_tokens": read,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": written,
        "output_tokens": 1,
    }
    return {
        "type": "message_start",
        "message": {"model": "claude-sonnet-5-5-1", "usage": counts},
    }


def piece(text: str) -> dict[str, Any]:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def end(reason: str, written: int) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason},
        "usage": {"output_tokens": written},
    }


PING = {"type": "ping"}
STOP = {"type": "message_stop"}
THOUGHT = {
    "type": "content_block_delta",
    "delta": {"type": "thinking_delta", "thinking": "hm"},
}


async def asked(
    ledger: RememberingLedger, *steps: Handler
) -> tuple[list[StreamEvent], Any]:
    async with serving(*steps) as server:
        settings = AiSettings(
            anthropic_base_url=server.url, anthropic_api_key=SecretStr("sk-ant")
        )
        plan = model_plan(settings)
        assert plan is not None
        client = ChatClient(plan, ledger)
        try:
            return [event async for event in client.stream(QUESTION, TAG)], server
        finally:
            await client.close()


async def test_an_answer_comes_in_pieces_with_what_it_cost() -> None:
    ledger = RememberingLedger()
    stream = reply(
        start(10, 90, 5),
        PING,
        THOUGHT,
        piece("水"),
        piece("和油"),
        end("end_turn", 7),
        STOP,
    )
    events, server = await asked(ledger, streaming(stream))

    assert text_of(events) == "水和油"
    assert end_of(events).usage == Usage(105, 7, 90)
    assert ledger.rows[0].provider == "anthropic"
    [request] = server.requests
    assert request.path == "/v1/messages"
    assert request.headers["authorization"] == "Bearer sk-ant"
    assert request.headers["anthropic-version"]


async def test_the_system_prompt_is_kept_by_the_server() -> None:
    stream = reply(start(1), piece("a"), end("end_turn", 1), STOP)
    _events, server = await asked(RememberingLedger(), streaming(stream))

    [body] = server.bodies
    assert body["system"] == [
        {
            "type": "text",
            "text": "Answer from the passages.",
            "cache_control": {"type": "ephemeral", "ttl": "5m"},
        }
    ]
    assert [message["role"] for message in body["messages"]] == ["user"]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_tokens", "length"), ("refusal", "refusal"), ("stop_sequence", "stop")],
)
async def test_the_end_says_why(reason: str, finish: str) -> None:
    stream = reply(start(1), piece("a"), end(reason, 1), STOP)
    events, _server = await asked(RememberingLedger(), streaming(stream))

    assert end_of(events).finish_reason == finish


async def test_a_stream_that_is_cut_counts_what_was_written() -> None:
    ledger = RememberingLedger()
    with pytest.raises(ModelStreamCutError):
        await asked(ledger, streaming(reply(start(30), piece("水和油"))))

    [row] = ledger.rows
    assert row.usage == Usage(30, 3, 0)
    assert row.is_estimated


@pytest.mark.parametrize(
    ("step", "kind", "attempts"),
    [
        (failing(529, {"type": "overloaded_error"}), ModelUnavailableError, 3),
        (
            failing(
                400, {"type": "invalid_request_error", "message": "prompt is too long"}
            ),
            ModelContextTooLongError,
            1,
        ),
        (
            streaming(reply({"type": "error", "error": {"type": "overloaded_error"}})),
            ModelUnavailableError,
            1,
        ),
    ],
)
async def test_its_errors_have_our_names(
    step: Handler, kind: type[AppError], attempts: int
) -> None:
    ledger = RememberingLedger()
    requests: list[Request] = []

    async def counted(request: Request) -> None:
        requests.append(request)
        await step(request)

    with pytest.raises(kind):
        await asked(ledger, counted)

    assert (len(requests), len(ledger.rows)) == (attempts, 1)
