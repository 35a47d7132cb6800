"""Requests per second beside a raw floor and the usual way, in one run.

Everything of Dossier is on: log-in, row-level security, all middlewares. The three
servers stand on the same embedded PostgreSQL, one process each, and are driven in
turns with ten connections.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import processes
from dossier.core.embedded import embedded_postgres

SMALL, LARGE = 200, 100_000
PASSWORD = "correct horse battery"  # noqa: S105 - of a bench
REQUESTS = 3000
ROUNDS = 3


def run() -> dict[str, Any]:
    """Return the figures and their ratios."""
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        home = Path(folder)
        with embedded_postgres(home) as url:
            return _measured(home, url)


def _measured(home: Path, url: str) -> dict[str, Any]:
    env = processes.environment(
        home,
        DOSSIER_AUTH__MODE="password",
        DOSSIER_DATABASE__URL=url,
        DOSSIER_JOBS__IN_PROCESS="false",
        DOSSIER_LOGGING__LEVEL="INFO",
    )
    port = processes.free_port()
    with processes.running(["-m", "dossier", "serve", "--port", str(port)], env):
        processes.wait_for_200(port)
        accounts = {size: _account(env, size) for size in (SMALL, LARGE)}
        asyncio.run(_seed(url, accounts))
        with _baselines(url, accounts) as (floor, usual):
            return _rounds(port, floor, usual, accounts)


def _account(env: dict[str, str], size: int) -> dict[str, str]:
    org = _command(env, "create-org", f"Bench {size}", "--kind", "brand", "--json")
    email = f"owner{size}@example.org"
    _command(
        env,
        "create-user",
        email,
        "--org",
        org["id"],
        "--role",
        "owner",
        "--password-stdin",
        "--json",
        stdin=PASSWORD,
    )
    return {"org_id": org["id"], "email": email}


def _command(env: dict[str, str], *arguments: str, stdin: str = "") -> dict[str, str]:
    printed = processes.output(["-m", "dossier", *arguments], env, stdin)
    answer: dict[str, str] = json.loads(printed)
    return answer
