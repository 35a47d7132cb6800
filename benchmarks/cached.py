"""A stored answer, end to end: asked again, with nothing left for a model to do."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import orjson
from benchmarks.figures import percentile
from benchmarks.processes import cpu_s
from benchmarks.wire import answer, request

CHAT = "/api/v1/chat"
PAPER = Path(__file__).parents[1] / "examples/rose-cream/tests/stability-report.pdf"
QUESTION = "At which temperatures was the stability tested?"
READ_WITHIN_S = 60.0
_OK = 200
_BODY = orjson.dumps({"message": QUESTION})


async def cache_hits(
    port: int, pid: int, headers: Mapping[str, str], count: int = 50
) -> dict[str, Any]:
    """Return how long a stored answer takes; a worker must be there to read papers."""
    await _upload(port, headers)
    first_ms = await _until_cited(port, headers)
    taken_ms = []
    hits = 0
    before_s = cpu_s(pid)
    for _ in range(count):
        began_s = time.perf_counter()
        told = await _ask(port, headers)
        taken_ms.append((time.perf_counter() - began_s) * 1000)
        hits += bool(told["engine"]["from_cache"])
    return {
        "asked": count,
        "hits": hits,
        "first_answer_ms": round(first_ms, 1),
        "p50_ms": percentile(taken_ms, 50),
        "p95_ms": percentile(taken_ms, 95),
        "cpu_ms_per_hit": round((cpu_s(pid) - before_s) * 1000 / count, 2),
    }


async def _upload(port: int, headers: Mapping[str, str]) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        sent = await http.post(
            "/api/v1/documents",
            headers=dict(headers),
            files={"file": (PAPER.name, PAPER.read_bytes(), "application/pdf")},
        )
        sent.raise_for_status()


async def _until_cited(port: int, headers: Mapping[str, str]) -> float:
    """Ask until the paper is read and quoted; return what that answer took."""
    deadline_s = time.perf_counter() + READ_WITHIN_S
    while True:
        began_s = time.perf_counter()
        told = await _ask(port, headers)
        if told["citations"]:
            return (time.perf_counter() - began_s) * 1000
        if began_s > deadline_s:
            message = f"nothing was quoted within {READ_WITHIN_S} s: {told}"
            raise TimeoutError(message)
        await asyncio.sleep(0.5)


async def _ask(port: int, headers: Mapping[str, str]) -> dict[str, Any]:
    status, body = await answer(port, request("POST", CHAT, headers, _BODY))
    if status != _OK:
        raise RuntimeError(body.decode())
    told: dict[str, Any] = orjson.loads(body)
    return told
