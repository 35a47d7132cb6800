import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from tests.integrations.llm.harness import (
    DONE,
    chunk,
    planned,
    serving,
    silent_after,
    sse,
    usage,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.core.settings import AiSettings
from dossier.integrations.llm.language_pairs import (
    LANGUAGES,
    load_pairs,
    sentences,
    separates,
)
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.probe import probe
from dossier.integrations.llm.types import ServerAbilities


def meaning(text: str) -> list[float]:
    """Embed as a model that knows both languages: by what a sentence means."""
    for language in LANGUAGES:
        for at, pair in enumerate(load_pairs(language)):
            if text in pair:
                return [1.0 if at == place else 0.1 for place in range(20)]
    return [0.1] * 20


def spelling(text: str) -> list[float]:
    """Embed by characters, as a model that never saw the language."""
    counts = [0.0] * 256
    for character in text:
        counts[ord(character) % 256] += 1
    return counts


def english_only(text: str) -> list[float]:
    return [*meaning(text), *([0.0] * 236)] if text.isascii() else spelling(text)


@pytest.mark.parametrize(
    ("embed", "languages"),
    [(meaning, ["en", "zh"]), (spelling, []), (english_only, ["en"])],
)
def test_an_embedder_knows_a_language_if_partners_are_near(
    embed: Callable[[str], list[float]], languages: list[str]
) -> None:
    known = [
        language
        for language in LANGUAGES
        if separates([embed(text) for text in sentences(load_pairs(language))])
    ]

    assert known == languages


def test_an_embedder_that_puts_all_in_one_place_knows_nothing() -> None:
    assert not separates([[1.0, 0.0]] * 40)
    assert not separates([[0.0, 0.0]] * 40)
    assert not separates([])


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_twenty_pairs_of_a_language(language: str) -> None:
    pairs = load_pairs(language)

    assert len(pairs) == 20
    assert len(set(sentences(pairs))) == 40


async def whole(request: Request, message: dict[str, Any]) -> None:
    choice = {"index": 0, "message": {"role": "assistant", **message}}
    reply = {"id": "x", "object": "chat.completion", "created": 1, "model": "qwen"}
    finished = choice | {"finish_reason": "stop"}
    await request.answer_json(reply | {"choices": [finished]})


async def said(request: Request, text: str, *rest: dict[str, Any]) -> None:
    await request.answer(sse(chunk(text, finish="stop"), *rest) + DONE)


async def able(request: Request) -> None:
    """A server that can do all there is to do."""
    if request.method == "GET":
        await request.answer_json({"data": [{"id": "qwen"}]})
        return
    asked = request.json()
    if "input" in asked:
        rows = [{"embedding": meaning(text)} for text in asked["input"]]
        await request.answer_json({"data": rows})
    elif "tools" in asked:
        name = asked["tools"][0]["function"]["name"]
        call: dict[str, Any] = {"id": "a", "type": "function"}
        call |= {"function": {"name": name, "arguments": '{"sum": 5}'}}
        await whole(request, {"content": None, "tool_calls": [call]})
    elif "response_format" in asked:
        await whole(request, {"content": '{"sum": 5}'})
    else:
        is_begun = asked["messages"][-1]["role"] == "assistant"
        await said(request, " five, six" if is_begun else "OK", usage(3, 1))


async def plain(request: Request) -> None:
    """A server that chats and does nothing else."""
    asked = request.json() or {}
    if request.method == "GET":
        await request.answer_json({}, 404)
    elif "input" in asked or "tools" in asked:
        await request.answer_json({}, 400)
    elif asked.get("stream"):
        await said(request, "One, two")
    else:
        await whole(request, {"content": "It is 5."})


async def test_a_probe_finds_what_a_server_can_do() -> None:
    async with serving(able) as server:
        found = await probe(planned(server.url, model=None, embed_model="bge"))

    assert found == ServerAbilities(
        reachable=True,
        models=("qwen",),
        tools=True,
        json_schema=True,
        stream_usage=True,
        continues_text=True,
        embedding_dimensions=20,
        embedding_languages=("en", "zh"),
    )


async def test_a_probe_finds_what_a_server_cannot_do() -> None:
    async with serving(plain) as server:
        found = await probe(planned(server.url, embed_model="bge"))

    assert found == ServerAbilities(
        reachable=True,
        tools=False,
        json_schema=False,
        stream_usage=False,
        continues_text=False,
    )


async def test_a_probe_of_a_closed_port_is_unreachable() -> None:
    found = await probe(planned("http://127.0.0.1:1/v1", embed_model="bge"))

    assert not found.reachable
    assert found.problem is not None
    assert found.problem.startswith("The model server cannot be reached")


@pytest.mark.parametrize("step", [silent_after(), silent_after(b"data: ")])
async def test_a_probe_of_a_silent_server_ends(step: Handler) -> None:
    async with serving(step) as server, asyncio.timeout(2):
        found = await probe(planned(server.url, embed_model="bge"), step_s=0.05)

    assert not found.reachable
    assert found.problem is not None


async def test_a_probe_speaks_anthropics_wire() -> None:
    async def claude(request: Request) -> None:
        if request.method == "GET":
            await request.answer_json({"data": [{"id": "claude-x"}]})
            return
        asked = request.json()
        counts = {"input_tokens": 3, "output_tokens": 1}
        whole: dict[str, Any] = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
        }
        whole |= {"stop_reason": "end_turn", "stop_sequence": None, "usage": counts}
        if "tools" in asked:
            call: dict[str, Any] = {"type": "tool_use", "id": "t"}
            call |= {"name": asked["tools"][0]["name"]}
            await request.answer_json(
                whole | {"content": [call | {"input": {"sum": 5}}]}
            )
        elif "output_config" in asked:
            text = {"type": "text", "text": '{"sum": 5}'}
            await request.answer_json(whole | {"content": [text]})
        else:
            begun: dict[str, Any] = {**whole, "content": [], "stop_reason": None}
            events: tuple[dict[str, Any], ...] = (
                {"type": "message_start", "message": begun},
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {"type": "text", "text": ""},
                },
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "text_delta", "text": "OK"},
                },
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                    "usage": {"output_tokens": 1},
                },
                {"type": "message_stop"},
            )
            await request.start_events()
            for event in events:
                kind = f"event: {event['type']}\n".encode()
                await request.write(kind + b"data: " + orjson.dumps(event) + b"\n\n")

    async with serving(claude) as server:
        plan = model_plan(AiSettings(anthropic_base_url=server.url))
        assert plan is not None
        found = await probe(plan)

    assert (found.models, found.tools, found.json_schema) == (("claude-x",), True, True)
    assert (found.continues_text, found.stream_usage) == (False, True)
