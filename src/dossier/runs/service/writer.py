"""Stores the events of all runs of a process together, and renews their leases."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction
from dossier.integrations.queue.lost import is_lost
from dossier.runs.constants import MAX_TOLD, RunState, Verb
from dossier.runs.gateway import log
from dossier.runs.ports import Holder
from dossier.runs.service.live import Live, Stop

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0


class Writer:
    """One flusher for all runs of the process."""

    def __init__(
        self,
        sessions: SessionFactory,
        holder: Holder,
        batch_s: float,
        on_shown: Callable[[Live], None],
    ) -> None:
        self.lock = asyncio.Lock()
        """Held while events are on their way, so that an end never overtakes them."""
        self._sessions = sessions
        self._holder = holder
        self._batch_s = batch_s
        self._on_shown = on_shown
        self._dirty: dict[UUID, Live] = {}
        self._wanted = asyncio.Event()
        self._at_once = asyncio.Event()

    def mark(self, live: Live) -> None:
        """Store this run's news, and renew its lease, with the next batch."""
        self._dirty[live.run_id] = live
        self._wanted.set()

    def hurry(self) -> None:
        """Do not wait for the rest of the interval."""
        self._at_once.set()

    async def run(self) -> None:
        """Store at most `batch_s` after the first piece of news; never end."""
        pause_s = self._batch_s
        while True:
            await self._wanted.wait()
            await self._pause(pause_s)
            started_s = asyncio.get_running_loop().time()
            try:
                await self.flush()
            except Exception as exc:  # noqa: BLE001 - the loop outlives every outage
                pause_s = _longer(pause_s)
                _log(exc)
            else:
                took_s = asyncio.get_running_loop().time() - started_s
                pause_s = max(self._batch_s - took_s, 0.0)

    async def flush(self) -> None:
        """Store now what there is."""
        async with self.lock:
            self._wanted.clear()
            self._at_once.clear()
            lives = [live for live in self._dirty.values() if _is_ours(live)]
            self._dirty = {}
            for start in range(0, len(lives), MAX_TOLD):
                try:
                    await self._store(lives[start : start + MAX_TOLD])
                except BaseException:
                    for live in lives[start:]:
                        self.mark(live)
                    raise

    async def _store(self, lives: Sequence[Live]) -> None:
        helds = [live.held() for live in lives]
        states = await self._write(helds)
        for live, held in zip(lives, helds, strict=True):
            if live.run_id not in states:
                live.ask_to_stop(Stop.LOST)
            else:
                self._note(live, held, states[live.run_id])

    async def _write(self, helds: Sequence[log.Held]) -> dict[UUID, RunState | None]:
        async with system_transaction(self._sessions) as session:
            states = await log.store_for_system(session, self._holder, helds)
            fresh = [held.run_id for held in helds if held.batches]
            if fresh:
                told = [self._holder.id, *fresh]
                await log.tell_for_system(session, Verb.EVENTS, told)
        return states

    def _note(self, live: Live, held: log.Held, state: RunState | None) -> None:
        if state is None:  # somebody has the row in hand for a moment
            self.mark(live)
            return
        was_hidden = live.tape.last > live.tape.reserved_through
        live.tape.stored(held.stored_through, held.reserve_through)
        if was_hidden:
            self._on_shown(live)
        if state is RunState.CANCELLING:
            live.ask_to_stop(Stop.CANCEL)

    async def _pause(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._at_once.wait()
        except TimeoutError:
            return


def _is_ours(live: Live) -> bool:
    is_written = live.written is None or live.written.is_set()
    return is_written and not live.is_settling and live.stop is not Stop.LOST


def _longer(pause_s: float) -> float:
    return min(max(pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)


def _log(exc: Exception) -> None:
    if is_lost(exc):
        logger.warning("runs.store.postponed", extra={"reason": str(exc)})
    else:
        logger.error("runs.store.failed", exc_info=exc)
