import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from tests.integrations.llm.harness import (
    DONE,
    Handler,
    chunk,
    planned,
    serving,
    silent_after,
    sse,
    usage,
)

from dossier.core.settings.models import AiSettings
from dossier.integrations.llm.models import ServerAbilities
from dossier.integrations.llm.pairs import (
    LANGUAGES,
    load_pairs,
    sentences,
    separates,
)
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.probe import probe


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


def whole(message: dict[str, Any]) -> web.Response:
    return web.json_response({"choices": [{"message": message}]})


def said(text: str, *rest: dict[str, Any]) -> web.Response:
    return web.Response(body=sse(chunk(text, finish="stop"), *rest) + DONE)


async def able(request: web.Request) -> web.StreamResponse:
    """A server that can do all there is to do."""
    if request.method == "GET":
        return web.json_response({"data": [{"id": "qwen"}]})
    asked = await request.json()
    if "input" in asked:
        rows = [{"embedding": meaning(text)} for text in asked["input"]]
        return web.json_response({"data": rows})
    if "tools" in asked:
        function = {"name": "report_weather", "arguments": '{"city":"Taipei"}'}
        return whole({"tool_calls": [{"function": function}]})
    if "response_format" in asked:
        return whole({"content": '{"sum": 5}'})
    is_begun = asked["messages"][-1]["role"] == "assistant"
    return said(" five, six" if is_begun else "OK", usage(3, 1))


async def plain(request: web.Request) -> web.StreamResponse:
    """A server that chats and does nothing else."""
    if request.method == "GET":
        raise web.HTTPNotFound
    asked = await request.json()
    if "input" in asked or "tools" in asked:
        raise web.HTTPBadRequest
    return said("One, two") if asked.get("stream") else whole({"content": "It is 5."})


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


async def test_a_probe_of_nobody_says_so() -> None:
    found = await probe(planned("http://127.0.0.1:1/v1", embed_model="bge"))

    assert not found.reachable
    assert found.problem is not None
    assert found.problem.startswith("127.0.0.1:1 cannot be reached")


@pytest.mark.parametrize("step", [silent_after(), silent_after(b"data: ")])
async def test_a_probe_of_a_silent_server_ends(step: Handler) -> None:
    async with serving(step) as server, asyncio.timeout(2):
        found = await probe(planned(server.url, embed_model="bge"), step_s=0.05)

    assert not found.reachable
    assert found.problem is not None


async def test_a_probe_speaks_anthropics_wire() -> None:
    async def claude(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response({"data": [{"id": "claude-x"}]})
        asked = await request.json()
        if "tools" in asked:
            return web.json_response({"content": [{"type": "tool_use"}]})
        if "output_config" in asked:
            text = {"type": "text", "text": '{"sum": 5}'}
            return web.json_response({"content": [text]})
        delta = {"type": "text_delta", "text": "OK"}
        events = (
            {"type": "content_block_delta", "delta": delta},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            {"type": "message_stop"},
        )
        lines = [b"data: " + orjson.dumps(event) + b"\n\n" for event in events]
        return web.Response(body=b"".join(lines))

    async with serving(claude) as server:
        plan = model_plan(AiSettings(anthropic_base_url=server.url))
        assert plan is not None
        found = await probe(plan)

    assert (found.models, found.tools, found.json_schema) == (("claude-x",), True, True)
    assert (found.continues_text, found.stream_usage) == (False, False)
