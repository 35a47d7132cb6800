"""Who pays from no budget, as this process has seen it lately.

The row of such a call may be written beside the call: there is nothing to set aside.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from dossier.ai.constants import BUDGETS_CHANNEL
from dossier.core.listening import Listener

TRUSTED_S = 30.0
"""So long a look counts, should news of a budget get lost without a trace."""
MOST_PAYERS = 10_000

Payer = tuple[UUID, UUID | None, UUID | None]
"""Organisation, user and API key."""


class Uncounted:
    """Payers whom no budget counts; known only while new budgets are heard of."""

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._known: dict[Payer, tuple[int, float]] = {}
        self._news = 0

    @asynccontextmanager
    async def listening(self, listener: Listener) -> AsyncIterator[None]:
        """Hear of new budgets as long as the block lasts; start waits for nothing."""
        task = asyncio.create_task(self._listen(listener), name="budgets")
        try:
            yield
        finally:
            self._listener = None
            task.cancel()

    def knows(self, payer: Payer) -> bool:
        """Tell whether no budget counts a payer."""
        number, until_s = self._known.get(payer, (0, 0.0))
        return 0 < number == self._hearing() and time.monotonic() < until_s

    def look(self) -> tuple[int, int]:
        """Return where the news stand, and who brings them; a look begins."""
        return self._news, self._hearing()

    def forget(self, payer: Payer) -> None:
        """Believe a payer no more: what was known of it does not hold, or may not."""
        self._known.pop(payer, None)

    def note(self, payer: Payer, since: tuple[int, int]) -> None:
        """Remember what a look found, unless there were, or may have been, news."""
        if since != self.look():
            return
        if len(self._known) >= MOST_PAYERS:
            self._known.clear()
        self._known[payer] = self._hearing(), time.monotonic() + TRUSTED_S

    async def _listen(self, listener: Listener) -> None:
        await listener.add(BUDGETS_CHANNEL, self._heard)
        self._listener = listener

    def _hearing(self) -> int:
        return 0 if self._listener is None else self._listener.hearing

    def _heard(self, _payload: str) -> None:
        """Take note of a new budget, whosever it is."""
        self._news += 1
        self._known.clear()
