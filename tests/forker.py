"""Starts processes that need not import the product anew: it forks itself.

`python forker.py SOCKET_FD MODULE...` imports the modules once. Each datagram is a
program's folder, arguments and environment, with its standard output and error as
file descriptors; the answer is its number, and later the code with which it ended.
"""

import json
import os
import runpy
import selectors
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

REQUEST_BYTES = 2**17


class Forker:
    """Forks a process for each request, and tells how each one ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._children: dict[int, int] = {}

    def next_program(self) -> Any:
        """Return, in a new process, what it is to run; `None` where all is over."""
        while True:
            for key, _ in self._selector.select():
                if key.fd in self._children:
                    self._reap(key.fd)
                else:
                    data, handles = self._request()
                    if not data or self._forked(handles):
                        return json.loads(data or b"null")

    def _request(self) -> tuple[bytes, list[int]]:
        data, handles, _, _ = socket.recv_fds(self._control, REQUEST_BYTES, 2)
        return data, handles

    def _forked(self, handles: list[int]) -> bool:
        """Fork; tell whether this is the new process."""
        pid = os.fork()
        if pid:
            self._watch(pid, handles)
        else:
            self._become(handles)
        return not pid

    def _watch(self, pid: int, handles: list[int]) -> None:
        for handle in handles:
            os.close(handle)
        watched = os.pidfd_open(pid)
        self._children[watched] = pid
        self._selector.register(watched, selectors.EVENT_READ)
        self._tell("started", pid)

    def _become(self, handles: list[int]) -> None:
        # What a shell runs in the background is deaf to Ctrl-C; our programs are not.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        self._control.close()
        for watched in self._children:
            os.close(watched)
        for number, handle in enumerate(handles, 1):
            os.dup2(handle, number)
            os.close(handle)

    def _reap(self, watched: int) -> None:
        pid = self._children.pop(watched)
        self._selector.unregister(watched)
        os.close(watched)
        _, status = os.waitpid(pid, 0)
        self._tell("ended", pid, os.waitstatus_to_exitcode(status))

    def _tell(self, *words: str | int) -> None:
        with suppress(ConnectionError):  # it may have left; then nobody need know
            self._control.send(json.dumps(words).encode())

    def end(self) -> None:
        """End with the tests whatever is still there."""
        for pid in self._children.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def main(handle: str, *modules: str) -> None:
    """Import what all programs need, then become one program after the other."""
    for module in modules:
        import_module(module)
    forker = Forker(socket.socket(fileno=int(handle)))
    program = forker.next_program()
    if program is None:
        forker.end()
        return
    os.chdir(program["cwd"])
    os.environ.clear()
    os.environ.update(program["env"])
    if program["argv"][0] == "-m":
        sys.argv = program["argv"][1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program["argv"]
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
