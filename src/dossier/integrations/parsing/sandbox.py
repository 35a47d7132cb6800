"""Runs a parser in a fresh, confined process that can be killed at any moment.

    book = await run(
        "dossier.integrations.parsing.spreadsheet:read_workbook", path, Workbook
    )

The function is named, not passed, because the process is new: it takes the path as
text and then the keyword `options` (JSON values only), and returns one value of the
named type. It refuses a file by raising `UnreadableFileError`.

The codec. Nothing is pickled. The child writes JSON (`orjson`: dataclasses, enums,
dates and UUIDs natively, `Decimal` as text) and the parent rebuilds the value from the
annotations with pydantic's `TypeAdapter`, so a parser taken over by a hostile file can
at worst deliver wrong text. Write results as plain frozen dataclasses of `str`, `int`,
`bool`, `Decimal`, `date`, enums, `| None`, `list`, `tuple`, `dict[str, ...]` and other
such dataclasses. Do not annotate `str | Decimal`: both are text on the wire, so text
wins; use two fields. The module of the result type must be cheap to import, since the
parent imports it too.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

T = TypeVar("T")
logger = logging.getLogger(__name__)

_CHILD: Final = "dossier.integrations.parsing.child"
_PIECE_BYTES: Final = 256 * 1024
_STDERR_TAIL_BYTES: Final = 4096
_MIB: Final = 1024 * 1024
_OUT_OF_MEMORY: Final = (b"MemoryError", b"memory allocation of", b"bad_alloc")


class SandboxBrokenError(RuntimeError):
    """The reader could not even be started: a fault of the installation."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one reading may cost before it is stopped."""

    wall_s: float = 120.0
    cpu_s: int = 100
    memory_mib: int = 1536
    answer_mib: int = 64


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a child ended: what it answered, its exit code, its last words."""

    answer: bytes
    code: int
    last_words: bytes


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A parser's own word that the file is not readable."""

    reason: UnreadableReason
    detail: str


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    """Exactly one of the two is set."""

    result: T | None = None
    unreadable: _Refusal | None = None


async def run(
    function: str,
    path: Path | str,
    result: type[T],
    *,
    limits: Limits = DEFAULT_LIMITS,
    options: Mapping[str, Any] | None = None,
) -> T:
    """Read one file in a process of its own and return the typed result."""
    order = json.dumps(
        {
            "function": function,
            "path": os.fspath(path),
            "options": dict(options or {}),
            "memory_bytes": limits.memory_mib * _MIB,
            "cpu_s": limits.cpu_s,
        }
    )
    async with _slots():
        ended = await _ended(order.encode(), limits)
    return _unpacked(ended, result, limits)


async def _ended(order: bytes, limits: Limits) -> _Ended:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-s", "-B", "-m", _CHILD),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limits.wall_s):
            return await _conversation(child, order, limits.answer_mib * _MIB)
    except TimeoutError:
        detail = f"reading took longer than {limits.wall_s:g} s"
        raise UnreadableFileError(UnreadableReason.TIMEOUT, detail) from None
    finally:
        _kill(child)
        await child.communicate()  # to the end, or the pipes stay open behind it


async def _conversation(child: Process, order: bytes, max_bytes: int) -> _Ended:
    async with asyncio.TaskGroup() as group:
        group.create_task(_tell(cast("asyncio.StreamWriter", child.stdin), order))
        answer = group.create_task(_answered(child, max_bytes))
        words = group.create_task(_tail(cast("asyncio.StreamReader", child.stderr)))
    return _Ended(answer.result(), await child.wait(), words.result())


async def _tell(pipe: asyncio.StreamWriter, order: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # its exit code says more
        pipe.write(order)
        await pipe.drain()
        pipe.close()
        await pipe.wait_closed()


async def _answered(child: Process, max_bytes: int) -> bytes:
    """Read to the end; a child that says more than it may is killed."""
    pipe = cast("asyncio.StreamReader", child.stdout)
    answer = bytearray()
    while piece := await pipe.read(_PIECE_BYTES):
        if len(answer) > max_bytes:
            continue  # read on to the end: a full pipe would keep `wait` waiting
        answer += piece
        if len(answer) > max_bytes:
            _kill(child)
    return bytes(answer)


async def _tail(pipe: asyncio.StreamReader) -> bytes:
    tail = b""
    while piece := await pipe.read(_STDERR_TAIL_BYTES):
        tail = (tail + piece)[-_STDERR_TAIL_BYTES:]
    return tail


def _kill(child: Process) -> None:
    # The whole session, so that nothing which the parser started stays behind.
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _unpacked(ended: _Ended, result: type[T], limits: Limits) -> T:
    if len(ended.answer) > limits.answer_mib * _MIB:
        detail = f"what it contains is larger than {limits.answer_mib} MiB"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    if ended.code != 0:
        raise _failure(ended)
    answer = _adapter(cast("Any", result)).validate_json(ended.answer)
    if answer.unreadable is not None:
        raise UnreadableFileError(answer.unreadable.reason, answer.unreadable.detail)
    return cast("T", answer.result)


def _failure(ended: _Ended) -> Exception:
    """Tell a file that kills its reader from a reader that never began."""
    words = ended.last_words
    logger.warning("parsing.child.failed", extra={"exit_code": ended.code})
    if ended.code > 0:
        return SandboxBrokenError(words.decode(errors="replace"))
    if ended.code == -signal.SIGXCPU:
        detail = "reading took more processor time than allowed"
        return UnreadableFileError(UnreadableReason.TIMEOUT, detail)
    if ended.code == -signal.SIGKILL or any(sign in words for sign in _OUT_OF_MEMORY):
        detail = "reading needs more memory than allowed"
        return UnreadableFileError(UnreadableReason.MEMORY, detail)
    detail = f"its reader crashed ({signal.Signals(-ended.code).name})"
    return UnreadableFileError(UnreadableReason.CORRUPT, detail)


@cache
def _adapter(result: Any) -> TypeAdapter[_Answer[Any]]:
    return TypeAdapter(_Answer[result])


def _environment() -> dict[str, str]:
    """Give the child our code and nothing else: no key and no address of ours."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONUTF8": "1",
    }


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
    WeakKeyDictionary()
)


def _slots() -> asyncio.Semaphore:
    """Bound the readers of this process: each may take a core and much memory."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = asyncio.Semaphore(os.cpu_count() or 1)
    return _by_loop[loop]
