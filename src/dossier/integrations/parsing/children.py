"""Processes that read files: started once, they fork for each file (see `child`).

Kept between files, at most as many as read at once, and killed with everything that
they started when a reading is given up.
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, Final, cast

_MODULE: Final = "dossier.integrations.parsing.child"


@dataclass(frozen=True, slots=True)
class ChildResult:
    """The answer, exit code and end of the standard error of a fork."""

    answer: bytes
    exit_code: int
    stderr_tail: bytes


class Child:
    """One such process. `ask` blocks; `kill` may be called from another thread."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            (sys.executable, "-P", "-s", "-B", "-m", _MODULE),
            stdin=theirs.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Only what finds our code: no key and no address of ours.
            env={
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONUTF8": "1",
            },
            start_new_session=True,
        )
        theirs.close()

    def ask(self, request: bytes, document: int) -> ChildResult:
        """Send a request with an opened document and return what came of it."""
        answers = cast("IO[bytes]", self._process.stdout)
        # A child that died early is reported by its exit code.
        with contextlib.suppress(ConnectionError):
            sent = socket.send_fds(self._channel, [request], [document])
            self._channel.sendall(request[sent:])
        header = answers.readline().split()
        if len(header) != 3:  # noqa: PLR2004 - exit code and two lengths
            return self._died()
        code, answer_bytes, error_bytes = map(int, header)
        answer, errors = answers.read(answer_bytes), answers.read(error_bytes)
        if len(errors) < error_bytes:
            return self._died()
        return ChildResult(answer, code, errors)

    def is_alive(self) -> bool:
        """Return whether the process can still be asked."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process and whatever it started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process and free what belongs to it."""
        self.kill()
        self._process.wait()
        self._channel.close()
        for pipe in (self._process.stdout, self._process.stderr):
            cast("IO[bytes]", pipe).close()

    def _died(self) -> ChildResult:
        errors = cast("IO[bytes]", self._process.stderr).read()
        return ChildResult(b"", self._process.wait() or 1, errors)


_idle: list[Child] = []


def take_child() -> Child:
    """Return a child that nobody else asks."""
    while _idle:
        child = _idle.pop()
        if child.is_alive():
            return child
        child.close()
    return Child()


def give_back(child: Child) -> None:
    """Keep a child for the next file, or close one that died."""
    if child.is_alive():
        _idle.append(child)
    else:
        child.close()


@atexit.register
def close_children() -> None:
    """Close the children that nobody asks."""
    while _idle:
        _idle.pop().close()
