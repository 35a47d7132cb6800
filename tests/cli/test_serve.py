import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import httpx2
import pytest
from typer.testing import CliRunner

from dossier.cli.serve import app
from dossier.core.http_protocol import DESCRIPTOR_RESERVE

LISTENING = re.compile(r"running on (http://\S+) ")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "dossier.example", "::"])  # noqa: S104 - what is refused
def test_open_mode_does_not_listen_to_other_machines(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_AUTH__MODE", "open")

    answer = CliRunner().invoke(app, ["--host", host])

    assert answer.exit_code == 2
    assert "no log-in" in answer.stderr


@contextmanager
def serving(home: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `dossier serve` on a free port; yield the process and its address."""
    environment = os.environ | {
        "DOSSIER_HOME": str(home),
        "DOSSIER_DATABASE__URL": url,
        "DOSSIER_DATABASE__MIGRATE_ON_START": "false",
    }
    command = [sys.executable, "-m", "dossier", "serve", "--port", "0", "--no-worker"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=environment, stderr=subprocess.PIPE, text=True, cwd=home
    ) as process:
        try:
            yield process, _address(process)
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stderr or ():
        found = LISTENING.search(json.loads(line)["event"])
        if found:
            return found[1]
    pytest.fail(f"the server ended with {process.wait()}")


@pytest.mark.process
def test_probes_are_answered_when_connections_use_up_the_descriptors(
    tmp_path: Path, fresh_database: str
) -> None:
    connections = 60  # above the descriptors that the reserve leaves
    with serving(tmp_path, fresh_database) as (process, address):
        resource.prlimit(
            process.pid,
            resource.RLIMIT_NOFILE,
            (DESCRIPTOR_RESERVE + connections // 2, 4096),
        )
        where = (httpx2.URL(address).host, httpx2.URL(address).port or 0)
        held = [socket.create_connection(where, timeout=5) for _ in range(connections)]
        for connection in held[::2]:
            connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n")
        probes = [httpx2.get(f"{address}{path}") for path in ("/live", "/ready")]
        for connection in held:
            connection.close()

    assert [probe.status_code for probe in probes] == [200, 200]


def connected(where: tuple[str, int], number: int, sent: bytes) -> socket.socket:
    """Send the beginning of a request from one of twenty addresses of this machine."""
    source = (f"127.0.0.{2 + number % 20}", 0)
    connection = socket.create_connection(where, timeout=5, source_address=source)
    connection.sendall(sent)
    return connection


def memory_mib(process: subprocess.Popen[str]) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) // 1024


@pytest.mark.process
def test_incomplete_requests_cost_others_neither_time_nor_memory(
    tmp_path: Path, fresh_database: str
) -> None:
    head = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n"
    upload = (
        b"POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: 200000000\r\n\r\n--b\r\nContent-Disposition: form-data; "
        b'name="file"; filename="a.txt"\r\n\r\n' + bytes(2**21)
    )
    times_s = []
    with serving(tmp_path, fresh_database) as (process, address):
        where = (httpx2.URL(address).host, httpx2.URL(address).port or 0)
        before_mib = memory_mib(process)
        held = [connected(where, number, head) for number in range(400)]
        with httpx2.Client(base_url=address) as client:
            for _ in range(40):
                began_s = perf_counter()
                assert client.get("/ready").is_success
                times_s.append(perf_counter() - began_s)
        for connection in held:
            connection.close()
        held = [connected(where, number, upload) for number in range(80)]
        ready = httpx2.get(f"{address}/ready")
        grown_mib = memory_mib(process) - before_mib
        for connection in held:
            connection.close()

    assert sorted(times_s)[-3] <= 0.1
    assert ready.is_success
    assert grown_mib < 80


@pytest.mark.process
def test_server_answers_logs_and_stops_at_sigterm(
    tmp_path: Path, fresh_database: str
) -> None:
    with serving(tmp_path, fresh_database) as (process, address):
        me = httpx2.get(f"{address}/api/v1/users/me", headers={"x-request-id": "r-1"})
        docs = httpx2.get(f"{address}/docs")
        tasks = Path(f"/proc/{process.pid}/task/{process.pid}")
        children = (tasks / "children").read_text()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=20)
        lines = [json.loads(line) for line in process.stderr or ()]

    assert (me.status_code, docs.status_code, code) == (200, 200, 0)
    assert "server" not in me.headers
    assert children == ""  # `--no-worker`
    access = [line for line in lines if line["logger"] == "dossier.access"]
    assert [line["route"] for line in access] == ["/api/v1/users/me", "/docs"]
    assert access[0]["request_id"] == "r-1"
    assert access[0]["user_id"] == me.json()["id"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_taken_is_reported_in_one_line(
    host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOSSIER_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        answer = CliRunner().invoke(app, ["--host", host, "--port", str(port)])

    assert answer.exit_code == 2
    assert answer.stderr == (
        f"Port {port} of {host} cannot be used: Address already in use. "
        "Choose another one with --port; --port 0 takes a free one.\n"
    )
    assert list(tmp_path.iterdir()) == []
