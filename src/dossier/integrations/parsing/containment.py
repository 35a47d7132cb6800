"""What a process that reads a document gives up before it sees the document, on Linux.

A parser that is taken over runs any machine code, so Python's own checks do not count
here; the kernel must refuse. `prepare` runs once in the process that forks (see
`child`), `contain` in each fork after its libraries are loaded. A fork then has its
memory, a pipe for the answer and one for errors, and can do nothing but compute and
write to these two. tests/integrations/parsing/test_containment.py shows what that
covers: it makes each attempt through libc, without Python's checks.

The filter of system calls refuses all of them by itself. The other layers stand behind
it and cover less (ADR 0033 has the table); where a kernel or a container refuses one,
it is left out and `dossier doctor` names it.
"""

import ctypes
import os
import platform
import signal
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple


class Layer(StrEnum):
    """What holds a reader back; the value is what `dossier doctor` shows."""

    SYSTEM_CALLS = "system calls"
    LANDLOCK = "Landlock"
    CAPABILITIES = "no capabilities"
    USER = "own user"
    NAMESPACES = "own network and mounts"
    ROOT = "empty file system"


READER_ID: Final = 65_000
"""User and group of the readers where the server is root: Debian reserves 65000 to
65533, so no account has it and no file belongs to it."""

REQUIRED: Final = frozenset({Layer.SYSTEM_CALLS, Layer.LANDLOCK, Layer.CAPABILITIES})
"""Without one of these nothing is read where containment is required. Many containers
refuse the others, and these hold without them."""
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_in_force: list[Layer] = []

_NAMESPACES: Final = 0x4000_0000 | 0x0002_0000 | 0x0800_0000  # network, mounts, IPC
_USER_NAMESPACE: Final = 0x1000_0000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_CAPABILITY_VERSION: Final = 0x2008_0522
# The same numbers on every architecture; libc has no function for them.
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION: Final = 1
_LANDLOCK_RIGHTS: Final = {
    # Version: rights over files, over TCP, over processes outside (linux/landlock.h).
    1: ((1 << 13) - 1, 0, 0),
    2: ((1 << 14) - 1, 0, 0),
    3: ((1 << 15) - 1, 0, 0),
    4: ((1 << 15) - 1, 0b11, 0),
    5: ((1 << 16) - 1, 0b11, 0),
    6: ((1 << 16) - 1, 0b11, 0b11),
}
_PROT_EXEC: Final = 4


class _Call(NamedTuple):
    """A system call that a fork may make, by its number on x86-64 and on ARM64."""

    x86_64: int | None
    aarch64: int | None
    argument: int = 0
    """The argument that must be `value` where `mask` has bits; no mask, no condition"""
    mask: int = 0
    value: int = 0


def _calls() -> tuple[_Call, ...]:
    """Return the calls that computing needs. All others fail with EPERM.

    So no call opens or examines a file, makes a socket, starts or signals a process,
    looks into another one, changes namespaces or mounts, or sets up io_uring (whose
    operations no filter sees). `ioctl` and `fcntl` are missing on purpose: the latter
    can have the kernel send a signal to any process of the same user.
    """
    return (
        _Call(1, 64),  # write: the answer, and what libraries print
        _Call(20, 66),  # writev
        _Call(3, 57),  # close
        _Call(12, 214),  # brk
        # Memory, but none that could hold new machine code.
        _Call(9, 222, argument=2, mask=_PROT_EXEC),  # mmap
        _Call(10, 226, argument=2, mask=_PROT_EXEC),  # mprotect
        _Call(11, 215),  # munmap
        _Call(25, 216),  # mremap
        _Call(28, 233),  # madvise
        _Call(202, 98),  # futex
        _Call(13, 134),  # rt_sigaction
        _Call(14, 135),  # rt_sigprocmask
        _Call(15, 139),  # rt_sigreturn
        _Call(131, 132),  # sigaltstack
        _Call(219, 128),  # restart_syscall
        _Call(228, 113),  # clock_gettime
        _Call(96, 169),  # gettimeofday
        _Call(201, None),  # time
        _Call(230, 115),  # clock_nanosleep
        _Call(35, 101),  # nanosleep
        _Call(24, 124),  # sched_yield
        _Call(318, 278),  # getrandom
        _Call(39, 172),  # getpid
        _Call(186, 178),  # gettid
        # abort() of C++ and Rust sends itself a signal: `reader` knows the cause by it.
        _Call(234, 131, argument=0, mask=0xFFFF_FFFF, value=os.getpid()),  # tgkill
        _Call(60, 93),  # exit
        _Call(231, 94),  # exit_group
    )


_ARCHITECTURES: Final = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
"""AUDIT_ARCH_… of linux/audit.h; the 32-bit calls of the same machine have another."""


class Prepared(NamedTuple):
    """What the process that forks has set up for its forks."""

    is_root: bool
    has_namespaces: bool
    empty_folder: int | None


class NotContainedError(RuntimeError):
    """The kernel refuses a layer without which nothing is to be read."""

    def __init__(self, missing: list[Layer]) -> None:
        super().__init__(
            f"no document is read: this system does not allow {', '.join(missing)};"
            " DOSSIER_LIMITS__PARSE_CONTAINMENT=best reads without"
        )


def prepare() -> Prepared:
    """Leave the network and the mounts of the system; make an empty folder.

    Once for all forks: making a network namespace takes milliseconds. Root stays in its
    user namespace, where it can give the forks another user; anybody else needs a user
    namespace to be allowed the others.
    """
    if sys.platform != "linux":
        return Prepared(is_root=False, has_namespaces=False, empty_folder=None)
    is_root = os.geteuid() == 0
    flags = _NAMESPACES if is_root else _NAMESPACES | _USER_NAMESPACE
    has_namespaces = _LIBC.unshare(flags) == 0
    folder = None
    with suppress(OSError):
        name = tempfile.mkdtemp(prefix="dossier-reader-")
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        Path(name).rmdir()  # in a folder without a name nothing can be made
    return Prepared(is_root, has_namespaces, folder)


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it dies."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def contain(prepared: Prepared, *, is_required: bool) -> None:
    """Give up, for good, all but computing and writing to what is open.

    Raises `NotContainedError` where a required layer is missing.
    """
    if sys.platform == "linux":
        layers = {
            # In this order: each step needs what a later one gives up.
            Layer.NAMESPACES: prepared.has_namespaces,
            Layer.ROOT: _enter(prepared.empty_folder),
            Layer.USER: prepared.is_root and _leave_root(),
            Layer.CAPABILITIES: _drop_capabilities(),
            Layer.LANDLOCK: _landlock(),
        }
        die_with_parent()  # again: the kernel forgets it when the user changes
        layers[Layer.SYSTEM_CALLS] = _filter_system_calls()
        _in_force[:] = [layer for layer, is_in_force in layers.items() if is_in_force]
    required = REQUIRED | ({Layer.USER} if prepared.is_root else set())
    missing = [layer for layer in Layer if layer in required - set(_in_force)]
    if is_required and missing:
        raise NotContainedError(missing)


def layers_in_force(_file: object = None) -> list[Layer]:
    """Return the layers of this process; as a reader of any file, those of a fork."""
    return _in_force


def _enter(folder: int | None) -> bool:
    """Make the empty folder the root of the file system."""
    if folder is None:
        return False
    try:
        os.fchdir(folder)
        os.chroot(".")
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def _leave_root() -> bool:
    try:
        os.setgroups([])
        os.setresgid(READER_ID, READER_ID, READER_ID)
        os.setresuid(READER_ID, READER_ID, READER_ID)
    except OSError:
        return False  # a container whose user namespace has no such user
    return True


def _drop_capabilities() -> bool:
    """Drop all capabilities, of a user namespace too, and those of programs."""
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    is_without = _LIBC.capset(header, bytes(24)) == 0
    return bool(is_without and _prctl(_PR_SET_NO_NEW_PRIVS, 1) == 0)


def _landlock() -> bool:
    """Refuse every use of files, TCP and processes outside that this kernel knows."""
    version = _syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    rights = struct.pack("QQQ", *_LANDLOCK_RIGHTS[min(version, max(_LANDLOCK_RIGHTS))])
    # An older kernel knows a shorter structure; zeros beyond it are accepted.
    rules = _syscall(_LANDLOCK_CREATE_RULESET, rights, len(rights), 0)
    if rules < 0:
        return False
    is_in_force = _syscall(_LANDLOCK_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return is_in_force


def _filter_system_calls() -> bool:
    machine = platform.machine()
    if machine not in _ARCHITECTURES or sys.maxsize < 2**32:  # a 32-bit Python
        return False
    program = b"".join(_program(machine))
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: number of instructions, pointer to them
    head = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head) == 0


def _program(machine: str) -> Iterator[bytes]:
    """Yield the instructions of the filter (linux/filter.h, linux/seccomp.h)."""
    load, equal, both, end = 0x20, 0x15, 0x54, 0x06
    kill, allow, refuse = 0x8000_0000, 0x7FFF_0000, 0x0005_0001  # EPERM
    yield _instruction(load, 4)  # the architecture
    yield _instruction(equal, _ARCHITECTURES[machine], 1, 0)
    yield _instruction(end, kill)
    for call in _calls():
        number = getattr(call, machine)
        if number is None:
            continue
        yield _instruction(load, 0)  # the number of the call
        yield _instruction(equal, number, 0, 4 if call.mask else 1)
        if call.mask:
            # The lower half, little-endian: what is compared is an `int`.
            yield _instruction(load, 16 + 8 * call.argument)
            yield _instruction(both, call.mask)
            yield _instruction(equal, call.value, 0, 1)
        yield _instruction(end, allow)
    yield _instruction(end, refuse)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _prctl(option: int, *arguments: int | bytes) -> int:
    padded = (*arguments, *(0,) * (4 - len(arguments)))
    values = [
        ctypes.c_ulong(each) if isinstance(each, int) else each for each in padded
    ]
    return int(_LIBC.prctl(option, *values))


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    values = [
        ctypes.c_long(each) if isinstance(each, int) else each for each in arguments
    ]
    return int(_LIBC.syscall(ctypes.c_long(number), *values))
