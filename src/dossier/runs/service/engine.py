"""One process's hand in runs: it starts them, takes them over, shows them, ends them.

Opens its own short transactions. No connection is held while an executor works or a
reader waits. `HeldRuns` knows what is in hand, `Working` does the work, `Following`
shows it, `TakeOver` passes runs between processes, `News` hears of the others.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Self
from uuid import UUID

from dossier.core.database import SessionFactory
from dossier.core.listening import Listener
from dossier.core.models import new_id
from dossier.core.settings.models import RunSettings
from dossier.runs.models import Run
from dossier.runs.ports import Holder
from dossier.runs.rules.events import RunEvent
from dossier.runs.service.context import Executor
from dossier.runs.service.follower import Follower
from dossier.runs.service.following import Following
from dossier.runs.service.held import HeldRuns
from dossier.runs.service.live import Stop
from dossier.runs.service.news import News
from dossier.runs.service.partings import Partings
from dossier.runs.service.runner import Runner
from dossier.runs.service.settling import Settler
from dossier.runs.service.takeover import TakeOver
from dossier.runs.service.working import Early, Working

STARTS_AT_ONCE = 5
"""Half of the pool: however many ask at once, runs under way get connections too."""
SHUTDOWN_GRACE_S = 2.0
"""How long runs may still come to their end before they are given back."""


class RunEngine:
    """The runs of one process; whoever runs it calls `start` and `close`."""

    def __init__(
        self,
        sessions: SessionFactory,
        database_url: str,
        executors: Mapping[str, Executor],
        settings: RunSettings,
    ) -> None:
        self.settings = settings
        self.holder = Holder(new_id(), settings.lease_s)
        self.is_open = True
        """Streams and waiters end where it is not; runs then go on elsewhere."""
        self.starting = asyncio.Semaphore(STARTS_AT_ONCE)
        """Held by whoever creates runs in this process's hand."""
        self._closing = asyncio.Lock()
        self._held = HeldRuns(sessions, self.holder, settings.batch_ms / 1000)
        self._writer = self._held.writer
        settler = Settler(sessions, self._writer, self._held.forget)
        runner = Runner(sessions, executors, settler, settings.max_duration_s)
        self._working = Working(sessions, self.holder, self._held, runner)
        self._takeover = TakeOver(
            sessions,
            self._held,
            self._working,
            holder=self.holder,
            kinds=executors,
            settings=settings,
        )
        self._partings = Partings(sessions, self._held, self._working, self.holder)
        self._following = Following(
            sessions, self._held, lambda: self.is_open, self._partings.joined
        )
        self._news = News(
            database_url,
            self.holder.id,
            self._held,
            self._partings,
            self._takeover.look_soon,
        )
        self._main: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start; leaving closes."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to listen, to renew leases and to look for runs without an owner."""
        ready = asyncio.Event()
        self._main = asyncio.create_task(self._serve(ready), name="runs")
        await ready.wait()

    async def close(self, grace_s: float = SHUTDOWN_GRACE_S) -> None:
        """Let runs end for a moment, then give the others back to other processes.

        Closing twice is harmless: whoever comes second waits for the first.
        """
        self._takeover.takes_runs = False
        async with self._closing:
            if self.is_open:
                await self._close(grace_s)

    @property
    def listener(self) -> Listener:
        """Return the ear of this process; others may listen by it, too."""
        return self._news.listener

    @property
    def access_changes(self) -> int:
        """How often somebody may have lost the right to follow a run."""
        return self._news.access_changes

    def adopt(self, run: Run, handed: object = None) -> None:
        """Begin a run that was created in this process's hand.

        What is `handed` over, the executor need not read again.
        """
        self._working.begin(run, handed)

    def adopt_early(self, run: Run, handed: object = None) -> Early:
        """Begin a run while its row is being written; tell the result how that went.

        Nothing is shown before the row stands; where it does not, the run is stopped.
        What is `handed` over, the executor need not read again.
        """
        return self._working.begin_early(run, handed)

    def launch(self, org_id: UUID, run_id: UUID) -> None:
        """Take a run that nobody has in hand, after the commit that created it."""
        self._working.begin_unheld(org_id, run_id)

    async def take_over(self) -> int:
        """Take runs that have no living owner; return how many."""
        return await self._takeover.take()

    def following(
        self, org_id: UUID, run_id: UUID, starting_after: int = 0
    ) -> AbstractContextManager[Follower]:
        """Read a run from a position on; see `Follower`."""
        return self._following.following(org_id, run_id, starting_after)

    def follow(
        self, org_id: UUID, run_id: UUID, starting_after: int = 0
    ) -> AsyncIterator[RunEvent]:
        """Yield what was stored after a number, then what is new, to the end."""
        return self._following.follow(org_id, run_id, starting_after)

    def has_readers(self, run_id: UUID) -> bool:
        """Tell whether anybody follows the run through this process."""
        return bool(self._held.readers.of(run_id))

    async def wait(self, org_id: UUID, run_id: UUID, timeout_s: float) -> Run:
        """Return the run at its end, or as it is when the time is over.

        A process that stops does not wait: the run goes on elsewhere.
        """
        return await self._following.wait(org_id, run_id, timeout_s)

    def left(self, org_id: UUID, run_id: UUID) -> None:
        """Cancel a run soon, if its reader who just left was the last of all."""
        self._partings.left(org_id, run_id)

    async def _serve(self, ready: asyncio.Event) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._working.open(group)
                group.create_task(self._news.listen())
                group.create_task(self._writer.run())
                group.create_task(_every(self.settings.lease_s / 3, self._beat))
                group.create_task(_every(self.settings.keep_alive_s / 2, self._pulse))
                group.create_task(self._takeover.watch())
                ready.set()
        finally:
            self._working.close()

    async def _close(self, grace_s: float) -> None:
        await self._working.until_done(grace_s)
        self.is_open = False
        for live in self._held.lives:
            live.ask_to_stop(Stop.HAND_OVER)
        await self._working.until_done(grace_s)
        await self._takeover.give_back()
        self._held.wake_all()
        await self._stop()

    async def _stop(self) -> None:
        self._working.close()
        main, self._main = self._main, None
        if main is not None:
            main.cancel()
            with suppress(asyncio.CancelledError):
                await main
        await self._news.listener.close()

    async def _beat(self) -> None:
        self._held.mark_all()

    async def _pulse(self) -> None:
        """Let streams say that they are alive, and look once more to be safe."""
        self._held.wake_all()


async def _every(interval_s: float, action: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await action()
