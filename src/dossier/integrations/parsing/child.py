"""The process that reads files for `sandbox`, each in a fork of its own.

Standard input holds one request a line, in JSON. For each, this process forks; the fork
confines itself, reads the file and ends. This process itself opens no file: it imports
the parsers, so that a fork begins with them (starting Python and importing takes ten
times as long as reading a small document), and passes on what the fork wrote: a line
with its exit code and two lengths, the answer, the end of its standard error.

Layers of confinement, weakest last: an own network namespace without interfaces
(Linux), resource limits of the kernel, and an audit hook that refuses sockets, programs
and writing.
"""

import ctypes
import importlib
import json
import os
import resource
import selectors
import signal
import sys
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import PurePath
from pkgutil import resolve_name
from typing import Any, Final

import orjson

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

_CLONE_NEWNS_USER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_MAX_OPEN_FILES: Final = 64
_CHUNK_BYTES: Final = 256 * 1024
_MAX_ERROR_BYTES: Final = 4096
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED_EVENTS: Final = (
    "socket.",
    "shutil.",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
)


class ForbiddenInSandboxError(RuntimeError):
    """A parser tried to use the network, another program or a file for writing."""


def main() -> None:
    """Answer one request after the other, until the input ends."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        _die_with_parent()
        for line in sys.stdin:
            request = json.loads(line)
            for module in request["preload"]:
                importlib.import_module(module)
            code, answer, errors = _read_in_fork(request, out.fileno())
            out.write(f"{code} {len(answer)} {len(errors)}\n".encode())
            out.write(answer + errors)
            out.flush()


def _read_in_fork(request: dict[str, Any], out: int) -> tuple[int, bytes, bytes]:
    """Return the exit code of a fork that reads a file, its answer and its errors."""
    answer, answer_end = os.pipe()
    errors, errors_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        # Neither the requests that follow nor the way to the parent are its own.
        for number in (0, out, answer, errors):
            os.close(number)
        os.dup2(errors_end, 2)
        os.dup2(2, 1)
        os._exit(_read(request, answer_end))
    os.close(answer_end)
    os.close(errors_end)
    limit = request["answer_bytes"]
    found = _drained({answer: limit, errors: _MAX_ERROR_BYTES}, answer, pid)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), found[answer], found[errors]


def _read(request: dict[str, Any], answer: int) -> int:
    """Read a file in the fork, write the answer and return the exit code."""
    try:
        _die_with_parent()
        with os.fdopen(answer, "wb") as out:  # the last that is opened for writing
            confine(request["memory_bytes"], request["cpu_s"])
            parser = resolve_name(request["function"])
            out.write(answer_of(parser, request["path"], request["options"]))
    except BaseException:  # noqa: BLE001 - the parent tells it from the exit code
        traceback.print_exc()
        return 1
    return 0


def _drained(limits: dict[int, int], answer: int, pid: int) -> dict[int, bytes]:
    """Read pipes to their ends; a fork whose answer is too long is killed."""
    found = dict.fromkeys(limits, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in limits:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                pipe = key.fd
                chunk = os.read(pipe, _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(pipe)
                    os.close(pipe)
                elif pipe != answer:
                    found[pipe] = (found[pipe] + chunk)[-limits[pipe] :]
                elif len(found[pipe]) <= limits[pipe]:
                    found[pipe] += chunk
                    if len(found[pipe]) > limits[pipe]:
                        os.kill(pid, signal.SIGKILL)
    return found


def confine(memory_bytes: int, cpu_s: int) -> None:
    """Give up, for good, all that reading a file does not need."""
    if sys.platform == "linux":
        _leave_the_network()
    _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_CPU, cpu_s)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)  # no file is written, so no disk is filled
    _lower(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    sys.addaudithook(refuse)


def _die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it dies."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _leave_the_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # An unprivileged process may need a user namespace of its own first; where neither
    # is allowed, the audit hook still refuses sockets.
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWNS_USER | _CLONE_NEWNET)


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # At the soft CPU limit a signal names the cause; the hard one kills silently.
    ceiling = wanted + 1 if limit == resource.RLIMIT_CPU else wanted
    # Some systems know a limit and refuse to set it (RLIMIT_AS on macOS).
    try:
        resource.setrlimit(limit, (wanted, ceiling))
    except (OSError, ValueError) as error:
        print(f"limit {limit} not set: {error}", file=sys.stderr)  # noqa: T201 - the parent logs the child's standard error


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise for what no parser needs; an audit hook."""
    # Even an open that only truncates would destroy the stored original.
    writes = event == "open" and bool(arguments[2] & _WRITING)
    if writes or event.startswith(_REFUSED_EVENTS):
        raise ForbiddenInSandboxError(event)


def answer_of(
    parser: Callable[..., object], path: str, options: dict[str, Any]
) -> bytes:
    """Run a parser and encode its result, or the reason why there is none."""
    try:
        return encoded({"result": parser(path, **options)})
    except UnreadableFileError as error:
        return _refusal(error.reason, error.detail)
    except ImportError:
        raise  # a fault of the installation, not of the file
    except (MemoryError, RecursionError):
        detail = "reading needs more memory than allowed; split it or save it smaller"
        return _refusal(UnreadableReason.MEMORY, detail)
    except Exception as error:  # noqa: BLE001 - libraries fail on hostile bytes in any way
        # For the log of the parent; no text of a library reaches a person.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        detail = "it is damaged in a way that cannot be read around; save it again"
        return _refusal(UnreadableReason.CORRUPT, detail)


def _refusal(reason: UnreadableReason, detail: str) -> bytes:
    return encoded({"unreadable": {"reason": reason.value, "detail": detail}})


def encoded(value: object) -> bytes:
    """Encode dataclasses, dates, UUIDs and enums natively, decimals as text."""
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal | PurePath):
        return str(value)
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    main()
