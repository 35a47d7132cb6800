"""One process's hand in runs: it starts them, takes them over, shows them, ends them.

Opens its own short transactions. No connection is held while an executor works or a
reader waits.
"""

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
)
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Self
from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction, tenant_transaction
from dossier.core.listening import Listener
from dossier.core.models import new_id
from dossier.core.settings.models import RunSettings
from dossier.core.tenancy import Actor
from dossier.integrations.queue.lost import outlast
from dossier.runs.constants import CHANNEL, FINISHED, RunState, Verb
from dossier.runs.gateway import log
from dossier.runs.gateway import run as gateway
from dossier.runs.models import Run
from dossier.runs.ports import Holder
from dossier.runs.rules.events import RunEvent
from dossier.runs.rules.states import is_abandoned
from dossier.runs.service.circle import Circle
from dossier.runs.service.context import Executor
from dossier.runs.service.follower import Follower
from dossier.runs.service.guarding import guarded, log_failure
from dossier.runs.service.live import Live, Stop
from dossier.runs.service.runner import Runner
from dossier.runs.service.runs import RunsService
from dossier.runs.service.settling import Settler
from dossier.runs.service.tape import Tape
from dossier.runs.service.writer import Writer

logger = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 100
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
        self._takes_runs = True
        self._closing = asyncio.Lock()
        self.access_changes = 0
        """How often somebody may have lost the right to follow a run."""
        self._sessions = sessions
        self._executors = executors
        self._lives: dict[UUID, Live] = {}
        self._readers = Circle()
        self._waiters = Circle()
        self._due = asyncio.Event()
        self._writer = Writer(
            sessions, self.holder, settings.batch_ms / 1000, self._wake_readers
        )
        self._settler = Settler(sessions, self._writer, self._forget)
        self._runner = Runner(
            sessions, executors, self._settler, settings.max_duration_s
        )
        self._listener = Listener(database_url, on_return=self._look_again)
        self._running: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
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
        self._takes_runs = False
        async with self._closing:
            if self.is_open:
                await self._close(grace_s)

    async def _close(self, grace_s: float) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        self.is_open = False
        for live in self._lives.values():
            live.ask_to_stop(Stop.HAND_OVER)
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        await self._give_back()
        self._readers.wake_all()
        self._waiters.wake_all()
        await self._stop()

    def adopt(self, run: Run) -> None:
        """Begin a run that was created in this process's hand."""
        self._spawn(self._work(self._take(run)))

    def adopt_early(self, run: Run, handed: object = None) -> Callable[[bool], None]:
        """Begin a run while its row is being written; tell the result how that went.

        Nothing is shown before the row stands; where it does not, the run is stopped.
        What is `handed` over, the executor need not read again.
        """
        live = self._take(run)
        live.handed = handed
        live.hold()
        self._spawn(self._work(live))
        return partial(self._told_of_row, live)

    def _told_of_row(self, live: Live, is_there: bool) -> None:  # noqa: FBT001 - an answer
        if is_there:
            live.release()
            self._writer.mark(live)
            self._readers.wake(live.run_id)
        else:
            live.ask_to_stop(Stop.LOST)

    def launch(self, org_id: UUID, run_id: UUID) -> None:
        """Take a run that nobody has in hand, after the commit that created it."""
        self._spawn(self._claim_one(org_id, run_id))

    @contextmanager
    def following(
        self, org_id: UUID, run_id: UUID, starting_after: int = 0
    ) -> Iterator[Follower]:
        """Read a run from a position on; see `Follower`."""
        with self._readers.joined(run_id) as news:
            yield Follower(
                self._sessions, (org_id, run_id), starting_after, news, self._tape_of
            )

    async def follow(
        self, org_id: UUID, run_id: UUID, starting_after: int = 0
    ) -> AsyncIterator[RunEvent]:
        """Yield what was stored after a number, then what is new, to the end."""
        with self.following(org_id, run_id, starting_after) as follower:
            while self.is_open and not follower.has_ended:
                for event in await follower.next():
                    yield event

    def has_readers(self, run_id: UUID) -> bool:
        """Tell whether anybody follows the run through this process."""
        return bool(self._readers.of(run_id))

    async def wait(self, org_id: UUID, run_id: UUID, timeout_s: float) -> Run:
        """Return the run at its end, or as it is when the time is over.

        A process that stops does not wait: the run goes on elsewhere.
        """
        live = self._lives.get(run_id)
        with self._waiters.joined(run_id) as news, suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.is_open and not await self._is_over(org_id, run_id, live):
                    await news.wait()
                    news.clear()
        if live is not None and live.has_ended:
            return live.run
        return await self._get(org_id, run_id)

    async def _is_over(self, org_id: UUID, run_id: UUID, live: Live | None) -> bool:
        if live is not None and live.has_ended:
            return True
        if self.is_open and run_id in self._lives:
            return False  # who lets go of it wakes those who wait
        return (await self._get(org_id, run_id)).state in FINISHED

    async def cancel(self, org_id: UUID, run_id: UUID) -> None:
        """Cancel a run that nobody wants any more."""
        async with tenant_transaction(self._sessions, org_id) as session:
            await RunsService(session, Actor.system(org_id)).cancel(run_id)

    def cancel_soon(self, org_id: UUID, run_id: UUID) -> None:
        """Cancel a run although the caller is about to vanish."""
        self._spawn(outlast(lambda: self.cancel(org_id, run_id)))

    async def take_over(self) -> int:
        """Take runs that have no living owner; return how many."""
        if not self._executors or not self._takes_runs:
            return 0
        async with system_transaction(self._sessions) as session:
            runs = await gateway.claim_due_for_system(
                session,
                self.holder,
                sorted(self._executors),
                besides=list(self._lives),
                limit=CLAIMED_AT_ONCE,
            )
        for run in runs:
            self._resume(run)
        return len(runs)

    async def _serve(self, ready: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._listener.add(CHANNEL, self._heard))
            group.create_task(self._writer.run())
            group.create_task(self._every(self.settings.lease_s / 3, self._beat))
            group.create_task(self._every(self.settings.keep_alive_s / 2, self._pulse))
            group.create_task(self._watch_over())
            ready.set()

    async def _stop(self) -> None:
        main, self._main = self._main, None
        if main is not None:
            main.cancel()
            with suppress(asyncio.CancelledError):
                await main
        await self._listener.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None or self._main is None or self._main.done():
            work.close()  # the lease runs out, and another process takes the run
            logger.warning("runs.engine.not_running")
            return
        task = self._group.create_task(guarded(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _take(self, run: Run) -> Live:
        tape = Tape(
            run.id,
            run.reserved_through,
            self._readers.hold(run.id),
            self._note_unstored,
        )
        live = Live(run, tape, run.epoch)
        if run.epoch > 1:
            live.restart_from = run.stored_through
            tape.stored_through = tape.last
        self._lives[run.id] = live
        self._readers.wake(run.id)
        return live

    def _resume(self, run: Run) -> None:
        live = self._take(run)
        if run.state is RunState.CANCELLING:
            live.ask_to_stop(Stop.CANCEL)
            self._spawn(self._abandon(live))
        elif is_abandoned(run.losses, self.settings.max_attempts):
            self._spawn(self._abandon(live))
        else:
            self._spawn(self._work(live))

    async def _work(self, live: Live) -> None:
        try:
            await self._runner.run(live)
        finally:
            self._drop(live)

    async def _abandon(self, live: Live) -> None:
        try:
            await self._runner.abandon(live)
        finally:
            self._drop(live)

    async def _claim_one(self, org_id: UUID, run_id: UUID) -> None:
        async with tenant_transaction(self._sessions, org_id) as session:
            run = await gateway.claim_one_for_org(session, org_id, run_id, self.holder)
        if run is not None:
            await self._work(self._take(run))

    def _drop(self, live: Live) -> None:
        if live.stop is not Stop.HAND_OVER:
            self._forget(live)

    def _forget(self, live: Live) -> None:
        """Let go of a run that is over, or not ours any more."""
        if not live.over.is_set():
            live.tape.lose()
        if self._lives.get(live.run_id) is live:
            del self._lives[live.run_id]
            self._readers.let_go(live.run_id)
        self._readers.wake(live.run_id)
        self._waiters.wake(live.run_id)

    def _tape_of(self, run_id: UUID) -> Tape | None:
        live = self._lives.get(run_id)
        return None if live is None else live.tape

    def _note_unstored(self, tape: Tape) -> None:
        self._writer.mark(self._lives[tape.run_id])
        if tape.last > tape.reserved_through:
            self._writer.hurry()

    def _wake_readers(self, live: Live) -> None:
        self._readers.wake(live.run_id)

    async def _get(self, org_id: UUID, run_id: UUID) -> Run:
        async with tenant_transaction(self._sessions, org_id) as session:
            return await RunsService(session, Actor.system(org_id)).get_run(run_id)

    def _heard(self, payload: str) -> None:
        verb, *ids = payload.split()
        if verb == Verb.DUE:
            self._due.set()
        for run_id in map(UUID, ids):
            self._heard_of(verb, run_id)

    def _heard_of(self, verb: str, run_id: UUID) -> None:
        live = self._lives.get(run_id)
        if verb == Verb.ACCESS:
            self.access_changes += 1
        if live is None or verb == Verb.ACCESS:
            self._readers.wake(run_id)
        elif verb == Verb.CANCEL:
            live.ask_to_stop(Stop.CANCEL)
        if verb in {Verb.ENDED, Verb.CANCEL}:
            self._waiters.wake(run_id)

    def _look_again(self) -> None:
        """Look for what was told while nobody listened."""
        self._readers.wake_all()
        self._waiters.wake_all()
        self._due.set()
        self._mark_all()
        self._writer.hurry()

    def _mark_all(self) -> None:
        for live in self._lives.values():
            self._writer.mark(live)

    async def _beat(self) -> None:
        self._mark_all()

    async def _pulse(self) -> None:
        """Let streams say that they are alive, and look once more to be safe."""
        self._readers.wake_all()
        self._waiters.wake_all()

    async def _every(
        self, interval_s: float, action: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await action()

    async def _watch_over(self) -> None:
        while True:
            try:
                claimed = await self.take_over()
            except Exception as exc:  # noqa: BLE001 - the loop outlives every outage
                claimed = 0
                log_failure(exc)
            if claimed < CLAIMED_AT_ONCE:
                await self._until_due()

    async def _until_due(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.lease_s / 3):
                await self._due.wait()
        self._due.clear()

    async def _give_back(self) -> None:
        """Store what is left, and free the runs for others."""
        try:
            await self._writer.flush()
            held = {live.run_id: live.epoch for live in self._lives.values()}
            if not held:
                return
            async with system_transaction(self._sessions) as session:
                await gateway.release_for_system(session, self.holder.id, held)
                await log.tell_for_system(session, Verb.DUE, ())
        except Exception as exc:  # noqa: BLE001 - then their leases run out
            log_failure(exc)
