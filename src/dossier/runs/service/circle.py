"""Who waits for news of which run, in one process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Circle:
    """Waiters by run; to wake one is to set its event."""

    def __init__(self) -> None:
        self._waiters: dict[UUID, set[asyncio.Event]] = {}
        self._held: set[UUID] = set()

    @contextmanager
    def joined(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """Be woken by news of a run; the first look comes after joining."""
        event = asyncio.Event()
        waiters = self._waiters.setdefault(run_id, set())
        waiters.add(event)
        try:
            yield event
        finally:
            waiters.discard(event)
            self._clear(run_id)

    def of(self, run_id: UUID) -> set[asyncio.Event]:
        """Return those who wait for a run now."""
        return self._waiters.get(run_id, set())

    def hold(self, run_id: UUID) -> set[asyncio.Event]:
        """Return a run's waiters, now and later, until it is let go."""
        self._held.add(run_id)
        return self._waiters.setdefault(run_id, set())

    def let_go(self, run_id: UUID) -> None:
        """End what `hold` began."""
        self._held.discard(run_id)
        self._clear(run_id)

    def wake(self, run_id: UUID) -> None:
        """Wake those who wait for a run."""
        for event in self.of(run_id):
            event.set()

    def wake_all(self) -> None:
        """Wake everybody."""
        for waiters in self._waiters.values():
            for event in waiters:
                event.set()

    def _clear(self, run_id: UUID) -> None:
        if run_id not in self._held and not self._waiters.get(run_id, True):
            del self._waiters[run_id]
