"""Time-out between two events of a stream."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
_GRACE_S = 0.01


class IdleWatch:
    """Raises `TimeoutError` where a stream stays silent after its first event.

    `asyncio.timeout` would cancel a stream also where the process itself stood still
    and events lie unread in the socket; this timer is checked twice before it fires.
    """

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._reader: asyncio.Task[object] | None = None
        self._waits_since_s = 0.0
        self._overdue_since_s = 0.0
        self._has_fired = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def next(self, events: AsyncIterator[T]) -> T:
        """Return the next event; the time that the caller takes is not counted."""
        reader = self._reader = asyncio.current_task()
        self._waits_since_s = self._loop.time()
        try:
            event = await anext(events)
        except asyncio.CancelledError:
            if self._has_fired and reader is not None and reader.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._reader = None
        if self._timer is None:
            self._timer = self._loop.call_later(self._idle_s, self._look)
        return event

    def _look(self) -> None:
        now_s, due_s = self._loop.time(), self._waits_since_s + self._idle_s
        if self._reader is None or now_s < due_s:
            at_s = due_s if now_s < due_s else now_s + self._idle_s
        elif self._overdue_since_s != self._waits_since_s:
            self._overdue_since_s, at_s = self._waits_since_s, now_s + _GRACE_S
        else:
            self._has_fired = True
            self._reader.cancel()
            return
        self._timer = self._loop.call_at(at_s, self._look)
