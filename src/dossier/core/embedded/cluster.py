"""PostgreSQL from the wheel: started by its first user, ended by its last.

`with embedded_postgres(home) as url` (or `async with`) is all that callers need. Users
are counted by a shared lock; starting and ending hold an exclusive one. Imports neither
settings nor SQLAlchemy, so that the server can start while the rest of the program is
still being imported.
"""

import asyncio
import atexit
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from dossier.core.embedded.errors import EmbeddedDatabaseError, unwritable
from dossier.core.embedded.layout import Layout, locate
from dossier.core.embedded.locks import FileLock
from dossier.core.embedded.server import Server

logger = logging.getLogger(__name__)

_TURN_TIMEOUT_S = 90.0
_LONGEST_PAUSE_S = 60.0


class EmbeddedCluster:
    """A share in the embedded database of one home folder.

    `with` and `async with` both give its URL. Without `durable` the data do not survive
    a power cut, without `keep` the last user removes them: both are for tests. An
    adopted server keeps the settings of its starter. One that is killed under its users
    is started again within about `watch_s` seconds.
    """

    def __init__(
        self,
        home: Path,
        *,
        durable: bool = True,
        keep: bool = True,
        watch_s: float = 1.0,
    ) -> None:
        self._home = home
        self._durable = durable
        self._keep = keep
        self._watch_s = watch_s
        self._left = threading.Event()
        self._mutex = threading.Lock()
        self._starting: Future[str] | None = None
        self._users: FileLock | None = None

    def begin(self) -> Self:
        """Start in the background; `acquire` waits for the end of it."""
        self._begun()
        return self

    def acquire(self) -> str:
        """Become a user, start the server unless it runs, and return its URL."""
        return self._begun().result()

    def revive(self) -> None:
        """Start the server again if it was killed under its users."""
        with self._mutex:
            if self._users is not None:
                with _turn(self._home) as layout:
                    self._server(layout).ensure_ready()

    def release(self) -> None:
        """Stop being a user; the last one ends the server."""
        self._left.set()
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.exception()  # let a start end; `acquire` raises its error
            atexit.unregister(self.release)
        with self._mutex:
            users, self._users = self._users, None
            if users is None:
                return
            try:
                if not users.is_current():
                    return  # the folder was removed
                with _turn(self._home) as layout:
                    if users.try_exclusive():  # no other user is left
                        self._end(layout, keep=self._keep)
            finally:
                users.close()

    def destroy(self) -> None:
        """Remove the data for good. Refused while anybody uses them."""
        with _turn(self._home) as layout:
            users = FileLock(layout.base / "users.lock", layout.account.owner)
            try:
                if not users.try_exclusive():
                    reason = f"The database of {self._home} is in use."
                    raise EmbeddedDatabaseError(reason, "End what uses it.")
                self._end(layout, keep=False)
            finally:
                users.close()

    def __enter__(self) -> str:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    async def __aenter__(self) -> str:
        try:
            return await asyncio.to_thread(self.acquire)
        except BaseException:
            await asyncio.to_thread(self.release)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.release)

    def _server(self, layout: Layout) -> Server:
        return Server(layout, durable=self._durable)

    def _begun(self) -> "Future[str]":
        if self._starting is None:
            self._starting = Future()
            self._left.clear()
            atexit.register(self.release)
            threading.Thread(target=self._run_start, args=(self._starting,)).start()
        return self._starting

    def _run_start(self, starting: "Future[str]") -> None:
        try:
            with self._mutex:
                url, server = self._join()
        except OSError as error:
            starting.set_exception(unwritable(error))
        except BaseException as error:  # noqa: BLE001 - raised again by `acquire`
            starting.set_exception(error)
        else:
            starting.set_result(url)
            threading.Thread(target=self._watch, args=(server,), daemon=True).start()

    def _watch(self, server: Server) -> None:
        """Restart the server if it dies, until we leave; a check costs one lock."""
        pause_s = self._watch_s
        while not self._left.wait(pause_s):
            users = self._users
            if users is None or not users.is_current():
                return  # we have left, or the folder was removed
            try:
                if not server.has_processes():
                    self.revive()
                pause_s = self._watch_s
            except (OSError, EmbeddedDatabaseError):
                logger.exception("database.embedded.not_revived")
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _join(self) -> tuple[str, Server]:
        with _turn(self._home) as layout:
            server = self._server(layout)
            users = FileLock(layout.base / "users.lock", layout.account.owner)
            try:
                users.share()
                server.ensure_ready()
            except BaseException:
                users.close()
                raise
        self._users = users
        return layout.url, server

    def _end(self, layout: Layout, *, keep: bool) -> None:
        self._server(layout).stop()
        if keep:
            return
        # Renamed before it is removed, so that no half of a database is ever used.
        gone = layout.base.with_name(f"{layout.base.name}.gone.{os.getpid()}")
        layout.base.rename(gone)
        shutil.rmtree(gone)
        shutil.rmtree(layout.sockets, ignore_errors=True)  # where they lie outside
        link = layout.home / "postgres"
        if link.is_symlink():
            link.unlink()


@contextmanager
def _turn(home: Path) -> Iterator[Layout]:
    """Hold the lock under which servers are started, ended and removed."""
    layout = locate(home)
    turn = FileLock(layout.base / "start.lock", layout.account.owner)
    try:
        turn.exclusive(_TURN_TIMEOUT_S)
        if turn.is_current():
            yield layout
            return
    finally:
        turn.close()
    with _turn(home) as layout:  # it was removed while we waited
        yield layout


def embedded_postgres(
    home: Path, *, durable: bool = True, keep: bool = True
) -> EmbeddedCluster:
    """Return a share in the database of `home`, to be entered by `with`."""
    return EmbeddedCluster(home, durable=durable, keep=keep)
