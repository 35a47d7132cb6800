"""Worker processes that are killed, stopped and counted."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from tests.conftest import ORG_ID
from tests.processes import Forkers, Process

from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.tenancy import Actor
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService

PROGRAM = Path(__file__).with_name("acting_worker.py")
LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trace."""

    who: str
    what: str
    at_s: float
    pid: int


@dataclass
class Fleet:
    """Workers on one database, and what their tasks wrote down."""

    url: str
    sessions: SessionFactory
    folder: Path
    lease_s: float
    forkers: Forkers
    workers: list[Process] = field(default_factory=list)

    @property
    def trace(self) -> list[Line]:
        """Return what the tasks have written so far."""
        path = self.folder / "trace"
        lines = path.read_text().splitlines() if path.exists() else []
        parts = [line.split() for line in lines]
        return [Line(a, b, float(c), int(d)) for a, b, c, d in parts]

    def start(self) -> Process:
        """Start one more worker."""
        arguments = [self.url, str(self.lease_s), str(self.folder / "trace")]
        with (self.folder / "log").open("ab") as log:
            worker = self.forkers.start(
                [str(PROGRAM), *arguments], os.environ, log.fileno(), log.fileno()
            )
        self.workers.append(worker)
        return worker

    async def start_ready(self, count: int) -> None:
        """Start workers and wait until all of them look at the queue."""
        before = len(self.lines("ready"))
        for _ in range(count):
            self.start()
        await self.until(lambda: len(self.lines("ready")) == before + count, 20)

    def lines(self, what: str) -> list[Line]:
        """Return the lines of one kind."""
        return [line for line in self.trace if line.what == what]

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait for what other processes do, which sends no event."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                log = (self.folder / "log").read_text()[-3000:]
                message = f"not within {timeout_s} s; {self.trace[-20:]}; {log}"
                raise AssertionError(message)
            await asyncio.sleep(LOOK_S)

    async def add(self, kind: str, count: int = 1, **args: Any) -> list[Job]:
        """Enqueue jobs and commit them."""
        async with tenant_transaction(self.sessions, ORG_ID) as session:
            jobs = JobsService(session, Actor.system(ORG_ID))
            return [await jobs.enqueue(kind, **args) for _ in range(count)]

    async def settled(self, jobs: list[Job], timeout_s: float) -> list[str]:
        """Wait until the jobs have come to their end; return their states."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            states = await self._states(jobs)
            if all(state in {"done", "failed", "cancelled"} for state in states):
                return states
            if time.monotonic() > deadline_s:
                log = (self.folder / "log").read_text()[-3000:]
                message = f"not within {timeout_s} s: {states} {log}"
                raise AssertionError(message)
            await asyncio.sleep(LOOK_S)

    async def _states(self, jobs: list[Job]) -> list[str]:
        query = text("select state from jobs where id = any(:ids)")
        async with system_transaction(self.sessions) as session:
            rows = await session.scalars(query, {"ids": [job.id for job in jobs]})
            return list(rows)

    def overlaps(self) -> int:
        """Count runs of one job that began while another run of it was alive."""
        running: dict[str, set[int]] = {}
        count = 0
        killed = {
            worker.pid for worker in self.workers if worker.poll() not in {None, 0}
        }
        for line in self.trace:
            others = running.setdefault(line.who, set())
            if line.what == "begin":
                count += bool(others - killed)
                others.add(line.pid)
            elif line.what == "end":
                others.discard(line.pid)
        return count

    def runs_of(self, jobs: list[Job]) -> list[int]:
        """Return how often each job began."""
        begun = [line.who for line in self.lines("begin")]
        return [begun.count(str(job.id)) for job in jobs]

    def end(self) -> None:
        """End every worker that is still there."""
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.wait(timeout=20)
