"""Where the end of a run meets the transaction that writes its row.

What is answered from memory is over before its row is on the way to the disk: then
both are written together, and the disk is waited for once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, runtime_checkable

from dossier.core.reads import Statements

Part = Callable[[Statements], Awaitable[object]]
"""Writes the end of a run whose row was written a moment ago."""


class Joint:
    """One end and one row, each written by a task of its own."""

    def __init__(self) -> None:
        self._decided = asyncio.Event()
        self._part: Part | None = None
        self._is_there: asyncio.Future[bool] | None = None

    def part(self) -> None:
        """Let the row be written by itself: the end takes longer."""
        self._decided.set()

    async def join(self, part: Part) -> bool:
        """Have an end written with the row; `False`: it was not, and will not be."""
        if self._decided.is_set():
            return False
        self._part = part
        self._is_there = asyncio.get_running_loop().create_future()
        self._decided.set()
        return await self._is_there

    async def end(self, patience_s: float) -> Part | None:
        """Return the end if it comes soon; one that comes later is not taken."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._decided.wait()
        self._decided.set()
        return self._part

    def tell(self, is_there: bool) -> None:  # noqa: FBT001 - an answer
        """Say whether row and end stand."""
        if self._is_there is not None and not self._is_there.done():
            self._is_there.set_result(is_there)


@runtime_checkable
class Joining(Protocol):
    """What is handed over with a run whose row and end may be written together."""

    @property
    def joint(self) -> Joint | None:
        """Where they meet; `None`: they do not."""
        ...
