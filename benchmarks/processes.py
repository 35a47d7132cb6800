"""Servers as real processes, on free ports, in homes that are removed afterwards."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 60


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return the environment of a Dossier process with its own home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DOSSIER_")}
    limits = {
        "DOSSIER_HOME": str(home),
        "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0",
        "DOSSIER_LIMITS__LOGINS_PER_MINUTE": "0",
    }
    return kept | limits | extra


@contextlib.contextmanager
def running(
    command: list[str], env: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, and end it as an operator would."""
    process = subprocess.Popen(  # noqa: S603 - our own servers
        [sys.executable, *command],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_for_200(port: int, path: str = "/health") -> None:
    """Return as soon as the server answers."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if get(port, path)[0] == http.HTTPStatus.OK:
                return
        time.sleep(0.005)
    message = f"nobody answers on port {port}"
    raise TimeoutError(message)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Fetch one path."""
    return call(port, "GET", path)


def call(
    port: int, method: str, path: str, body: Any = None, token: str = ""
) -> tuple[int, bytes]:
    """Send one JSON request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    payload = None if body is None else json.dumps(body)
    connection.request(method, path, payload, headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def load(port: int, path: str, **options: Any) -> dict[str, Any]:
    """Put a load on a server from another process and return its figures."""
    command = [sys.executable, "-m", "benchmarks.loadgen"]
    for name, value in {"port": port, "path": path, **options}.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(  # noqa: S603 - our own load
        command, capture_output=True, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def resident_mib(pid: int) -> float:
    """Return the resident set of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
