"""`relay`: tokens through the web process, against the same server asked directly.

Both ways end at one scripted model server, in one run. A stream is clean when it says
word for word what the server says directly, with no silence above `SILENCE_MS`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from benchmarks.cached import CHAT, cache_hits
from benchmarks.figures import percentile
from benchmarks.parties import Parties
from benchmarks.processes import (
    cpu_s,
    dossier,
    free_port,
    process,
    rss_mib,
    server,
)
from benchmarks.stage import PASSWORD, SMALL, Stage, email_of, stage
from benchmarks.streams import Heard, Voice, listen, listen_together
from benchmarks.wire import answer, request

from dossier.testing.model_server.answering.model import echo

DIRECT = "/v1/chat/completions"
PER_TOKEN_MS = 50
SILENCE_MS = 250
FIRST_TOKEN_LIMIT_MS = 4.0
CPU_LIMIT_US = 110
HIT_LIMIT_MS = 15
STREAMS_OF_ONE = 400
STREAMS_OF_TWO = 1000
STARTS_PER_S = 25
"""New streams of one process; each costs as much as some hundred tokens."""
TOGETHER_S = 8.0
RESUMED = 50
WARM_UP = 10
_APART_S = 0.04
_OK = 200


@dataclass(frozen=True, slots=True)
class Web:
    """One web process."""

    port: int
    pid: int
    headers: Mapping[str, str]
    env: Mapping[str, str]
    database_pid: int

    def voice(self, prefix: str) -> Voice:
        """Return how to ask it, each time another question."""

        def ask(number: int) -> bytes:
            return request("POST", CHAT, self.headers, _question(f"{prefix} {number}"))

        return Voice(
            self.port,
            token=b"event: response.output_text.delta",
            last=b"event: response.completed",
            request=ask,
        )

    def resuming(self, run_id: str, after: int) -> Voice:
        """Return how to go on with a stream."""
        headers = {**self.headers, "last-event-id": str(after)}
        path = f"{CHAT}/runs/{run_id}/events"
        voice = self.voice("")
        return Voice(
            self.port, voice.token, voice.last, lambda _: request("GET", path, headers)
        )


@dataclass(frozen=True, slots=True)
class Model:
    """The scripted server."""

    port: int
    pid: int

    async def play(self, **knobs: Any) -> None:
        """Turn its knobs."""
        status, body = await answer(
            self.port, request("POST", "/_control", {}, orjson.dumps(knobs))
        )
        assert status == _OK, body

    def voice(self, prefix: str) -> Voice:
        """Return how to ask it directly."""

        def ask(number: int) -> bytes:
            turn = {"role": "user", "content": f"{prefix} {number}"}
            body = {"model": "scripted", "stream": True, "messages": [turn]}
            return request("POST", DIRECT, {}, orjson.dumps(body))

        return Voice(self.port, b'"content":"You', b"data: [DONE]", ask)


def _question(message: str) -> bytes:
    return orjson.dumps({"message": message, "stream": True, "grounding": "none"})


async def measure() -> dict[str, Any]:
    """Return what the relay adds, what it costs, and how much it bears."""
    async with _playing() as (model, webs):
        one = webs[:1]
        first = await _first_tokens(model, one[0])
        costs = await _costs(model, one[0])
        many = await _together(model, one, STREAMS_OF_ONE)
        more = await _together(model, webs, STREAMS_OF_TWO)
        resumed = await _resumed(model, webs)
        async with process([dossier(), "worker"], env=webs[0].env):
            hits = await _hits(model, webs[0])
    return {
        "first_token": first,
        "cost": costs,
        "one_process": many,
        "two_processes": more,
        "resumed": resumed,
        "cache_hits": hits,
        "passed": _passed(first, costs, many, more, resumed)
        and hits["p50_ms"] < HIT_LIMIT_MS,
    }


def _passed(*parts: Mapping[str, Any]) -> bool:
    first, costs, many, more, resumed = parts
    clean = all(part["clean"] == part["streams"] for part in (many, more, resumed))
    return (
        clean
        and first["added_p50_ms"] <= FIRST_TOKEN_LIMIT_MS
        and costs["cpu_us_per_token"] <= CPU_LIMIT_US
    )


@asynccontextmanager
async def _playing() -> AsyncIterator[tuple[Model, list[Web]]]:
    async with stage() as played, AsyncExitStack() as stack:
        model_port = free_port()
        argv = [dossier(), "fake-model", "--port", str(model_port)]
        running = server(argv, model_port, health="/v1/models", env={})
        pid, _ = await stack.enter_async_context(running)
        model = Model(model_port, pid)
        webs = [await _web(played, stack, model) for _ in range(2)]
        yield model, webs


async def _web(played: Stage, stack: AsyncExitStack, model: Model) -> Web:
    port = free_port()
    env = played.env(
        AI_BASE_URL=f"http://127.0.0.1:{model.port}/v1",
        AI_MODEL="scripted",
        DOSSIER_AI__MAX_CONCURRENT="2000",
    )
    argv = [dossier(), "serve", "--no-worker", "--port", str(port)]
    pid, _ = await stack.enter_async_context(server(argv, port, env=env))
    login = orjson.dumps({"email": email_of(SMALL), "password": PASSWORD})
    status, body = await answer(port, request("POST", "/api/v1/auth/login", {}, login))
    assert status == _OK, body
    token = orjson.loads(body)["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    return Web(port, pid, headers, env, await played.database_pid())


async def _first_tokens(model: Model, web: Web, count: int = 100) -> dict[str, float]:
    """Ask by turns, so that what else the machine does meets both alike.

    What is added falls apart in two: what the web process reads and stores before it
    asks the model, and the way of the token back.
    """
    await model.play(delay_per_token_ms=2, reply_tokens=10)
    rows = [
        (await _timed(model, web.voice("First"), n), await _timed(model, bare, n))
        for n in range(-WARM_UP, count)
        for bare in [model.voice("First")]
    ][WARM_UP:]
    told = {
        "relay": [ours.whole_ms for ours, _ in rows],
        "direct": [bare.whole_ms for _, bare in rows],
        "added": [ours.whole_ms - bare.whole_ms for ours, bare in rows],
        "added_before_the_call": [ours.asked_ms - bare.asked_ms for ours, bare in rows],
        "added_on_the_way_back": [ours.back_ms - bare.back_ms for ours, bare in rows],
    }
    return {
        f"{name}_p{rank}_ms": percentile(values, rank)
        for name, values in told.items()
        for rank in (50, 95)
    }


@dataclass(frozen=True, slots=True)
class Timed:
    """The way to a first token."""

    whole_ms: float
    asked_ms: float
    """Until the model server was asked."""
    back_ms: float
    """From its first token to the client's."""


async def _timed(model: Model, voice: Voice, number: int) -> Timed:
    heard = _checked(await listen(voice, number))
    _, body = await answer(model.port, request("GET", "/_calls", {}))
    call = orjson.loads(body)["last"][-1]
    return Timed(
        heard.first_token_ms,
        (call["began_s"] - heard.sent_at) * 1000,
        (heard.first_token_at - call["first_token_s"]) * 1000,
    )


async def _costs(model: Model, web: Web, streams: int = 100) -> dict[str, float]:
    """Tell the price of a token from that of an answer: two lengths, one difference."""
    lengths = (50, 250)
    spent_s = []
    for tokens in lengths:
        await model.play(delay_per_token_ms=PER_TOKEN_MS, reply_tokens=tokens)
        before_s = cpu_s(web.pid)
        await listen_together([web.voice(f"Cost {tokens}")], streams, PER_TOKEN_MS / 25)
        await asyncio.sleep(0.5)  # what is stored after the last word is paid, too
        spent_s.append(cpu_s(web.pid) - before_s)
    per_token_s = (spent_s[1] - spent_s[0]) / (streams * (lengths[1] - lengths[0]))
    per_answer_s = spent_s[0] / streams - per_token_s * lengths[0]
    return {
        "cpu_us_per_token": round(per_token_s * 1e6, 1),
        "cpu_ms_per_answer": round(per_answer_s * 1e3, 2),
        "cpu_us_per_token_all_in": round(spent_s[1] * 1e6 / streams / lengths[1], 1),
    }


async def _together(model: Model, webs: Sequence[Web], count: int) -> dict[str, Any]:
    """Hear many streams at once at 20 tokens a second each.

    They begin one after the other, and last until all have been open for a while.
    """
    ramp_s = count / len(webs) / STARTS_PER_S
    tokens = int((ramp_s + TOGETHER_S) * 1000 / PER_TOKEN_MS)
    await model.play(delay_per_token_ms=PER_TOKEN_MS, reply_tokens=tokens)
    before_mib = [rss_mib(web.pid) for web in webs]
    parties = Parties([web.pid for web in webs], model.pid, webs[0].database_pid)
    parties.begin()
    voices = [web.voice(f"{count}") for web in webs]
    task = asyncio.create_task(listen_together(voices, count, ramp_s))
    await asyncio.sleep(ramp_s + TOGETHER_S / 2)
    grown_mib = sum(rss_mib(web.pid) for web in webs) - sum(before_mib)
    heard = await task
    used = parties.told(count * tokens)
    silences = [each.longest_silence_ms() for each in heard]
    complete = [
        _said([each]) == echo(f"{count} {number}", tokens)
        for number, each in enumerate(heard)
    ]
    clean = [
        whole and silence <= SILENCE_MS
        for whole, silence in zip(complete, silences, strict=True)
    ]
    return {
        "streams": count,
        "clean": sum(clean),
        "complete": sum(complete),
        "ends": dict(Counter(each.end() for each in heard)),
        "first_token_p50_ms": percentile([h.first_token_ms for h in heard], 50),
        "first_token_p95_ms": percentile([h.first_token_ms for h in heard], 95),
        "longest_silence_p50_ms": percentile(silences, 50),
        "longest_silence_p99_ms": percentile(silences, 99),
        "kib_per_stream": round(grown_mib * 1024 / count, 1),
        "cpu_us_per_token": used["cpu_us_per_token_of"]["web"],
        **used,
    }


async def _hits(model: Model, web: Web) -> dict[str, Any]:
    await model.play(delay_per_token_ms=0)
    return await cache_hits(web.port, web.pid, web.headers)


async def _resumed(model: Model, webs: Sequence[Web]) -> dict[str, Any]:
    """Leave streams in the middle and go on at the other process."""
    tokens = 60
    await model.play(delay_per_token_ms=PER_TOKEN_MS, reply_tokens=tokens)
    before, after = webs
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_in_two_parts(before, after, number))
            for number in range(RESUMED)
        ]
    parts = [task.result() for task in tasks]
    said = [
        _said([left, right]) == echo(f"Resumed {number}", tokens)
        for number, (left, right) in enumerate(parts)
    ]
    waits_ms = [(right.arrivals[0] - right.sent_at) * 1000 for _, right in parts]
    return {
        "streams": RESUMED,
        "clean": sum(said),
        "first_byte_p50_ms": percentile(waits_ms, 50),
        "first_byte_p95_ms": percentile(waits_ms, 95),
    }


async def _in_two_parts(before: Web, after: Web, number: int) -> tuple[Heard, Heard]:
    await asyncio.sleep(number * _APART_S)  # a crowd would measure its own queue
    left = await listen(before.voice("Resumed"), number, tokens=20)
    seen = list(left.events())
    voice = after.resuming(seen[0][1]["response"]["id"], seen[-1][0])
    return left, await listen(voice, number)


def _checked(heard: Heard) -> Heard:
    if heard.status() != _OK:
        raise RuntimeError(bytes(heard.content[:2000]).decode())
    return heard


def _said(parts: Iterable[Heard]) -> str:
    """Return what was told, if its events are numbered without a gap."""
    events = [event for part in parts for event in part.events()]
    numbers = [number for number, _ in events]
    if numbers != list(range(1, len(numbers) + 1)):
        return ""
    return "".join(
        data["delta"]
        for _, data in events
        if data["type"] == "response.output_text.delta"
    )
