"""The events of one run in the process that makes them.

An event may be shown as soon as its number is reserved in the run's row: whoever takes
the run over begins above what was reserved, so that no number is ever used twice.
"""

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from itertools import count
from typing import Any
from uuid import UUID

from dossier.runs.constants import MAX_BATCH_EVENTS, RESERVED_BLOCK
from dossier.runs.rules.events import Batch, RunEvent, batch_of, frame_of

KEPT_EVENTS = 64
"""Stored events that stay in memory, for followers who lag a little."""
MAX_TAKEN_EVENTS = 500
"""Events that one follower takes at a time."""


class Tape:
    """What was emitted, how much of it is stored, and how much may be shown."""

    def __init__(
        self,
        run_id: UUID,
        reserved_through: int,
        readers: AbstractSet[asyncio.Event],
        on_unstored: Callable[["Tape"], None],
    ) -> None:
        self.run_id = run_id
        self.reserved_through = reserved_through
        self.last = reserved_through - RESERVED_BLOCK
        """The number of the last event; what precedes the first is in the log."""
        self.stored_through = self.last
        self.is_over = False
        self.is_lost = False
        self.is_held = False
        """Nothing may be shown yet: its run is just being written."""
        self._window: list[bytes] = []
        """The frames of the last events: bytes, which no look for garbage visits."""
        self._frozen: list[Batch] = []
        self._frozen_through = self.last
        self._unsealed: tuple[list[Batch], int] = ([], self.last)
        self._hidden_from: int | None = None
        self._has_unstored = False
        self._readers = readers
        self._on_unstored = on_unstored

    def emit(self, kind: str, data: Mapping[str, Any]) -> int:
        """Add an event and return its number; of a lost run it goes nowhere."""
        number = self.last + 1
        if self.is_lost:
            return number
        self._append(number, kind, data)
        if not self._has_unstored or number == self.reserved_through + 1:
            self._has_unstored = True
            self._on_unstored(self)
        for reader in self._readers:
            reader.set()
        return number

    def seal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Add the last event; it is shown when the transaction of the end stands."""
        self._unsealed = (list(self._frozen), self._frozen_through)
        number = self.last + 1
        self._append(number, kind, data)
        self._hidden_from = number

    def unseal(self) -> None:
        """Take the last event back: the transaction was undone."""
        self._frozen, self._frozen_through = self._unsealed
        self._window.pop()
        self.last -= 1
        self._hidden_from = None

    def after(self, position: int) -> list[RunEvent] | None:
        """Return what may be shown beyond a position; `None` where the log knows.

        The numbers of one tape have no holes.
        """
        first = self.last + 1 - len(self._window)
        start = position + 1 - first
        if start < 0:
            return None
        shown = self._shown_through() + 1 - first
        return self._events(start, min(shown, start + MAX_TAKEN_EVENTS))

    def has_shown_all(self, position: int) -> bool:
        """Tell whether nothing can come any more beyond a position."""
        return self.is_over and position >= self.last

    def wanted_reserve(self) -> int:
        """Return how many numbers to reserve: ahead of need, in blocks."""
        if self.last + RESERVED_BLOCK // 2 <= self.reserved_through:
            return self.reserved_through
        return self.last + RESERVED_BLOCK

    def freeze(self) -> list[Batch]:
        """Return what is not stored yet, cut so that storing it twice is harmless.

        What was handed out once keeps its cut until it is acknowledged: an answer of
        the database may be lost although it has stored.
        """
        self._has_unstored = False
        first = self.last + 1 - len(self._window)
        fresh = self._events(self._frozen_through + 1 - first, len(self._window))
        self._frozen += [
            batch_of(fresh[start : start + MAX_BATCH_EVENTS])
            for start in range(0, len(fresh), MAX_BATCH_EVENTS)
        ]
        self._frozen_through = self.last
        return list(self._frozen)

    def stored(self, through: int, reserved_through: int) -> None:
        """Note what the database has acknowledged."""
        self.stored_through = max(self.stored_through, through)
        self.reserved_through = max(self.reserved_through, reserved_through)
        self._frozen = [b for b in self._frozen if b.last_sequence > through]
        spare = len(self._window) - max(KEPT_EVENTS, self.last - self.stored_through)
        if spare > KEPT_EVENTS:  # not for every batch: moving the rest has its price
            del self._window[:spare]

    def end(self) -> None:
        """Show the last event: nothing follows."""
        self.is_over = True
        self.stored(self.last, self.last)

    def lose(self) -> None:
        """Say that another process goes on with it."""
        self.is_lost = True

    def _events(self, start: int, stop: int) -> list[RunEvent]:
        """Return events by their places in the window."""
        number = self.last + 1 - len(self._window) + start
        return list(map(RunEvent, count(number), self._window[start:stop]))

    def _append(self, number: int, kind: str, data: Mapping[str, Any]) -> None:
        if self._hidden_from is not None:
            message = f"{kind} comes after the end of the run"
            raise RuntimeError(message)
        self._window.append(frame_of(number, kind, data))
        self.last = number

    def _shown_through(self) -> int:
        if self.is_held:
            return self.last - len(self._window)
        if self.is_over:
            return self.last
        if self._hidden_from is not None:
            return min(self._hidden_from - 1, self.reserved_through)
        return min(self.last, self.reserved_through)
