"""Stores the events of all running jobs of one worker in common statements.

One statement is under way at a time, with at most one batch of each job in it. A batch
begins with the number after the last one that is stored, and the next is sent only when
it was acknowledged, so that the batches of a job are one chain for all writers: see
`gateway/log.py` for how a batch is refused. A refused attempt writes nothing more.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dossier.core.database import SessionFactory, system_transaction
from dossier.core.reconnect import is_lost
from dossier.jobs.constants import DELTA_SUFFIX, RUN_RESTARTED
from dossier.jobs.events import EventBatch, encode, make_batch, make_event
from dossier.jobs.exceptions import JobSupersededError
from dossier.jobs.gateway import log
from dossier.jobs.models import Job
from dossier.jobs.types import JobEvent

logger = logging.getLogger(__name__)

LONGEST_FLUSH_PAUSE_S = 1.0
"""Longest pause between two tries while the database is away."""


class AttemptEvents:
    """The events of one attempt that are not stored yet."""

    def __init__(
        self,
        job: Job,
        stored_through: int,
        on_event: Callable[["AttemptEvents", bool], None],
        on_refused: Callable[[], None],
    ) -> None:
        self.job = job
        self.last = stored_through
        """The number of the last event, stored or not."""
        self.is_refused = False
        self.is_held = False
        """The transaction that ends the job stores what is left: nothing is flushed."""
        self._pending: list[JobEvent] = []
        self._sent: EventBatch | None = None
        self._has_delta = False
        self._on_event = on_event
        self._on_refused = on_refused

    def emit(self, kind: str, data: Mapping[str, Any]) -> int:
        """Add an event and return its number; after a refusal it is not stored.

        A delta that follows one of its own kind, and differs in its text alone, is
        joined to it as long as that one is not under way.
        """
        encode(data)  # raises here, where it is the handler's own failure
        if kind.endswith(DELTA_SUFFIX) and self._join(kind, data):
            return self.last
        self.last += 1
        if self.is_refused:
            return self.last
        self._pending.append(make_event(self.last, kind, data))
        is_first_delta = kind.endswith(DELTA_SUFFIX) and not self._has_delta
        self._has_delta = self._has_delta or is_first_delta
        self._on_event(self, is_first_delta or kind == RUN_RESTARTED)
        return self.last

    def pending(self) -> list[JobEvent]:
        """Return the events that are in no batch yet."""
        return list(self._pending)

    @property
    def has_unstored(self) -> bool:
        """Return whether something is to be stored."""
        return self._sent is not None or bool(self._pending)

    def next_batch(self) -> EventBatch:
        """Return what to store; the same batch until it is acknowledged."""
        if self._sent is None:
            job, events = self.job, self._pending
            self._sent = make_batch(job.org_id, job.id, job.attempts, events)
            self._pending = []
        return self._sent

    @property
    def has_unacknowledged(self) -> bool:
        """Return whether a batch was sent of which nothing is known."""
        return self._sent is not None

    def acknowledge(self) -> None:
        """Note that the batch is stored."""
        self._sent = None

    def refuse(self) -> None:
        """Write nothing more: another attempt has the job, or it is gone."""
        self.is_refused = True
        self._sent, self._pending = None, []
        self._on_refused()

    def _join(self, kind: str, data: Mapping[str, Any]) -> bool:
        last = self._pending[-1] if self._pending else None
        if last is None or last.type != kind:
            return False
        joined = make_event(last.sequence_number, kind, data)
        begun, more = last.data.get("delta"), joined.data.get("delta")
        if not isinstance(begun, str) or not isinstance(more, str):
            return False
        if last.data | {"delta": more} != joined.data:
            return False
        last.data["delta"] = begun + more
        return True


class EventBuffer:
    """The events of one worker; `run` stores them until it is cancelled.

    Args:
        sessions: Opens transactions on a connection that is the buffer's own: handlers
            that end their jobs wait for it, with all others in use perhaps.
        flush_s: The time between two flushes, except for urgent events.
    """

    def __init__(self, sessions: SessionFactory, flush_s: float) -> None:
        self._sessions = sessions
        self._flush_s = flush_s
        self._lock = asyncio.Lock()
        self._changed: dict[AttemptEvents, None] = {}
        self._has_changed = asyncio.Event()
        self._is_urgent = asyncio.Event()

    def open(
        self, job: Job, stored_through: int, on_refused: Callable[[], None]
    ) -> AttemptEvents:
        """Return the collection of the events of one attempt."""
        return AttemptEvents(job, stored_through, self._note, on_refused)

    async def run(self) -> None:
        """Store events until cancelled; after an error, log it and try again."""
        clock = asyncio.get_running_loop().time
        next_s = clock()
        while True:
            await self._has_changed.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0, next_s - clock())):
                    await self._is_urgent.wait()
            next_s = clock() + self._flush_s
            try:
                await self.flush()
            except Exception as exc:
                if is_lost(exc):
                    reason = repr(exc)[:200]
                    logger.warning("jobs.events.postponed", extra={"reason": reason})
                else:
                    logger.exception("jobs.events.failed")
                await asyncio.sleep(min(10 * self._flush_s, LONGEST_FLUSH_PAUSE_S))

    async def flush(self) -> None:
        """Store all pending events now."""
        async with self._lock:
            self._has_changed.clear()
            self._is_urgent.clear()
            changed, self._changed = self._changed, {}
            due = [each for each in changed if each.has_unstored and not each.is_held]
            try:
                await self._store(due)
            except BaseException:
                for each in due:
                    self._note(each, False)  # noqa: FBT003 - not urgent
                raise

    async def hold(self, events: AttemptEvents) -> list[JobEvent]:
        """Stop flushing an attempt that is about to end; return its unstored events.

        What was under way has arrived then. Raises `JobSupersededError` where the
        attempt was refused, and what the driver raises where that is not known.
        """
        async with self._lock:
            events.is_held = True
            if events.has_unacknowledged:
                await self._store([events])
        if events.is_refused:
            raise JobSupersededError(events.job.id)
        return events.pending()

    async def close(self, events: AttemptEvents) -> None:
        """Store what is left of an attempt that did not end its job."""
        async with self._lock:
            self._changed.pop(events, None)
            while events.has_unstored:
                await self._store([events])

    def _note(self, events: AttemptEvents, is_urgent: bool) -> None:  # noqa: FBT001 - one of two callers
        self._changed[events] = None
        self._has_changed.set()
        if is_urgent:
            self._is_urgent.set()

    async def _store(self, due: Sequence[AttemptEvents]) -> None:
        """Store one batch of each attempt, or mark the attempt as refused."""
        if not due:
            return
        batches = [each.next_batch() for each in due]
        async with system_transaction(self._sessions) as session:
            stored = await log.store_batches_for_system(session, batches)
            missing = [b for b in batches if (b.job_id, b.attempt) not in stored]
            if missing:  # refused, unless the reply to an earlier try was lost
                stored |= await log.list_stored_for_system(session, missing)
        for each in due:
            if (each.job.id, each.job.attempts) in stored:
                each.acknowledge()
                if each.has_unstored:
                    self._note(each, False)  # noqa: FBT003 - not urgent
            else:
                logger.warning("jobs.events.refused", extra={"job_id": each.job.id})
                each.refuse()
