"""Server processes of a benchmark: started, waited for, weighed, ended by their id."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.wire import answer, request

START_TIMEOUT_S = 60.0


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def dossier() -> str:
    """Return the command beside this interpreter."""
    return str(Path(sys.executable).with_name("dossier"))


@asynccontextmanager
async def server(
    argv: list[str], port: int, *, health: str = "/health", env: Mapping[str, str]
) -> AsyncIterator[tuple[int, float]]:
    """Run a server; yield its process id and the seconds until its first 200."""
    started_at = time.perf_counter()
    async with process(argv, env=env) as pid:
        await _until_healthy(pid, port, health)
        yield pid, time.perf_counter() - started_at


@asynccontextmanager
async def process(argv: list[str], *, env: Mapping[str, str]) -> AsyncIterator[int]:
    """Run a process in a session of its own and end it by its id."""
    child = await asyncio.create_subprocess_exec(
        *argv,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield child.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        await child.wait()


async def _until_healthy(pid: int, port: int, path: str) -> None:
    content = request("GET", path, {})
    deadline = time.perf_counter() + START_TIMEOUT_S
    while time.perf_counter() < deadline:
        with contextlib.suppress(OSError, EOFError):
            status, _ = await answer(port, content)
            if status == 200:  # noqa: PLR2004 - what is waited for
                return
        if not _is_alive(pid):
            break
        await asyncio.sleep(0.01)
    message = f"no 200 from port {port} within {START_TIMEOUT_S} s"
    raise TimeoutError(message)


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process and its children, PostgreSQL apart."""
    return round(sum(_rss_kib(member) for member in _family(pid)) / 1024, 1)


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used; load beside it is no part."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user_ticks, system_ticks = int(fields[11]), int(fields[12])
    return (user_ticks + system_ticks) / os.sysconf("SC_CLK_TCK")


def family_cpu_s(pid: int) -> float:
    """Return the processor time of a process and its children, those gone included."""
    gone = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    spent_s = cpu_s(pid) + sum(map(int, gone)) / os.sysconf("SC_CLK_TCK")
    for child in _children(pid):
        with contextlib.suppress(OSError):
            spent_s += cpu_s(child)
    return spent_s


def _children(pid: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, tasks.read_text().split())


def _family(pid: int) -> Iterator[int]:
    if _name(pid) == "postgres":
        return
    yield pid
    for child in _children(pid):
        yield from _family(child)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _rss_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0
