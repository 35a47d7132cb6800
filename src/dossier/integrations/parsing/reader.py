"""Reads files in confined processes, one for each, that can be killed at any moment.

`SandboxedReader` and `SandboxedBooks` are what the rest of the system calls. `run` is
the mechanism below:

    book = await run(
        "dossier.integrations.parsing.spreadsheet:read_workbook", path, Workbook
    )

The function is named, not passed, because the process is new: it takes the opened file
and then the keyword `options` (JSON values only), and returns one value of the named
type. It refuses a file by raising `UnreadableFileError`. It can open no other file and
import no module (`containment`): `preload` names the modules that it needs.

Nothing is pickled. The child writes JSON (`orjson`: dataclasses, enums, dates and UUIDs
natively, `Decimal` as text) and the parent rebuilds the value from the annotations with
pydantic's `TypeAdapter`, so a hostile file that takes over its parser can at worst
deliver wrong text. Write results as plain frozen dataclasses of `str`, `int`, `bool`,
`Decimal`, `date`, enums, `| None`, `list`, `tuple`, `dict[str, ...]` and other such
dataclasses. Do not annotate `str | Decimal`: both are text in JSON, so text wins; use
two fields. The module of the result type must be cheap to import, since the parent
imports it too.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter

from dossier.core.settings import LimitSettings
from dossier.core.spreadsheets import Workbook
from dossier.integrations.parsing.children import (
    ChildResult,
    give_back,
    take_child,
)
from dossier.integrations.parsing.documents import modules_for, unreadable
from dossier.integrations.parsing.exceptions import (
    MEMORY_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.kinds import detect_file
from dossier.integrations.parsing.types import ExtractedText

T = TypeVar("T")
logger = logging.getLogger(__name__)

_PACKAGE: Final = "dossier.integrations.parsing"
_MIB: Final = 1024 * 1024
_KILLED_FOR_MEMORY: Final = {-signal.SIGKILL, -signal.SIGABRT}
_OUT_OF_MEMORY: Final = (b"MemoryError", b"memory allocation of", b"bad_alloc")


class SandboxBrokenError(RuntimeError):
    """The child could not even be started: a fault of the installation."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one reading may cost before it is stopped."""

    wall_s: float = 120.0
    cpu_s: int = 100
    memory_mib: int = 1536
    answer_mib: int = 64
    requires_containment: bool = False


DEFAULT_LIMITS: Final = Limits()


def limits_of(settings: LimitSettings) -> Limits:
    """Return what one reading may cost, as the operator set it."""
    return Limits(
        wall_s=settings.parse_timeout_s,
        cpu_s=settings.parse_timeout_s,
        memory_mib=settings.parse_memory_mib,
        answer_mib=settings.max_text_mib,
        requires_containment=settings.parse_containment == "require",
    )


@dataclass(frozen=True, slots=True)
class SandboxedReader:
    """Reads the text of documents."""

    limits: Limits

    async def read(self, path: Path, filename: str) -> ExtractedText:
        """Return what was read; an unreadable document with the reason."""
        with await asyncio.to_thread(path.open, "rb") as file:
            detected = await asyncio.to_thread(detect_file, file, filename)
        try:
            return await run(
                f"{_PACKAGE}.documents:read_document",
                path,
                ExtractedText,
                limits=self.limits,
                options={"filename": filename},
                preload=modules_for(detected.kind),
            )
        except UnreadableFileError as error:
            return unreadable(detected.media_type, detected.kind, error)


@dataclass(frozen=True, slots=True)
class SandboxedBooks:
    """Reads the cells of spreadsheets."""

    limits: Limits

    async def read_workbook(self, path: Path, filename: str) -> Workbook:
        """Return the cells, or raise `UnreadableFileError` that names the file."""
        function = f"{_PACKAGE}.spreadsheet:read_workbook"
        try:
            return await run(function, path, Workbook, limits=self.limits)
        except UnreadableFileError as error:
            detail = f"{filename}: {error.detail}"
            raise UnreadableFileError(error.reason, detail) from error


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A parser's reason why the file is not readable."""

    reason: UnreadableReason
    detail: str


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    """The decoded answer; exactly one of the two is set."""

    result: T | None = None
    unreadable: _Refusal | None = None


async def run(
    function: str,
    path: Path | str,
    result: type[T],
    *,
    limits: Limits = DEFAULT_LIMITS,
    options: Mapping[str, Any] | None = None,
    preload: Sequence[str] = (),
) -> T:
    """Read one file in a process of its own and return the typed result.

    `preload` names modules that the process imports before it is contained; the next
    file of the same kind finds them there.
    """
    answer_bytes = limits.answer_mib * _MIB
    request = json.dumps(
        {
            "function": function,
            "options": dict(options or {}),
            "preload": [function.partition(":")[0], *preload],
            "memory_bytes": limits.memory_mib * _MIB,
            "cpu_s": limits.cpu_s,
            "answer_bytes": answer_bytes,
            "requires_containment": limits.requires_containment,
        }
    )
    async with _slots():
        with await asyncio.to_thread(Path(path).open, "rb") as document:
            ended = await _ask(request.encode() + b"\n", document, limits.wall_s)
    if len(ended.answer) > answer_bytes:
        detail = f"what it contains is larger than {limits.answer_mib} MiB; split it"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    if ended.exit_code != 0:
        raise _failure(ended)
    answer = _adapter(cast("Any", result)).validate_json(ended.answer)
    if answer.unreadable is not None:
        if ended.stderr_tail:
            tail = ended.stderr_tail.decode(errors="replace")
            logger.info("parsing.child.refused", extra={"stderr": tail})
        raise UnreadableFileError(answer.unreadable.reason, answer.unreadable.detail)
    return cast("T", answer.result)


async def _ask(request: bytes, document: BinaryIO, wall_s: float) -> ChildResult:
    """Have a child answer; whatever ends the wait, no process is left at work."""
    child = take_child()
    asking = asyncio.create_task(
        asyncio.to_thread(child.ask, request, document.fileno())
    )
    try:
        async with asyncio.timeout(wall_s):
            ended = await asyncio.shield(asking)
    except TimeoutError:
        detail = f"reading took longer than {wall_s:g} s; simplify or split it"
        raise UnreadableFileError(UnreadableReason.TIMEOUT, detail) from None
    else:
        give_back(child)
        return ended
    finally:
        if not asking.done():
            child.kill()
            await asyncio.wait([asking])
            child.close()


_slots_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
    WeakKeyDictionary()
)


def _slots() -> asyncio.Semaphore:
    """Bound the children of this process: each may take a core and much memory."""
    loop = asyncio.get_running_loop()
    if loop not in _slots_by_loop:
        _slots_by_loop[loop] = asyncio.Semaphore(os.cpu_count() or 1)
    return _slots_by_loop[loop]


def _failure(ended: ChildResult) -> Exception:
    """Return the error for a child that exited without an answer.

    A positive exit code is a fault of the installation, a signal one of the file.
    C++ and Rust end by SIGABRT when they get no memory; where memory lacks, Python may
    fail to say so in its answer.
    """
    code, errors = ended.exit_code, ended.stderr_tail
    logger.warning("parsing.child.failed", extra={"exit_code": code})
    if code in _KILLED_FOR_MEMORY or any(sign in errors for sign in _OUT_OF_MEMORY):
        return UnreadableFileError(UnreadableReason.MEMORY, MEMORY_DETAIL)
    if code > 0:
        return SandboxBrokenError(errors.decode(errors="replace"))
    if code == -signal.SIGXCPU:
        detail = "reading took more processor time than allowed"
        return UnreadableFileError(UnreadableReason.TIMEOUT, detail)
    detail = f"its reader crashed ({signal.Signals(-code).name})"
    return UnreadableFileError(UnreadableReason.CORRUPT, detail)


@cache
def _adapter(result: Any) -> TypeAdapter[_Answer[Any]]:
    return TypeAdapter(_Answer[result])
