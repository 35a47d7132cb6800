"""The server itself: made by `initdb`, started, watched, ended.

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
from pathlib import Path

from dossier.core.embedded.errors import EmbeddedDatabaseError, failed
from dossier.core.embedded.layout import PORT, Layout
from dossier.core.embedded.locks import FileLock

_START_TIMEOUT_S = 60.0  # crash recovery of a large database takes its time
_STOP_TIMEOUT_S = 30.0
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
        pid = self._pid()
        if pid is None or not self._has_processes():
            return
        os.kill(pid, signal.SIGINT)
        _wait_until(lambda: not self._has_processes(), _STOP_TIMEOUT_S)

    def _is_adoptable(self) -> bool:
        """Wait until a server that lives is ready or gone; tell which."""
        _wait_until(lambda: self._is_ready() or not self._has_processes())
        if self._is_ready():
            return True
        if self._has_processes():
            reason = f"Processes of an earlier server still use {self._layout.data}."
            raise EmbeddedDatabaseError(reason, "End them and start again.")
        return False

    def _has_processes(self) -> bool:
        lock = FileLock(self._layout.base / "server.lock", self._layout.account.owner)
        try:
            return not lock.try_exclusive()
        finally:
            lock.close()

    def _is_ready(self) -> bool:
        return self._state() == "ready" and self._accepts()

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

    def _pid(self) -> int | None:
        lines = self._pid_lines()
        return int(lines[0]) if lines and lines[0].isdecimal() else None

    def _make_cluster(self) -> None:
        """Make the cluster aside and rename it, so that a half of one never counts."""
        layout = self._layout
        if layout.data.exists():
            return
        shutil.rmtree(layout.draft, ignore_errors=True)
        self._run("initdb", "-D", str(layout.draft), *_INITDB)
        single = ["--single", "-D", str(layout.draft), "-c", "fsync=off", "postgres"]
        self._run("postgres", *single, text="create database dossier\n")
        layout.draft.rename(layout.data)

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
        # No process of a server lives, so its number may be anybody's by now.
        self._layout.pid_file.unlink(missing_ok=True)
        _shorten(self._layout.log)
        process = self._spawn()
        _wait_until(lambda: self._is_ready() or process.poll() is not None)
        if not self._is_ready():
            raise failed(_tail(self._layout.log), step="Starting PostgreSQL")
        threading.Thread(target=process.wait, name="postgres", daemon=True).start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own: Ctrl-C is not meant for it."""
        layout = self._layout
        alive = FileLock(layout.base / "server.lock", layout.account.owner)
        alive.exclusive(_STOP_TIMEOUT_S)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        log = os.open(layout.log, flags, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - our own binaries, our own words
                [str(layout.binaries / "postgres"), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=layout.base,
                env=_ENVIRONMENT,
                pass_fds=(alive.fd,),
                start_new_session=True,
                user=layout.account.uid,
                group=layout.account.gid,
                extra_groups=None if layout.account.uid is None else [],
            )
        finally:
            os.close(log)
            alive.close()

    def _options(self) -> list[str]:
        settings = _SETTINGS | ({} if self._durable else _THROWAWAY)
        settings["unix_socket_directories"] = str(self._layout.sockets)
        pairs = (["-c", f"{name}={value}"] for name, value in settings.items())
        return [
            "-D",
            str(self._layout.data),
            *(word for pair in pairs for word in pair),
        ]


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


def _wait_until(
    condition: Callable[[], bool], timeout_s: float = _START_TIMEOUT_S
) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _shorten(log: Path) -> None:
    """Keep one older log; a start is the only time when nobody writes to it."""
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _tail(log: Path) -> str:
    return log.read_bytes()[-600:].decode("utf-8", "replace") if log.exists() else ""
