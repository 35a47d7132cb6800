"""The tasks of one process that work on its runs."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.runs.gateway import run as gateway
from dossier.runs.models import Run
from dossier.runs.ports import Holder
from dossier.runs.service.guarding import guarded
from dossier.runs.service.held import HeldRuns
from dossier.runs.service.live import Live, Stop
from dossier.runs.service.runner import Runner

logger = logging.getLogger(__name__)

LEFT_S = 6.0
"""Longer than a stopped executor may take to clean up."""


@dataclass(frozen=True, slots=True)
class Early:
    """A run that has begun before its row stands; called with whether that does."""

    tell: Callable[[bool], None]
    work: asyncio.Task[None] | None

    def __call__(self, is_there: bool) -> None:  # noqa: FBT001 - an answer
        """Show the run's events, or stop it."""
        self.tell(is_there)

    async def until_left(self) -> None:
        """Wait until nothing of it goes on, as after it was stopped."""
        if self.work is not None:
            await asyncio.wait({self.work}, timeout=LEFT_S)


class Working:
    """Begins runs, each in a task of its own."""

    def __init__(
        self,
        sessions: SessionFactory,
        holder: Holder,
        held: HeldRuns,
        runner: Runner,
    ) -> None:
        self._sessions = sessions
        self._holder = holder
        self._held = held
        self._runner = runner
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    def open(self, group: asyncio.TaskGroup) -> None:
        """Let tasks begin."""
        self._group = group

    def close(self) -> None:
        """Let no task begin any more."""
        self._group = None

    async def until_done(self, timeout_s: float) -> None:
        """Wait until all runs have come to their end, or the time is over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Do something for a run, whoever may vanish meanwhile."""
        if self._group is None:
            work.close()  # the lease runs out, and another process takes the run
            logger.warning("runs.engine.not_running")
            return None
        task = self._group.create_task(guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def begin(self, run: Run, handed: object = None) -> None:
        """Begin a run that its row gives to this process."""
        live = self._held.take(run)
        live.handed = handed
        self.spawn(self._work(live))

    def begin_early(self, run: Run, handed: object) -> Early:
        """Begin a run whose row is being written; tell the result how that went."""
        live = self._held.take(run)
        live.handed = handed
        live.hold()
        work = self.spawn(self._work(live))
        return Early(partial(self._told_of_row, live), work)

    def begin_unheld(self, org_id: UUID, run_id: UUID) -> None:
        """Begin a run that nobody has in hand, if that is still so."""
        self.spawn(self._claim(org_id, run_id))

    def end(self, run: Run, stop: Stop | None = None) -> None:
        """Settle a run that is not to be worked on any more."""
        live = self._held.take(run)
        if stop is not None:
            live.ask_to_stop(stop)
        self.spawn(self._abandon(live))

    def _told_of_row(self, live: Live, is_there: bool) -> None:  # noqa: FBT001 - an answer
        if is_there:
            live.release()
            self._held.writer.mark(live)
            self._held.readers.wake(live.run_id)
        else:
            live.ask_to_stop(Stop.LOST)

    async def _claim(self, org_id: UUID, run_id: UUID) -> None:
        async with tenant_transaction(self._sessions, org_id) as session:
            run = await gateway.claim_one_for_org(session, org_id, run_id, self._holder)
        if run is not None:
            await self._work(self._held.take(run))

    async def _work(self, live: Live) -> None:
        try:
            await self._runner.run(live)
        finally:
            self._held.drop(live)

    async def _abandon(self, live: Live) -> None:
        try:
            await self._runner.abandon(live)
        finally:
            self._held.drop(live)
