"""What a server cannot have counted is estimated, and no budget is the better off."""

import json
from typing import Any

import pytest
from aiohttp import web
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.usage import RequestUsage
from tests.integrations.llm.harness import (
    DONE,
    HASTY,
    TAG,
    RememberingLedger,
    asked,
    chunk,
    end_of,
    planned,
    serving,
    streaming,
    text_of,
)

from dossier.integrations.llm.anthropic_wire import AnthropicReader
from dossier.integrations.llm.booked_model import _usage
from dossier.integrations.llm.claims import counted, model_named
from dossier.integrations.llm.client import open_embedder
from dossier.integrations.llm.models import Usage
from dossier.integrations.llm.sse import SseEvent

NO_COUNTS = [-5, 10**9 + 1, 2**63, 10**30, "a", "7", 1.5, True, None, [], {}]
no_counts = pytest.mark.parametrize("lie", NO_COUNTS, ids=repr)


@pytest.mark.parametrize("told", [0, 7, 10**9])
def test_a_count_is_a_count(told: int) -> None:
    assert counted({"n": told}, "n") == told


@pytest.mark.parametrize("usage", [None, [], "a", 7, {}])
def test_what_tells_nothing_counts_nothing(usage: object) -> None:
    assert counted(usage, "n") is None


@no_counts
async def test_openais_wire_estimates_what_is_no_count(lie: Any) -> None:
    ledger = RememberingLedger()
    counts = {"prompt_tokens": lie, "completion_tokens": lie}
    details = {"prompt_tokens_details": {"cached_tokens": lie}}
    told = _raw(chunk("水和油"), chunk(finish="stop", usage=counts | details))
    async with serving(streaming(told + DONE)) as server:
        events = await asked(server.url, ledger)

    assert text_of(events) == "水和油"
    [row] = ledger.rows
    assert row.is_estimated
    assert row.usage == Usage(12 + 9, 3, None)


@no_counts
def test_anthropics_wire_leaves_out_what_is_no_count(lie: Any) -> None:
    reader = AnthropicReader()
    counts = {"input_tokens": lie, "cache_read_input_tokens": lie}
    start = {"type": "message_start", "message": {"model": "m", "usage": counts}}
    delta: dict[str, Any] = {"stop_reason": "end_turn"}
    end = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": lie}}
    for event in (start, end):
        data = _raw(event).removeprefix(b"data: ").strip()
        reader.read(SseEvent(b"message", data))

    assert reader.usage == Usage()


@no_counts
async def test_embeddings_estimate_what_is_no_count(lie: Any) -> None:
    async def step(_request: web.Request) -> web.StreamResponse:
        rows = [{"index": 0, "embedding": [1.0, 2.0]}]
        return web.json_response({"data": rows, "usage": {"prompt_tokens": lie}})

    ledger = RememberingLedger()
    async with serving(step) as server:
        embedder = open_embedder(planned(server.url, embed_model="bge"), ledger, HASTY)
        assert embedder is not None
        await embedder.embed(["水和油"], TAG)
        await embedder.close()

    [row] = ledger.rows
    assert row.is_estimated
    assert row.usage == Usage(3, 0)


@no_counts
def test_typed_answers_leave_out_what_is_no_count(lie: Any) -> None:
    usage = RequestUsage(input_tokens=lie, output_tokens=lie)
    told = _usage(ModelResponse(parts=[TextPart("oil")], usage=usage))

    assert told.input_tokens is None
    assert (told.output_tokens or 0) > 0


NAMES: list[tuple[object, str]] = [
    (7, "small"),
    (None, "small"),
    ("", "small"),
    ([], "small"),
    ("big", "big"),
]


@pytest.mark.parametrize(("told", "name"), [*NAMES, ("m" * 201, "m" * 200)])
async def test_a_model_without_a_name_has_the_one_asked_for(
    told: object, name: str
) -> None:
    pieces = [chunk("oil") | {"model": told}, chunk(finish="stop") | {"model": told}]
    async with serving(streaming(_raw(*pieces) + DONE)) as server:
        events = await asked(server.url, RememberingLedger())

    assert end_of(events).model == name


def test_a_name_holds_what_a_database_takes() -> None:
    assert model_named("sm\0all") == "small"


@pytest.mark.parametrize(("told", "name"), [(7, ""), ("m" * 201, "m" * 200)])
def test_anthropics_wire_reads_names_alike(told: object, name: str) -> None:
    reader = AnthropicReader()
    start = {"type": "message_start", "message": {"model": told}}
    reader.read(SseEvent(b"message", json.dumps(start).encode()))

    assert reader.model == name


def _raw(*events: dict[str, Any]) -> bytes:
    """Write events with numbers of any size, which orjson would refuse."""
    return b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)
