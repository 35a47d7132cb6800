"""What a server cannot have counted is estimated, and no budget is the better off."""

import json
from typing import Any

import pytest
from pydantic import BaseModel
from tests.integrations.llm.harness import (
    DONE,
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
from tests.integrations.llm.http_server import Request

from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.embeddings import open_embedder
from dossier.integrations.llm.types import ServerAbilities, Usage

NO_COUNTS = [-5, 10**9 + 1, 2**63, 10**30, "a", "7", 1.5, True, None, [], {}]
no_counts = pytest.mark.parametrize("lie", NO_COUNTS, ids=repr)


class Oil(BaseModel):
    """How much oil there is."""

    oil: int


async def prompted() -> ServerAbilities:
    return ServerAbilities(reachable=True, json_schema=False, tools=False)


@no_counts
async def test_openais_wire_estimates_what_is_no_count(lie: Any) -> None:
    ledger = RememberingLedger()
    counts = {"prompt_tokens": lie, "completion_tokens": lie}
    details = {"prompt_tokens_details": {"cached_tokens": lie}}
    reply = _raw(chunk("水和油"), chunk(finish="stop", usage=counts | details))
    async with serving(streaming(reply + DONE)) as server:
        events = await asked(server.url, ledger)

    assert text_of(events) == "水和油"
    [row] = ledger.rows
    assert row.is_estimated
    assert row.usage == Usage(12 + 9, 3, None)


@no_counts
async def test_embeddings_estimate_what_is_no_count(lie: Any) -> None:
    async def step(request: Request) -> None:
        rows = [{"index": 0, "embedding": [1.0, 2.0]}]
        body = json.dumps({"data": rows, "usage": {"prompt_tokens": lie}}).encode()
        await request.answer(body, headers={"Content-Type": "application/json"})

    ledger = RememberingLedger()
    async with serving(step) as server:
        embedder = open_embedder(planned(server.url, embed_model="bge"), ledger)
        assert embedder is not None
        await embedder.embed(["水和油"], TAG)
        await embedder.close()

    [row] = ledger.rows
    assert row.is_estimated
    assert row.usage == Usage(3, 0)


@no_counts
async def test_typed_answers_estimate_what_is_no_count(lie: Any) -> None:
    async def step(request: Request) -> None:
        message = {"role": "assistant", "content": '{"oil": 1}'}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {"id": "x", "created": 1, "model": "small", "choices": [choice]}
        reply |= {"object": "chat.completion"}
        reply |= {"usage": {"prompt_tokens": lie, "completion_tokens": lie}}
        body = json.dumps(reply).encode()
        await request.answer(body, headers={"Content-Type": "application/json"})

    ledger = RememberingLedger()
    async with serving(step) as server:
        client = ChatClient(planned(server.url), ledger, prompted)
        await client.typed(Oil, instructions="", prompt="", tag=TAG)
        await client.close()

    [row] = ledger.rows
    assert row.is_estimated
    assert (row.usage.output_tokens or 0) > 0


NAMES: list[tuple[object, str]] = [
    ("sm\0all", "small"),
    (7, "small"),
    (None, "small"),
    ("", "small"),
    ([], "small"),
    ("big", "big"),
]


@pytest.mark.parametrize(("reply", "name"), [*NAMES, ("m" * 201, "m" * 200)])
async def test_a_model_without_a_name_has_the_one_asked_for(
    reply: object, name: str
) -> None:
    pieces = [chunk("oil") | {"model": reply}, chunk(finish="stop") | {"model": reply}]
    async with serving(streaming(_raw(*pieces) + DONE)) as server:
        events = await asked(server.url, RememberingLedger())

    assert end_of(events).model == name


def _raw(*events: dict[str, Any]) -> bytes:
    """Write events with numbers of any size, which orjson would refuse."""
    return b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)
