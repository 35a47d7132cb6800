"""Real processes that answer, and streams as clients put them together."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.processes import Forkers, Process

_LISTENING = re.compile(r"running on (http://\S+) ")


@dataclass(frozen=True, slots=True)
class Served:
    """A web process, and how to reach it."""

    process: Process
    http: httpx2.AsyncClient


@asynccontextmanager
async def serving(
    forkers: Forkers, home: Path, **variables: str
) -> AsyncIterator[Served]:
    """Run `dossier serve` on a free port."""
    command = ["-m", "dossier", "serve", "--port", "0", "--no-worker"]
    environment = {**os.environ, "DOSSIER_HOME": str(home), **variables}
    told, telling = os.pipe()
    with os.fdopen(telling, "wb") as end:
        process = forkers.start(command, environment, end.fileno(), end.fileno())
    lines = asyncio.StreamReader(limit=2**20)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(told, "rb")
    )
    drain = None
    try:
        url = await _address(lines)
        drain = asyncio.create_task(lines.read())
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(
            base_url=f"{url}/api/v1", timeout=120, limits=limits
        ) as http:
            yield Served(process, http)
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)
        if drain is not None:
            await drain
        transport.close()


@asynccontextmanager
async def working(
    forkers: Forkers, home: Path, **variables: str
) -> AsyncIterator[Process]:
    """Run `dossier worker`; leaving kills it."""
    environment = {**os.environ, "DOSSIER_HOME": str(home), **variables}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    process = forkers.start(["-m", "dossier", "worker"], environment, nowhere, nowhere)
    os.close(nowhere)
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def _address(lines: asyncio.StreamReader) -> str:
    told = []
    while line := await lines.readline():
        found = _LISTENING.search(json.loads(line)["event"])
        if found:
            return found[1]
        told.append(line.decode())
    raise AssertionError("".join(told))


@dataclass(slots=True)
class Stream:
    """The events that a client has seen, over as many connections as it took."""

    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)

    @property
    def last_id(self) -> int:
        """What the client sends as `Last-Event-ID`."""
        return self.events[-1][0] if self.events else 0

    @property
    def created(self) -> dict[str, Any]:
        """The first event, which names the run, the room and the messages."""
        return self.events[0][2]

    def count(self, kind: str) -> int:
        """Return how many events of a kind were seen."""
        return sum(each == kind for _, each, _ in self.events)

    def text(self) -> str:
        """Put the text together: after a restart only what is kept counts."""
        kept: list[tuple[int, str]] = []
        for number, kind, data in self.events:
            if kind == "run.restarted":
                kept = [each for each in kept if each[0] <= data["kept_through"]]
            if kind == "response.output_text.delta":
                kept.append((number, data["delta"]))
        return "".join(text for _, text in kept)

    async def read(self, response: httpx2.Response, deltas: int | None = None) -> None:
        """Take events in, to the end or until so many pieces of text have come."""
        assert response.status_code == 200, await response.aread()
        fields: dict[str, str] = {}
        async for line in response.aiter_lines():
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            if line or "data" not in fields:
                continue
            event = int(fields["id"]), fields["event"], json.loads(fields["data"])
            self.events.append(event)
            fields = {}
            if deltas and self.count("response.output_text.delta") >= deltas:
                return


def question(text: str) -> dict[str, Any]:
    """Return a question that a model answers without papers, as a stream."""
    return {"message": text, "stream": True, "grounding": "none"}
