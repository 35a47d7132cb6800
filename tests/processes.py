"""Processes of the product that are there at once: forked, not imported anew.

A start of `python -m dossier` imports for a second and a half, and some tests need
several of them. That the command itself starts is for `tests/cli/test_serve.py`.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

PROGRAM = Path(__file__).with_name("forker.py")
MODULES = (
    "dossier.cli.serve",
    "dossier.main",
    "dossier.worker",
    "dossier.integrations.llm.client",
    "dossier.integrations.queue.worker",
    "openai",
    "pydantic_ai.models.openai",
    "pgvector.asyncpg",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)
STDOUT, STDERR = 1, 2
START_TIMEOUT_S = 60


@contextmanager
def piped() -> Iterator[tuple[TextIO, int]]:
    """Open a pipe: its lines as they come, and the handle to which they are told."""
    told, telling = os.pipe()
    with os.fdopen(told, encoding="utf-8") as lines:
        yield lines, telling


class Process:
    """A process that was forked; ended and waited for as one of `subprocess`."""

    def __init__(self, forkers: "Forkers", pid: int) -> None:
        self._forkers = forkers
        self.pid = pid

    def poll(self) -> int | None:
        """Return the code with which it ended, if it has."""
        return self._forkers.code_of(self.pid, 0)

    def wait(self, timeout: float = 30) -> int:
        """Wait until it has ended; return the code."""
        code = self._forkers.code_of(self.pid, timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to leave."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forkers:
    """The process that forks, and what it tells of the others."""

    def __init__(self) -> None:
        self._control, other = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with other:
            handle = other.fileno()
            self._server = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, str(PROGRAM), str(handle), *MODULES],
                pass_fds=[handle],
                stdin=subprocess.DEVNULL,
            )
        self._control.settimeout(0)  # `_listen` waits
        self._started: list[int] = []
        self._codes: dict[int, int] = {}

    def start(
        self, argv: list[str], env: Mapping[str, str], stdout: int, stderr: int
    ) -> Process:
        """Start a program: its path, or `-m` and a module, and its arguments."""
        program = {"argv": argv, "env": dict(env), "cwd": str(Path.cwd())}
        message = json.dumps(program).encode()
        socket.send_fds(self._control, [message], [stdout, stderr])
        while not self._started:
            if not self._listen(START_TIMEOUT_S):
                raise TimeoutError(argv)
        return Process(self, self._started.pop())

    def code_of(self, pid: int, timeout_s: float) -> int | None:
        """Wait for the end of a process; return its code, or `None` where it lives."""
        deadline_s = time.monotonic() + timeout_s
        while pid not in self._codes:
            if not self._listen(max(0, deadline_s - time.monotonic())):
                return None
        return self._codes[pid]

    def _listen(self, timeout_s: float) -> bool:
        """Take in one message; tell whether one came."""
        ready, _, _ = select.select([self._control], [], [], timeout_s)
        if not ready:
            return False
        with suppress(BlockingIOError):  # another thread was first
            self._note(*json.loads(self._control.recv(2**10)))
        return True

    def _note(self, what: str, pid: int, code: int = 0) -> None:
        if what == "started":
            self._codes.pop(pid, None)  # the number of a process that ended earlier
            self._started.append(pid)
        else:
            self._codes[pid] = code

    def close(self) -> None:
        """End whatever is still there."""
        self._control.shutdown(socket.SHUT_WR)
        self._server.wait(30)
        self._control.close()
