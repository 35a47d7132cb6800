"""The server process: made by `initdb`, started, watched, ended.

Whether a server lives is read from a lock that every process of it inherits, so a
recycled process number is never taken for a server, and an orphan is never overlooked.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable

from dossier.core.embedded.errors import EmbeddedDatabaseError, failed
from dossier.core.embedded.layout import PORT, Layout
from dossier.core.embedded.locks import FileLock

_VERSION = "18"
_START_TIMEOUT_S = 60.0  # crash recovery of a large database takes its time
_STOP_TIMEOUT_S = 30.0
_ORPHANS_TIMEOUT_S = 10.0
_POLL_S = 0.005
_LOG_BYTES = 1_000_000
_STATE_LINE = 7  # of postmaster.pid, after pid, folder, time, port, sockets, host, key

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    # A new installation grows from nothing: what is planned while tables are small is
    # planned anew soon, and an index costs on an SSD what it costs in memory.
    "autovacuum_naptime": "10s",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rejected statements are the application's to log, and may hold people's data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Less of the log, and no files made ready for it: a clone of a database takes
    # a tenth of the time.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_init_zero": "off",
    "wal_recycle": "off",
}


class Server:
    """One PostgreSQL server on one data folder; callers hold the start lock."""

    def __init__(self, layout: Layout, *, durable: bool) -> None:
        self._layout = layout
        self._durable = durable

    def ensure_ready(self) -> None:
        """Adopt the running server, or make, repair and start what is missing."""
        if not self._is_adoptable():
            self._make_cluster()
            self._start()

    def stop(self) -> None:
        """End the server cleanly: sessions are ended, a checkpoint is written."""
        # Only a server that answers still owns the number in its file.
        if self._accepts() and self._signalled(signal.SIGINT):
            _wait_until(lambda: not self.has_processes(), _STOP_TIMEOUT_S)

    def _is_adoptable(self) -> bool:
        """Wait until a living server is ready or gone; return whether it is ready.

        After its postmaster was killed, the other processes end by themselves.
        """
        killed = self._state() == "ready" and not self._accepts()
        timeout_s = _ORPHANS_TIMEOUT_S if killed else _START_TIMEOUT_S
        _wait_until(lambda: self._is_ready() or not self.has_processes(), timeout_s)
        if self._is_ready():
            return True
        if self.has_processes():
            reason = f"Processes of an earlier server still use {self._layout.data}."
            raise EmbeddedDatabaseError(reason, "End them and start again.")
        return False

    def has_processes(self) -> bool:
        """Return whether any process of the server lives."""
        lock = FileLock(self._layout.base / "server.lock", self._layout.account.owner)
        try:
            return not lock.try_exclusive()
        finally:
            lock.close()

    def _is_ready(self) -> bool:
        # A child that was just forked answers for a moment after its parent's death.
        return self._state() == "ready" and self._accepts() and self._signalled(0)

    def _accepts(self) -> bool:
        address = str(self._layout.sockets / f".s.PGSQL.{PORT}")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            return probe.connect_ex(address) == 0

    def _pid_lines(self) -> list[str]:
        try:
            return self._layout.pid_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _state(self) -> str | None:
        lines = self._pid_lines()
        return lines[_STATE_LINE].strip() if len(lines) > _STATE_LINE else None

    def _signalled(self, number: int) -> bool:
        """Signal the first process of the server; return whether it exists."""
        lines = self._pid_lines()
        if not lines or not lines[0].isdecimal():
            return False
        try:
            os.kill(int(lines[0]), number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _make_cluster(self) -> None:
        """Make the cluster aside and rename it, so that a half of one never counts."""
        layout = self._layout
        if layout.data.exists():
            found = (layout.data / "PG_VERSION").read_text(encoding="ascii").strip()
            if found != _VERSION:
                reason = f"The data are of PostgreSQL {found}, the server {_VERSION}."
                remedy = "Dump them with the older version: docs/operations.md."
                raise EmbeddedDatabaseError(reason, remedy)
            return
        shutil.rmtree(layout.draft, ignore_errors=True)
        self._run("initdb", "-D", str(layout.draft), *_INITDB)
        single = ["--single", "-D", str(layout.draft), "-c", "fsync=off", "postgres"]
        self._run("postgres", *single, text="create database dossier\n")
        layout.draft.rename(layout.data)
        if self._durable:
            # `--no-sync` made it fast; the disk gets its copy while we go on.
            sync = ["initdb", "--sync-only", "-D", str(layout.data)]
            _reap(self._spawn(sync, subprocess.DEVNULL))

    def _run(self, program: str, *args: str, text: str = "") -> None:
        """Run one program of the wheel to its end, or raise with what it said."""
        layout = self._layout
        done = subprocess.run(  # noqa: S603 - our own binaries, our own words
            [str(layout.binaries / program), *args],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=layout.base,
            env=_ENVIRONMENT,
            user=layout.account.uid,
            group=layout.account.gid,
            extra_groups=None if layout.account.uid is None else [],
        )
        if done.returncode:
            raise failed(done.stderr, step=program)

    def _start(self) -> None:
        layout, log = self._layout, self._layout.log
        # No process of the server lives, so the stored number may be another program's.
        layout.pid_file.unlink(missing_ok=True)
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))  # nothing writes to it at a start
        settings = _SETTINGS | ({} if self._durable else _THROWAWAY)
        settings["unix_socket_directories"] = str(layout.sockets)
        command = ["postgres", "-D", str(layout.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # Held by the server's processes: it shows that one of them lives.
        alive = FileLock(layout.base / "server.lock", layout.account.owner)
        alive.exclusive(_STOP_TIMEOUT_S)
        output = FileLock(log, layout.account.owner, os.O_APPEND)
        try:
            process = _reap(self._spawn(command, output.fd, alive.fd))
        finally:
            output.close()
            alive.close()
        _wait_until(lambda: self._is_ready() or process.poll() is not None)
        if not self._is_ready():
            said = log.read_bytes()[-600:] if log.exists() else b""
            raise failed(said.decode("utf-8", "replace"), step="Starting PostgreSQL")

    def _spawn(
        self, command: list[str], output: int, *inherited: int
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own: Ctrl-C is not meant for it."""
        account = self._layout.account
        return subprocess.Popen(  # noqa: S603 - our own binaries, our own words
            [str(self._layout.binaries / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self._layout.base,
            env=_ENVIRONMENT,
            pass_fds=inherited,
            start_new_session=True,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
        )


_INITDB = (
    "--username=postgres",
    "--auth=trust",  # the socket folder is 0700: who reaches it is the owner or root
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
)
# Nothing of ours leaks in: PGPORT or PGDATA of a shell must not move the server.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _reap(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Wait for a program in the background, so that its end leaves no zombie."""
    threading.Thread(target=process.wait, name="embedded", daemon=True).start()
    return process


def _wait_until(
    condition: Callable[[], bool], timeout_s: float = _START_TIMEOUT_S
) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
