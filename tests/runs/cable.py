"""A cable to the database that can be pulled out, put back, and lose an answer."""

import asyncio
from contextlib import suppress

from sqlalchemy import make_url


class Cable:
    """Passes bytes between a port of this machine and the database's socket."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._is_whole = True
        self._lines: set[_Line] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost_commits: list[bytes] = []
        self._losing: bytes | None = None

    async def lay(self) -> str:
        """Return the database's URL through the cable."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        through = self._url.set(host="127.0.0.1", port=port, query={})
        return through.render_as_string(hide_password=False)

    def pull(self) -> None:
        """Cut what is connected; nobody gets through any more."""
        self._is_whole = False
        for line in self._lines:
            line.cut()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_whole = True

    def lose_commit_of(self, marker: bytes) -> None:
        """Commit the next transaction that sends `marker`, and lose the answer."""
        self._losing = marker

    async def remove(self) -> None:
        self.pull()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def is_last_word(self, line: "_Line", data: bytes) -> bool:
        """Tell whether this is the commit whose answer nobody will hear."""
        if self._losing is not None and self._losing in data:
            line.is_marked = True
        if not (line.is_marked and b"COMMIT" in data):
            return False
        self.lost_commits.append(self._losing or b"")
        self._losing = None
        return True

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self._is_whole:
            writer.transport.abort()
            return
        folder, port = self._url.query["host"], self._url.query["port"]
        there, back = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        line = _Line(self, (reader, writer), (there, back))
        self._lines.add(line)
        with suppress(asyncio.CancelledError, ConnectionError):
            await line.work()
        line.cut()
        self._lines.discard(line)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Line:
    """One connection through the cable."""

    def __init__(self, cable: Cable, client: Ends, server: Ends) -> None:
        self._cable = cable
        self._client, self._server = client, server
        self._is_deaf = False
        self.is_marked = False

    async def work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._there())
            group.create_task(self._back())

    def cut(self) -> None:
        self._client[1].transport.abort()
        self._server[1].transport.abort()

    async def _there(self) -> None:
        while data := await self._client[0].read(65536):
            self._is_deaf |= self._cable.is_last_word(self, data)
            self._server[1].write(data)
        self._server[1].transport.abort()

    async def _back(self) -> None:
        while data := await self._server[0].read(65536):
            if self._is_deaf:
                break
            self._client[1].write(data)
        self.cut()
