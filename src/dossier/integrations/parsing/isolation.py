"""What a parser's process may use; applied inside it, before a parser is imported.

Layers, weakest last: an own network namespace without interfaces (Linux), resource
limits of the kernel, and an audit hook that refuses sockets, programs
and writing.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import Any, Final

_CLONE_NEWNS_USER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_MAX_OPEN_FILES: Final = 64
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
    """A parser reached for the network, for another program or for a file to write."""


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


def _leave_the_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # A worker that is killed takes its parsers along.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Without the right to do so a user namespace of our own may give it; where
    # neither is allowed the audit hook still stands.
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
    """Raise for what a parser has no business to do; an audit hook."""
    # Even an open that only truncates would destroy the stored original.
    writes = event == "open" and bool(arguments[2] & _WRITING)
    if writes or event.startswith(_REFUSED_EVENTS):
        raise ForbiddenInSandboxError(event)
