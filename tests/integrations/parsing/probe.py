"""What machine code that took over a reader would try, through libc.

Python's own checks do not see it. Each attempt reports its error, or that it worked.
Run as a program it makes the same attempts without containment.
"""

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

LIBC = ctypes.CDLL(None, use_errno=True)
WORKED = "worked"
NEW_NETWORK, NEW_USER = 0x40000000, 0x10000000
EXECUTABLE = 4  # PROT_EXEC
# The same numbers on every architecture.
IO_URING_SETUP, PIDFD_OPEN, OPENAT2 = 425, 434, 437


@dataclass(frozen=True)
class Targets:
    """What the test has put within reach."""

    secret: str
    socket: str
    port: int
    folder: str
    worker: int
    address: int


def attempts(targets: Targets) -> dict[str, Callable[[], int]]:
    parent = os.getppid()
    buffer = ctypes.create_string_buffer(8)

    def opened(path: str, flags: int = os.O_RDONLY) -> int:
        return int(LIBC.open(path.encode(), flags, 0o600))

    def connected(family: int, address: bytes) -> int:
        number = LIBC.socket(family, socket.SOCK_STREAM, 0)
        is_open = number >= 0
        return int(LIBC.connect(number, address, len(address)) if is_open else number)

    def any_family() -> int:
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)
        found = (LIBC.socket(each, kind, 0) for each in range(46) for kind in kinds)
        return max(map(int, found))

    def read_memory(pid: int) -> int:
        class Part(ctypes.Structure):
            _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

        ours = Part(ctypes.addressof(buffer), 8)
        theirs = Part(targets.address, 8)
        return int(
            LIBC.process_vm_readv(
                pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, ctypes.c_ulong(0)
            )
        )

    def run(program: bytes) -> int:
        pid = LIBC.fork()
        if pid == 0:
            LIBC.execv(program, (ctypes.c_char_p * 2)(program, None))
            os._exit(127)
        return pid if pid < 0 else os.waitpid(pid, 0)[1]

    def rejoin_network() -> int:
        return int(LIBC.setns(opened(f"/proc/{targets.worker}/ns/net"), NEW_NETWORK))

    def executable_memory() -> int:
        LIBC.mmap.restype = ctypes.c_void_p
        mapped = LIBC.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0))
        return 0 if mapped != ctypes.c_void_p(-1).value else -1

    unix = b"\x01\x00" + targets.socket.encode() + b"\x00"
    tcp = b"\x02\x00" + targets.port.to_bytes(2, "big") + b"\x7f\x00\x00\x01" + bytes(8)
    here = targets.folder
    return {
        "read the secret": lambda: opened(targets.secret),
        "read it by openat2": lambda: LIBC.syscall(
            ctypes.c_long(OPENAT2), -100, targets.secret.encode(), bytes(24), 24
        ),
        "see that it is there": lambda: LIBC.access(targets.secret.encode(), 0),
        "change its mode": lambda: LIBC.chmod(targets.secret.encode(), 0o600),
        "list the folder": lambda: opened(here, os.O_RDONLY | os.O_DIRECTORY),
        "read /proc/self/environ": lambda: opened("/proc/self/environ"),
        "read the environment of the parent": lambda: opened(f"/proc/{parent}/environ"),
        "read the environment of the worker": lambda: opened(
            f"/proc/{targets.worker}/environ"
        ),
        "write into the memory of the worker": lambda: opened(
            f"/proc/{targets.worker}/mem", os.O_RDWR
        ),
        "read the memory of the worker": lambda: read_memory(targets.worker),
        "trace the parent": lambda: LIBC.ptrace(0x4206, parent, None, None),  # seize
        "signal the parent": lambda: LIBC.kill(parent, 0),
        "signal the worker": lambda: LIBC.kill(targets.worker, 0),
        "signal a thread of the worker": lambda: LIBC.tgkill(
            targets.worker, targets.worker, 0
        ),
        "take hold of the worker": lambda: LIBC.syscall(
            ctypes.c_long(PIDFD_OPEN), targets.worker, 0
        ),
        "connect to the database's socket": lambda: connected(socket.AF_UNIX, unix),
        "connect to a port of this machine": lambda: connected(socket.AF_INET, tcp),
        "open a socket of any family": any_family,
        "rejoin the network": rejoin_network,
        "write a new file": lambda: opened(f"{here}/new", os.O_WRONLY | os.O_CREAT),
        "make a folder": lambda: LIBC.mkdir(f"{here}/made".encode(), 0o700),
        "start a program": lambda: run(b"/bin/true"),
        "become a program": lambda: LIBC.execv(
            b"/no/such/program", (ctypes.c_char_p * 1)(None)
        ),
        "mount": lambda: LIBC.mount(b"none", here.encode(), b"tmpfs", 0, None),
        "make a user namespace": lambda: LIBC.unshare(NEW_USER),
        "make a network namespace": lambda: LIBC.unshare(NEW_NETWORK),
        "set up io_uring": lambda: LIBC.syscall(
            ctypes.c_long(IO_URING_SETUP), 4, bytes(120)
        ),
        "become root": lambda: LIBC.setresuid(0, 0, 0),
        "leave the root folder": lambda: LIBC.chroot(b"."),
        "map new machine code": executable_memory,
        "have a signal sent by a file": lambda: LIBC.fcntl(1, 8, targets.worker),
        "see a limit of the worker": lambda: LIBC.prlimit(
            targets.worker, 7, None, ctypes.create_string_buffer(16)
        ),
    }


def attempt_all(_file: object, **targets: object) -> dict[str, str]:
    """Make each attempt and return how it ended."""
    ended = {}
    for name, attempt in attempts(Targets(**targets)).items():  # type: ignore[arg-type]
        ctypes.set_errno(0)
        result = attempt()
        number = ctypes.get_errno()
        ended[name] = WORKED if result >= 0 else errno.errorcode[number]
    return ended


if __name__ == "__main__":
    print(json.dumps(attempt_all(None, **json.loads(sys.argv[1]))))  # noqa: T201
