"""`start`: from the command to the first 200, and what the processes weigh."""

import asyncio
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import Target, always, drive
from benchmarks.processes import dossier, free_port, process, rss_mib, server
from benchmarks.wire import request

from dossier.core.embedded.cluster import embedded_postgres

COLD_LIMIT_S, WARM_LIMIT_S = 2.5, 1.5
IDLE_LIMIT_MIB, LOADED_LIMIT_MIB, WORKER_LIMIT_MIB = 110, 150, 150
WARM_STARTS = 3
SETTLE_S = 2.0
"""A process has done its late imports by then."""


async def measure() -> dict[str, Any]:
    """Return seconds and mebibytes, with the marks they are held to."""
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        home = Path(folder)
        env = {
            "DOSSIER_HOME": str(home),
            "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0",
        }
        try:
            cold_s = await _start_s(env)
            # The last user ends the database, so each start begins from nothing.
            warm_s = [await _start_s(env) for _ in range(WARM_STARTS)]
            web = await _weigh_web(env, "--no-worker")
            both = await _weigh_web(env)
            worker = await _weigh_worker(env)
        finally:
            embedded_postgres(home).destroy()
    return {
        "cold_start_s": _held(cold_s, COLD_LIMIT_S),
        "warm_start_s": _held(median(warm_s), WARM_LIMIT_S),
        "web_idle_mib": _held(web["idle"], IDLE_LIMIT_MIB),
        "web_loaded_mib": _held(web["loaded"], LOADED_LIMIT_MIB),
        "serve_with_worker_idle_mib": both["idle"],
        "serve_with_worker_loaded_mib": both["loaded"],
        "worker_mib": _held(worker, WORKER_LIMIT_MIB),
    }


def _held(value: float, limit: float) -> dict[str, Any]:
    return {"value": round(value, 3), "limit": limit, "passed": value < limit}


def _serve(port: int, *flags: str) -> list[str]:
    return [dossier(), "serve", "--port", str(port), *flags]


async def _start_s(env: dict[str, str]) -> float:
    port = free_port()
    async with server(_serve(port), port, env=env) as (_, seconds):
        return seconds


async def _weigh_web(env: dict[str, str], *flags: str) -> dict[str, float]:
    port = free_port()
    async with server(_serve(port, *flags), port, env=env) as (pid, _):
        await asyncio.sleep(SETTLE_S)
        idle = rss_mib(pid)
        products = request("GET", "/api/v1/products?limit=20", {})
        await drive(Target(port, pid, connections=50), always(products))
        return {"idle": idle, "loaded": rss_mib(pid)}


async def _weigh_worker(env: dict[str, str]) -> float:
    async with process([dossier(), "worker"], env=env) as pid:
        await asyncio.sleep(2 * SETTLE_S)
        return rss_mib(pid)
