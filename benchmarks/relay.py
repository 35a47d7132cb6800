"""`relay`: answers through `dossier serve` and its worker, beside the model alone.

Both ways end at one scripted model server, in one run. A stream is clean when it says
word for word what the server says directly, with no gap above `GAP_LIMIT_MS`.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
from benchmarks.figures import percentile
from benchmarks.processes import (
    cpu_s,
    dossier,
    free_port,
    process,
    rss_mib,
    server,
)
from benchmarks.stage import PASSWORD, SMALL, email_of, stage
from benchmarks.streams import Heard, Voice, listen, listen_together
from benchmarks.wire import answer, request

from dossier.testing.model_server.model import echo

CHAT = "/api/v1/chat"
DIRECT = "/v1/chat/completions"
PAPER = Path(__file__).parents[1] / "examples/rose-cream/tests/stability-report.pdf"
QUESTION = "At which temperatures was the stability tested?"
READ_WITHIN_S = 60.0
PER_TOKEN_MS = 50
GAP_LIMIT_MS = 300
FIRST_TOKEN_LIMIT_MS = 40
ANSWERS_PER_S_LIMIT = 40
SHORT_ANSWER_LIMIT_MS = 60
STREAMS = 100
STARTS_PER_S = 20
"""New streams; each start costs a worker as much as some hundred tokens."""
TOGETHER_S = 8.0
RESUMED = 20
WARM_UP = 10
_OK = 200


@dataclass(frozen=True, slots=True)
class Service:
    """One web process and one worker process."""

    port: int
    web_pid: int
    worker_pid: int
    headers: Mapping[str, str]

    def voice(self, prefix: str) -> Voice:
        """Return how to ask for a stream, each time another question."""

        def ask(number: int) -> bytes:
            body = {"message": f"{prefix} {number}", "stream": True}
            content = orjson.dumps(body | {"grounding": "none"})
            return request("POST", CHAT, self.headers, content)

        return Voice(
            self.port,
            token=b"event: response.output_text.delta",
            last=b"event: response.completed",
            request=ask,
        )

    def resuming(self, run_id: str, after: int) -> Voice:
        """Return how to continue a stream."""
        headers = {**self.headers, "last-event-id": str(after)}
        path = f"{CHAT}/runs/{run_id}/events"
        voice = self.voice("")
        return Voice(
            self.port, voice.token, voice.last, lambda _: request("GET", path, headers)
        )

    async def ask(self, **body: Any) -> dict[str, Any]:
        """Ask without a stream and return the answer."""
        content = orjson.dumps(body)
        status, answered = await answer(
            self.port, request("POST", CHAT, self.headers, content)
        )
        if status != _OK:
            raise RuntimeError(answered.decode())
        found: dict[str, Any] = orjson.loads(answered)
        return found

    def cpu_s(self) -> dict[str, float]:
        """Return the processor time that each process has used."""
        return {"web": cpu_s(self.web_pid), "worker": cpu_s(self.worker_pid)}


@dataclass(frozen=True, slots=True)
class Model:
    """The scripted server."""

    port: int

    async def play(self, **knobs: Any) -> None:
        """Set how it answers."""
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


async def measure() -> dict[str, Any]:
    """Return what an answer adds to its model, what it costs, and how many run."""
    async with _playing() as (model, service):
        first = await _first_tokens(model, service)
        many = await _together(model, service)
        resumed = await _resumed(model, service)
        throughput = await _throughput(model, service)
        short = await _short_answers(model, service)
        memory = {
            "web": rss_mib(service.web_pid),
            "worker": rss_mib(service.worker_pid),
        }
    return {
        "first_token": first,
        "together": many,
        "resumed": resumed,
        "throughput": throughput,
        "short_answers": short,
        "rss_mib": memory,
        "missed": _missed(first, many, resumed, throughput, short),
    }


def _missed(*parts: Mapping[str, Any]) -> list[str]:
    first, many, resumed, throughput, short = parts
    held = {
        f"first token added <= {FIRST_TOKEN_LIMIT_MS} ms": first["added_p50_ms"]
        <= FIRST_TOKEN_LIMIT_MS,
        f"{STREAMS} clean streams": many["clean"] == STREAMS,
        f"{RESUMED} resumed streams": resumed["clean"] == RESUMED,
        f"{ANSWERS_PER_S_LIMIT} answers/s": throughput["answers_per_s"]
        >= ANSWERS_PER_S_LIMIT,
        f"extractive p50 <= {SHORT_ANSWER_LIMIT_MS} ms": short["extractive_p50_ms"]
        <= SHORT_ANSWER_LIMIT_MS,
        f"cached p50 <= {SHORT_ANSWER_LIMIT_MS} ms": short["cached_p50_ms"]
        <= SHORT_ANSWER_LIMIT_MS,
    }
    return [name for name, is_held in held.items() if not is_held]


@asynccontextmanager
async def _playing() -> AsyncIterator[tuple[Model, Service]]:
    async with stage() as played, AsyncExitStack() as stack:
        model_port, port = free_port(), free_port()
        argv = [dossier(), "fake-model", "--port", str(model_port)]
        running = server(argv, model_port, health="/v1/models", env={})
        await stack.enter_async_context(running)
        env = played.env(
            AI_BASE_URL=f"http://127.0.0.1:{model_port}/v1", AI_MODEL="scripted"
        )
        argv = [dossier(), "serve", "--no-worker", "--port", str(port)]
        web_pid, _ = await stack.enter_async_context(server(argv, port, env=env))
        worker_pid = await stack.enter_async_context(
            process([dossier(), "worker"], env=env)
        )
        login = orjson.dumps({"email": email_of(SMALL), "password": PASSWORD})
        status, body = await answer(
            port, request("POST", "/api/v1/auth/login", {}, login)
        )
        assert status == _OK, body
        headers = {"authorization": f"Bearer {orjson.loads(body)['access_token']}"}
        yield Model(model_port), Service(port, web_pid, worker_pid, headers)


async def _first_tokens(
    model: Model, service: Service, count: int = 60
) -> dict[str, float]:
    """Ask by turns, so that what else the machine does meets both alike."""
    await model.play(delay_per_token_ms=2, reply_tokens=10)
    ours, bare = [], []
    for number in range(-WARM_UP, count):
        ours.append(_checked(await listen(service.voice("First"), number)))
        bare.append(_checked(await listen(model.voice("First"), number)))
    pairs = list(zip(ours, bare, strict=True))[WARM_UP:]
    added_ms = [a.first_token_ms - b.first_token_ms for a, b in pairs]
    return {
        "direct_p50_ms": percentile([b.first_token_ms for _, b in pairs], 50),
        "added_p50_ms": percentile(added_ms, 50),
        "added_p95_ms": percentile(added_ms, 95),
    }


async def _together(model: Model, service: Service) -> dict[str, Any]:
    """Read many streams at once at 20 tokens a second each.

    They begin one after the other, and last until all have been open for a while.
    """
    ramp_s = STREAMS / STARTS_PER_S
    tokens = int((ramp_s + TOGETHER_S) * 1000 / PER_TOKEN_MS)
    await model.play(delay_per_token_ms=PER_TOKEN_MS, reply_tokens=tokens)
    before = service.cpu_s()
    heard = await listen_together([service.voice(f"{STREAMS}")], STREAMS, ramp_s)
    after = service.cpu_s()
    gaps_ms = [each.longest_silence_ms() for each in heard]
    complete = [
        _said([each]) == echo(f"{STREAMS} {number}", tokens)
        for number, each in enumerate(heard)
    ]
    clean = [
        is_whole and gap_ms <= GAP_LIMIT_MS
        for is_whole, gap_ms in zip(complete, gaps_ms, strict=True)
    ]
    return {
        "streams": STREAMS,
        "clean": sum(clean),
        "complete": sum(complete),
        "ends": dict(Counter(each.end() for each in heard)),
        "longest_gap_p50_ms": percentile(gaps_ms, 50),
        "longest_gap_max_ms": round(max(gaps_ms), 1),
        "cpu_us_per_token": {
            name: round((after[name] - spent_s) * 1e6 / (STREAMS * tokens), 1)
            for name, spent_s in before.items()
        },
    }


async def _resumed(model: Model, service: Service) -> dict[str, Any]:
    """Leave streams in the middle and continue them."""
    tokens = 60
    await model.play(delay_per_token_ms=PER_TOKEN_MS, reply_tokens=tokens)

    async def in_two_parts(number: int) -> tuple[Heard, Heard]:
        await asyncio.sleep(number * 0.1)
        left = await listen(service.voice("Resumed"), number, tokens=5)
        seen = list(left.events())
        voice = service.resuming(seen[0][1]["response"]["id"], seen[-1][0])
        return left, await listen(voice, number)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(in_two_parts(number)) for number in range(RESUMED)]
    parts = [task.result() for task in tasks]
    said = [
        _said(pair) == echo(f"Resumed {number}", tokens)
        for number, pair in enumerate(parts)
    ]
    waits_ms = [(right.arrivals[0] - right.sent_at) * 1000 for _, right in parts]
    return {
        "streams": RESUMED,
        "clean": sum(said),
        "first_byte_p50_ms": percentile(waits_ms, 50),
    }


async def _throughput(
    model: Model, service: Service, seconds: float = 8.0
) -> dict[str, Any]:
    """Ask 16 at once, without a stream, a model that answers without delay."""
    await model.play(delay_per_token_ms=0, reply_tokens=20)
    asked, before = 0, service.cpu_s()
    ends_at = time.perf_counter() + seconds

    async def ask_again_and_again(asker: int) -> None:
        nonlocal asked
        number = 0
        while time.perf_counter() < ends_at:
            number += 1
            await service.ask(message=f"Again {asker} {number}", grounding="none")
            asked += 1

    async with asyncio.TaskGroup() as group:
        for asker in range(16):
            group.create_task(ask_again_and_again(asker))
    after = service.cpu_s()
    return {
        "answers_per_s": round(asked / seconds, 1),
        "cpu_ms_per_answer": {
            name: round((after[name] - spent_s) * 1e3 / asked, 1)
            for name, spent_s in before.items()
        },
        "cores": os.cpu_count(),
    }


async def _short_answers(
    model: Model, service: Service, count: int = 40
) -> dict[str, Any]:
    """Time answers of the papers' own sentences, and stored ones."""
    await model.play(delay_per_token_ms=0)
    base_url = f"http://127.0.0.1:{service.port}"
    async with httpx2.AsyncClient(base_url=base_url) as http:
        sent = await http.post(
            "/api/v1/documents",
            headers=dict(service.headers),
            files={"file": (PAPER.name, PAPER.read_bytes(), "application/pdf")},
        )
        sent.raise_for_status()
    async with asyncio.timeout(READ_WITHIN_S):
        while not (await service.ask(message=QUESTION))["citations"]:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    extractive, cached = [], []
    hits = 0
    for _ in range(count):
        started_s = time.perf_counter()
        await service.ask(message=QUESTION, engine="extractive")
        extractive.append((time.perf_counter() - started_s) * 1000)
        started_s = time.perf_counter()
        answered = await service.ask(message=QUESTION)
        cached.append((time.perf_counter() - started_s) * 1000)
        hits += bool(answered["engine"]["from_cache"])
    return {
        "extractive_p50_ms": percentile(extractive, 50),
        "cached_p50_ms": percentile(cached, 50),
        "cached_p95_ms": percentile(cached, 95),
        "hits": f"{hits} of {count}",
    }


def _checked(heard: Heard) -> Heard:
    if heard.status() != _OK:
        raise RuntimeError(bytes(heard.content[:2000]).decode())
    return heard


def _said(parts: Iterable[Heard]) -> str:
    """Return the text, if its events are numbered without a gap."""
    events = [event for part in parts for event in part.events()]
    numbers = [number for number, _ in events]
    if numbers != list(range(1, len(numbers) + 1)):
        return ""
    return "".join(
        data["delta"]
        for _, data in events
        if data["type"] == "response.output_text.delta"
    )
