"""`responsiveness`: what uploads and lists take while documents are indexed.

`dossier serve` as a user starts it, its worker included, takes 80 documents of about
110 passages from eight clients at once; one more client lists products all the while.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
from benchmarks.figures import percentile
from benchmarks.processes import dossier, free_port, server

from dossier.core.embedded.cluster import embedded_postgres

DOCUMENTS, CLIENTS, PARAGRAPHS = 80, 8, 110
UPLOAD_LIMIT_S, LIST_LIMIT_MS = 0.6, 50
LIST_EVERY_S = 0.05
INDEXED_WITHIN_S = 600
SENTENCE = (
    "The stability of the emulsion was watched for twelve weeks at forty degrees. "
    "Viscosity, colour and odour were compared with samples kept cool and in the dark. "
    "Preservatives passed the challenge test with bacteria, yeasts and moulds. "
)


async def measure() -> dict[str, Any]:
    """Return seconds of uploads and milliseconds of lists, with their marks."""
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        env = {"DOSSIER_HOME": folder, "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0"}
        port = free_port()
        command = [dossier(), "serve", "--port", str(port)]
        try:
            async with server(command, port, env=env):
                return await _drive(f"http://127.0.0.1:{port}/api/v1")
        finally:
            embedded_postgres(Path(folder)).destroy()


async def _drive(base_url: str) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=base_url, timeout=120) as client:
        await client.post("/products", json={"name_en": "Rose cream"})
        await _upload(client, DOCUMENTS)  # what the first one loads is no part
        uploads_s: list[float] = []
        lists_ms: list[float] = []
        began_s = time.perf_counter()
        listing = asyncio.create_task(_list_products(client, lists_ms))
        todo = iter(range(DOCUMENTS))
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(_upload_all(client, todo, uploads_s))
        uploaded_s = time.perf_counter() - began_s
        await _until_indexed(client, DOCUMENTS + 1)
        indexed_s = time.perf_counter() - began_s
        listing.cancel()
    upload_p95_s = percentile(uploads_s, 95)
    list_p95_ms = percentile(lists_ms, 95)
    return {
        "upload_s": {
            "p50": percentile(uploads_s, 50),
            "p95": upload_p95_s,
            "max": round(max(uploads_s), 3),
            "limit_p95": UPLOAD_LIMIT_S,
            "passed": upload_p95_s <= UPLOAD_LIMIT_S,
        },
        "products_ms": {
            "p50": percentile(lists_ms, 50),
            "p95": list_p95_ms,
            "max": round(max(lists_ms), 1),
            "limit_p95": LIST_LIMIT_MS,
            "passed": list_p95_ms <= LIST_LIMIT_MS,
            "requests": len(lists_ms),
        },
        "uploaded_after_s": round(uploaded_s, 2),
        "indexed_after_s": round(indexed_s, 2),
    }


async def _upload_all(
    client: httpx2.AsyncClient, todo: Any, seconds: list[float]
) -> None:
    seconds.extend([await _upload(client, number) for number in todo])


async def _upload(client: httpx2.AsyncClient, number: int) -> float:
    files = {"file": (f"study-{number}.txt", _text(number), "text/plain")}
    began_s = time.perf_counter()
    response = await client.post("/documents", files=files)
    response.raise_for_status()
    return time.perf_counter() - began_s


async def _list_products(client: httpx2.AsyncClient, times_ms: list[float]) -> None:
    while True:
        began_s = time.perf_counter()
        response = await client.get("/products")
        response.raise_for_status()
        times_ms.append((time.perf_counter() - began_s) * 1000)
        await asyncio.sleep(LIST_EVERY_S)


async def _until_indexed(client: httpx2.AsyncClient, count: int) -> None:
    query = {"kind": "knowledge.index_document", "state": "done", "limit": "1"}
    async with asyncio.timeout(INDEXED_WITHIN_S):
        while True:
            response = await client.get("/jobs", params=query)
            if response.json()["total"] >= count:
                return
            await asyncio.sleep(0.5)


def _text(number: int) -> bytes:
    """Return a paper of so many paragraphs, each about one passage long."""
    paragraphs = [
        f"Study {number}, part {place}. {SENTENCE * 3}" for place in range(PARAGRAPHS)
    ]
    return "\n\n".join(paragraphs).encode()
