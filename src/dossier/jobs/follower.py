"""Follows the jobs that somebody waits for: one per web process.

One connection listens for notifications of all jobs; one query at a time reads what is
new of all followed ones. It reads across organisations, by pairs of organisation and
job that a route has authorised. Nothing is kept here that is not in the log, so that a
reconnect, a restart of the process and another process are all the same case: read on
from the last number.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Self
from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction
from dossier.core.listening import Listener
from dossier.core.reconnect import is_lost
from dossier.jobs.constants import ACCESS_CHANNEL, EVENTS_CHANNEL
from dossier.jobs.event_log import MAX_SEQUENCE_NUMBER, notified_ids
from dossier.jobs.events import read_batch
from dossier.jobs.gateway import log, rows
from dossier.jobs.types import JobEvent

logger = logging.getLogger(__name__)

READ_MARK_INTERVAL_S = 2.0
"""How often `last_read_at` of followed jobs is set."""
RETRY_S = 0.2
"""Between two reads while the database is away."""


class Reader:
    """Somebody who follows one job from a position on."""

    def __init__(
        self,
        org_id: UUID,
        job_id: UUID,
        position: int,
        on_caught_up: Callable[[set[UUID]], None],
    ) -> None:
        self.org_id = org_id
        self.job_id = job_id
        self.position = position
        """The number of the last event that was read."""
        self.has_ended = False
        """Nothing comes after what was read; the job has ended or is gone."""
        self.must_recheck = False
        """The reader may have lost the right to follow."""
        self.was_skipped = False
        """More was stored while events were not taken yet."""
        self._on_caught_up = on_caught_up
        self._events: list[JobEvent] = []
        self._changed = asyncio.Event()

    @property
    def is_behind(self) -> bool:
        """Tell whether events that were read are not taken yet: no more are read.

        So a slow client holds up nobody, and fills no memory.
        """
        return bool(self._events)

    async def next(self, timeout_s: float | None = None) -> list[JobEvent]:
        """Return what is new; empty at the end, when woken, or after the time."""
        if not (self._events or self.has_ended or self.must_recheck):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
        self._changed.clear()
        events, self._events = self._events, []
        if self.was_skipped:
            self.was_skipped = False
            self._on_caught_up({self.job_id})
        return events

    def wake(self) -> None:
        """Let whoever waits in `next` come back."""
        self._changed.set()

    def receive(self, events: list[JobEvent], *, is_last: bool) -> None:
        """Take what a read found after the position that it was made with."""
        fresh = [each for each in events if each.sequence_number > self.position]
        if fresh:
            self.position = fresh[-1].sequence_number
            self._events += fresh
        self.has_ended = is_last
        if fresh or is_last:
            self.wake()


class JobFollower:
    """Reads jobs for all readers of a process; run as `async with`."""

    def __init__(
        self, sessions: SessionFactory, database_url: str, keep_alive_s: float = 15
    ) -> None:
        self.keep_alive_s = keep_alive_s
        self.is_open = True
        """Streams and waits end where it is not: clients read on elsewhere."""
        self._sessions = sessions
        self._listener = Listener(database_url, on_return=self._look_at_all)
        self._readers: dict[UUID, set[Reader]] = {}
        self._changed: set[UUID] = set()
        self._has_changed = asyncio.Event()
        self._must_mark = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begin to follow; leaving closes."""
        loops = (self._listen(), self._read(), self._mark_read())
        self._tasks = [asyncio.create_task(each, name="follower") for each in loops]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all streams and waits, and give the connection back."""
        self.is_open = False
        for reader in self._all_readers():
            reader.wake()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._listener.close()

    @contextlib.contextmanager
    def following(
        self,
        org_id: UUID,
        job_id: UUID,
        starting_after: int = 0,
        *,
        cancels: bool = False,
    ) -> Iterator[Reader]:
        """Follow a job that the caller has authorised, from a number on.

        `cancels`: the job ends when nobody follows it any more, so that it is noted at
        once, and not at the next interval, that somebody does.
        """
        reader = Reader(org_id, job_id, starting_after, self._look_at)
        readers = self._readers.setdefault(job_id, set())
        readers.add(reader)
        self._look_at({job_id})
        if cancels:
            self._must_mark.set()
        try:
            yield reader
        finally:
            readers.discard(reader)
            if not readers:
                self._readers.pop(job_id, None)

    async def wait(self, org_id: UUID, job_id: UUID, timeout_s: float) -> bool:
        """Return whether the job ends, or is deleted, before the time is over."""
        with self.following(org_id, job_id, MAX_SEQUENCE_NUMBER) as reader:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while self.is_open and not reader.has_ended:
                        await reader.next()
                        reader.must_recheck = False
            return reader.has_ended

    async def last_number(self, org_id: UUID, job_id: UUID) -> int:
        """Return the number of the last stored event of a job."""
        async with system_transaction(self._sessions) as session:
            return await log.get_last_number_for_org(session, org_id, job_id)

    async def _listen(self) -> None:
        await self._listener.add(EVENTS_CHANNEL, self._on_events)
        await self._listener.add(ACCESS_CHANNEL, self._on_access)

    def _on_events(self, payload: str) -> None:
        self._look_at(self._readers.keys() & notified_ids(payload))

    def _on_access(self, payload: str) -> None:
        for job_id in self._readers.keys() & notified_ids(payload):
            for reader in self._readers[job_id]:
                reader.must_recheck = True
                reader.wake()

    def _look_at_all(self) -> None:
        """Read everything: notifications were lost while no connection was up."""
        for reader in self._all_readers():
            reader.must_recheck = True
            reader.wake()
        self._look_at(set(self._readers))

    def _look_at(self, job_ids: set[UUID]) -> None:
        if job_ids:
            self._changed |= job_ids
            self._has_changed.set()

    def _all_readers(self) -> list[Reader]:
        return [each for readers in self._readers.values() for each in readers]

    async def _read(self) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            changed, self._changed = self._changed, set()
            try:
                await self._read_changed(changed)
            except Exception as exc:  # noqa: BLE001 - tried again, and again
                _log(exc)
                await asyncio.sleep(RETRY_S)
                self._look_at(changed)

    async def _read_changed(self, changed: set[UUID]) -> None:
        readers: dict[tuple[UUID, UUID], list[Reader]] = {}
        for reader in (each for id_ in changed for each in self._readers.get(id_, ())):
            if reader.is_behind:
                reader.was_skipped = True
            else:
                readers.setdefault((reader.org_id, reader.job_id), []).append(reader)
        if not readers:
            return
        positions = [
            (*key, min(reader.position for reader in each))
            for key, each in readers.items()
        ]
        async with system_transaction(self._sessions) as session:
            pages = await log.read_pages_for_system(session, positions)
        for key, page in pages.items():
            events = [event for batch in page.batches for event in read_batch(batch)]
            for reader in readers[key]:
                reader.receive(events, is_last=page.is_last)
            if page.is_full:
                self._look_at({key[1]})

    async def _mark_read(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READ_MARK_INTERVAL_S):
                    await self._must_mark.wait()
            self._must_mark.clear()
            if not self._readers:
                continue
            try:
                async with system_transaction(self._sessions) as session:
                    await rows.mark_read_for_system(session, list(self._readers))
            except Exception as exc:  # noqa: BLE001 - marked again two seconds later
                _log(exc)


def _log(exc: Exception) -> None:
    if is_lost(exc):
        logger.warning("jobs.follower.postponed", extra={"reason": repr(exc)[:200]})
    else:
        logger.error("jobs.follower.failed", exc_info=exc)
