"""The process that reads files for `reader`, each in a fork of its own.

Standard input is a socket with one request a line, in JSON, and the opened document
beside it. For each, this process forks; the fork copies the document to its memory,
gives up everything else (`containment`), reads and ends. This process itself looks into
no document: it imports the parsers, so that a fork begins with them (starting Python
and importing takes ten times as long as reading a small document, and a fork can open
no module), and passes on what the fork wrote: a line with its exit code and two
lengths, the answer, the end of its standard error.

It is started with an environment of three variables and holds no secret, so that none
is in the memory that a fork inherits.
"""

import encodings
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import PurePath
from pkgutil import iter_modules, resolve_name
from typing import Any, BinaryIO, Final

import orjson

from dossier.integrations.parsing.containment import (
    NotContainedError,
    Prepared,
    contain,
    die_with_parent,
    prepare,
)
from dossier.integrations.parsing.exceptions import (
    MEMORY_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)

_MAX_OPEN_FILES: Final = 64
_CHUNK_BYTES: Final = 256 * 1024
_MAX_ERROR_BYTES: Final = 4096
_WINDOWS_CODECS: Final = frozenset({"mbcs", "oem"})
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
    _lower(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    die_with_parent()
    prepared = prepare()
    import_early()
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        for request, document in _requests():
            for module in request["preload"]:
                importlib.import_module(module)
            code, answer, errors = _read_in_fork(request, document, prepared)
            os.close(document)
            out.write(f"{code} {len(answer)} {len(errors)}\n".encode())
            out.write(answer + errors)
            out.flush()


def import_early() -> None:
    """Import what Python itself imports only when a reader needs it: too late."""
    importlib.import_module("heapq")  # in `Counter.most_common`
    for module in iter_modules(encodings.__path__):
        if module.name not in _WINDOWS_CODECS:
            importlib.import_module(f"encodings.{module.name}")


def _requests() -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each request and the descriptor of its document, open for reading."""
    with socket.socket(fileno=os.dup(0)) as channel:
        line, descriptors = b"", []
        while True:
            chunk, received, _, _ = socket.recv_fds(channel, _CHUNK_BYTES, 1)
            if not chunk:
                return
            line += chunk
            descriptors += received
            if line.endswith(b"\n"):
                yield json.loads(line), descriptors[0]
                line, descriptors = b"", []


def _read_in_fork(
    request: dict[str, Any], document: int, prepared: Prepared
) -> tuple[int, bytes, bytes]:
    """Return the exit code of a fork that reads a file, its answer and its errors."""
    answer, answer_end = os.pipe()
    errors, errors_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(errors_end, 2)
        os.dup2(2, 1)
        # Neither the requests that follow nor the way to the parent are its own.
        kept = {1, 2, answer_end, document, prepared.empty_folder}
        for number in set(range(_MAX_OPEN_FILES)) - kept:
            os.closerange(number, number + 1)  # unlike `close`, of any number
        os._exit(_read(request, document, answer_end, prepared))
    os.close(answer_end)
    os.close(errors_end)
    limit = request["answer_bytes"]
    found = _drained({answer: limit, errors: _MAX_ERROR_BYTES}, answer, pid)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), found[answer], found[errors]


def _read(
    request: dict[str, Any], document: int, answer: int, prepared: Prepared
) -> int:
    """Read a file in the fork, write the answer and return the exit code."""
    try:
        with os.fdopen(answer, "wb") as out:
            _lower(resource.RLIMIT_AS, request["memory_bytes"])
            _lower(resource.RLIMIT_CPU, request["cpu_s"])
            _lower(resource.RLIMIT_CORE, 0)
            _lower(resource.RLIMIT_FSIZE, 0)  # no file is written: no disk is filled
            parser = resolve_name(request["function"])
            with os.fdopen(document, "rb") as file:
                content = file.read()
            contain(prepared, is_required=request["requires_containment"])
            sys.addaudithook(refuse)
            out.write(answer_of(parser, BytesIO(content), request["options"]))
    except NotContainedError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the parent raises it as its own
        return 1
    except BaseException:  # noqa: BLE001 - the parent sees the exit code
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
    """Raise for what no parser needs; an audit hook.

    All that there is on systems other than Linux, and nothing to machine code.
    """
    writes = event == "open" and bool(arguments[2] & _WRITING)
    if writes or event.startswith(_REFUSED_EVENTS):
        raise ForbiddenInSandboxError(event)


def answer_of(
    parser: Callable[..., object], file: BinaryIO, options: dict[str, Any]
) -> bytes:
    """Run a parser and encode its result, or the reason why there is none."""
    try:
        return encoded({"result": parser(file, **options)})
    except UnreadableFileError as error:
        return _refusal(error.reason, error.detail)
    except ImportError:
        raise  # a fault of the installation, not of the file
    except (MemoryError, RecursionError):
        return _refusal(UnreadableReason.MEMORY, MEMORY_DETAIL)
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
