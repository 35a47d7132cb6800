"""Follows one run: the log first, then memory, then what is new; no gap, no double.

A follower has a position and no queue. One who lags finds in the log what has left
memory, so that a slow reader costs nothing.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

from dossier.core.database import SessionFactory
from dossier.core.reads import Reads
from dossier.integrations.queue.lost import outlast
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.gateway import log
from dossier.runs.rules.events import RunEvent, unfolded
from dossier.runs.service.tape import MAX_TAKEN_EVENTS, Tape

PAGE_ROWS = 50


class Follower:
    """One reader of one run."""

    def __init__(
        self,
        sessions: SessionFactory,
        run: tuple[UUID, UUID],
        position: int,
        news: asyncio.Event,
        tape_of: Callable[[UUID], Tape | None],
    ) -> None:
        self._org_id, self._run_id = run
        self._reads = Reads(sessions, self._org_id)
        self.position = position
        self.has_ended = False
        self._news = news
        self._may_be_behind = True
        """Without news there is nothing new, but for what was left last time."""
        self._tape_of = tape_of
        self._tape: Tape | None = None

    async def next(self) -> list[RunEvent]:
        """Return what is new, or wait; empty: it has ended, or was woken for nothing.

        `has_ended` tells these two apart.
        """
        if self._may_be_behind or self._news.is_set():
            found = await self._look()
            if found or self.has_ended:
                return self._taken(found)
        await self._news.wait()
        return self._taken(await self._look())

    def _taken(self, found: list[RunEvent]) -> list[RunEvent]:
        if found:
            self.position = found[-1].sequence_number
        return found

    def wake(self) -> None:
        """Let whoever waits in `next` come back."""
        self._news.set()

    async def _look(self) -> list[RunEvent]:
        self._news.clear()  # before looking: what comes meanwhile wakes us again
        tape = self._present_tape()
        found = None if tape is None else tape.after(self.position)
        if tape is None or found is None:
            return await self._read(tape)
        last = found[-1].sequence_number if found else self.position
        self.has_ended = tape.has_shown_all(last)
        self._may_be_behind = len(found) >= MAX_TAKEN_EVENTS
        return found

    def _present_tape(self) -> Tape | None:
        """Return the tape while it is written here; a finished one is kept."""
        if self._tape is None or self._tape.is_lost:
            self._tape = self._tape_of(self._run_id)
        return self._tape

    async def _read(self, tape: Tape | None) -> list[RunEvent]:
        """Return what the log has; where it has no more, go on in memory."""
        through = 0 if tape is None else tape.stored_through
        page = await outlast(self._page)
        if page is None:
            raise RunNotFoundError(self._run_id)
        found = [
            event for array in page.arrays for event in unfolded(array, self.position)
        ]
        self._may_be_behind = tape is not None or len(page.arrays) >= PAGE_ROWS
        if found or tape is None:
            self.has_ended = page.is_finished and len(page.arrays) < PAGE_ROWS
            return found
        # Numbers up to there that the log lacks were never stored, and never will be.
        self.position = max(self.position, through)
        return await self._look()

    async def _page(self) -> log.LogPage | None:
        return await log.read_log_for_org(
            self._reads, self._org_id, self._run_id, self.position, PAGE_ROWS
        )
