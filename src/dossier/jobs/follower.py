"""Follows the jobs that clients stream or wait for: one per web process.

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

LOOK_INTERVAL_S = 10.0
"""How often all followed jobs are read although nothing was notified."""
RECHECK_S = 15.0
"""How often rights are checked although no change was notified."""
READ_MARK_INTERVAL_S = 2.0
"""How often `last_read_at` of followed jobs is set."""
RETRY_S = 0.2
"""Between two reads while the database is away."""


class Subscriber:
    """One stream or wait that follows a job from a position on."""

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
        self.access_changed = asyncio.Event()
        """Set when the right to follow may have been lost."""
        self.was_skipped = False
        """More was stored while events were not taken yet."""
        self._on_caught_up = on_caught_up
        self._events: list[JobEvent] = []
        self._changed = asyncio.Event()

    @property
    def is_behind(self) -> bool:
        """Return whether events are waiting to be taken; no more are read until then.

        So a slow client delays no other, and its backlog takes no memory.
        """
        return bool(self._events)

    async def next(self, timeout_s: float | None = None) -> list[JobEvent]:
        """Return what is new; empty at the end, when woken, or after the time."""
        if not (self._events or self.has_ended):
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
        """Wake the caller that waits in `next`."""
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
    """Reads jobs for all subscribers of a process; run as `async with`."""

    def __init__(
        self,
        sessions: SessionFactory,
        database_url: str,
        keep_alive_s: float = 15,
        *,
        recheck_s: float = RECHECK_S,
        look_interval_s: float = LOOK_INTERVAL_S,
    ) -> None:
        self.keep_alive_s = keep_alive_s
        self.recheck_s = recheck_s
        self.is_open = True
        """Streams and waits end where it is not: clients read on elsewhere."""
        self._sessions = sessions
        self._look_interval_s = look_interval_s
        self.listener = Listener(database_url, on_return=self._look_at_all)
        """The one connection of the process that listens; others may subscribe."""
        self._subscribers: dict[UUID, set[Subscriber]] = {}
        self._changed: set[UUID] = set()
        self._has_changed = asyncio.Event()
        self._must_mark = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begin to follow; leaving closes."""
        self.listener.subscribe(EVENTS_CHANNEL, self._on_events)
        self.listener.subscribe(ACCESS_CHANNEL, self._on_access)
        loops = (self._look(), self._read(), self._mark_read())
        self._tasks = [asyncio.create_task(each, name="follower") for each in loops]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all streams and waits, and give the connection back."""
        self.is_open = False
        for subscriber in self._all_subscribers():
            subscriber.wake()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.listener.close()

    @contextlib.contextmanager
    def following(
        self,
        org_id: UUID,
        job_id: UUID,
        starting_after: int = 0,
        *,
        cancels: bool = False,
    ) -> Iterator[Subscriber]:
        """Follow a job that the caller has authorised, from a number on.

        `cancels`: the job ends when it has no follower any more, so that `last_read_at`
        is set at once and not at the next interval.
        """
        subscriber = Subscriber(org_id, job_id, starting_after, self._look_at)
        subscribers = self._subscribers.setdefault(job_id, set())
        subscribers.add(subscriber)
        self._look_at({job_id})
        if cancels:
            self._must_mark.set()
        try:
            yield subscriber
        finally:
            subscribers.discard(subscriber)
            if not subscribers:
                self._subscribers.pop(job_id, None)

    async def wait(self, org_id: UUID, job_id: UUID, timeout_s: float | None) -> bool:
        """Return whether the job ends, or is deleted, before the time is over."""
        with self.following(org_id, job_id, MAX_SEQUENCE_NUMBER) as subscriber:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while self.is_open and not subscriber.has_ended:
                        await subscriber.next()
            return subscriber.has_ended

    async def last_number(self, org_id: UUID, job_id: UUID) -> int:
        """Return the number of the last stored event of a job."""
        async with system_transaction(self._sessions) as session:
            return await log.get_last_number_for_org(session, org_id, job_id)

    def _on_events(self, payload: str) -> None:
        self._look_at(self._subscribers.keys() & notified_ids(payload))

    def _on_access(self, payload: str) -> None:
        for job_id in self._subscribers.keys() & notified_ids(payload):
            for subscriber in self._subscribers[job_id]:
                subscriber.access_changed.set()

    async def _look(self) -> None:
        """Read everything from time to time: a notification may get lost unnoticed."""
        while True:
            await asyncio.sleep(self._look_interval_s)
            self._look_at(set(self._subscribers))

    def _look_at_all(self) -> None:
        """Read everything: notifications were lost while no connection was up."""
        for subscriber in self._all_subscribers():
            subscriber.access_changed.set()
        self._look_at(set(self._subscribers))
        # A worker cancels what seems abandoned: the time of the outage must not count.
        self._must_mark.set()

    def _look_at(self, job_ids: set[UUID]) -> None:
        if job_ids:
            self._changed |= job_ids
            self._has_changed.set()

    def _all_subscribers(self) -> list[Subscriber]:
        return [
            each for subscribers in self._subscribers.values() for each in subscribers
        ]

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
        subscribers: dict[tuple[UUID, UUID], list[Subscriber]] = {}
        for subscriber in (
            each for id_ in changed for each in self._subscribers.get(id_, ())
        ):
            if subscriber.is_behind:
                subscriber.was_skipped = True
            else:
                subscribers.setdefault(
                    (subscriber.org_id, subscriber.job_id), []
                ).append(subscriber)
        if not subscribers:
            return
        positions = [
            (*key, min(subscriber.position for subscriber in each))
            for key, each in subscribers.items()
        ]
        async with system_transaction(self._sessions) as session:
            pages = await log.read_pages_for_system(session, positions)
        for key, page in pages.items():
            events = [event for batch in page.batches for event in read_batch(batch)]
            for subscriber in subscribers[key]:
                subscriber.receive(events, is_last=page.is_last)
            if page.is_full:
                self._look_at({key[1]})

    async def _mark_read(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READ_MARK_INTERVAL_S):
                    await self._must_mark.wait()
            self._must_mark.clear()
            if not self._subscribers:
                continue
            try:
                async with system_transaction(self._sessions) as session:
                    await rows.mark_read_for_system(session, list(self._subscribers))
            except Exception as exc:  # noqa: BLE001 - marked again two seconds later
                _log(exc)


def _log(exc: Exception) -> None:
    if is_lost(exc):
        logger.warning("jobs.follower.postponed", extra={"reason": repr(exc)[:200]})
    else:
        logger.error("jobs.follower.failed", exc_info=exc)
