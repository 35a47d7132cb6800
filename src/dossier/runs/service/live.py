"""A run that this process has in hand."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from dossier.core.reads import Statements
from dossier.runs.constants import FINISHED, RESTARTED
from dossier.runs.gateway.log import Held
from dossier.runs.models import Run
from dossier.runs.service.tape import Tape

Also = Callable[[Statements], Awaitable[None]]
"""Writes something in a transaction; writing it again changes nothing."""


class Stop(StrEnum):
    """Why a run is stopped from outside."""

    CANCEL = "cancel"
    LOST = "lost"
    HAND_OVER = "hand_over"


@dataclass(eq=False, slots=True)
class Live:
    """One run, its events, and the wish to stop it."""

    run: Run
    tape: Tape
    epoch: int
    handed: object = None
    """What whoever created the run knew already; nothing after a take-over."""
    restart_from: int | None = None
    """What was stored when it was taken over; `None` once clients have been told."""
    also: list[Also] = field(default_factory=list)
    """What is written with its end, or by itself where it comes to none here."""
    stop: Stop | None = None
    is_settling: bool = False
    """Its last events are written by the transaction that ends it."""
    written: asyncio.Event | None = None
    """Set once its row stands; nothing is shown or stored before. `None`: it does."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def run_id(self) -> UUID:
        """Return the run's id."""
        return self.tape.run_id

    @property
    def has_ended(self) -> bool:
        """Tell whether this process has ended it; its row in memory says how."""
        return self.over.is_set() and self.run.state in FINISHED

    def emit(self, kind: str, data: Mapping[str, Any]) -> int:
        """Emit an event; the first one after a take-over says so."""
        if self.restart_from is not None:
            self.restarted(self.restart_from)
        return self.tape.emit(kind, data)

    def restarted(self, kept_through: int) -> int:
        """Tell clients to drop what was shown after `kept_through`."""
        self.restart_from = None
        return self.tape.emit(RESTARTED, {"kept_through": kept_through})

    def hold(self) -> None:
        """Show and store nothing, until its row stands."""
        self.written = asyncio.Event()
        self.tape.is_held = True

    def release(self) -> None:
        """End what `hold` began."""
        self.tape.is_held = False
        if self.written is not None:
            self.written.set()

    async def until_written(self) -> None:
        """Wait for its row, without which it cannot end."""
        if self.written is not None:
            await self.written.wait()

    async def write_also(self, statements: Statements) -> None:
        """Write what was to be written with its end."""
        for write in self.also:
            await write(statements)

    def ask_to_stop(self, reason: Stop) -> None:
        """Stop what runs; a lost run is lost whatever was wished before."""
        if self.stop is None or reason is Stop.LOST:
            self.stop = reason
        self.stopping.set()

    def held(self) -> Held:
        """Return what is to be stored of it now."""
        batches = self.tape.freeze()
        return Held(
            org_id=self.run.org_id,
            run_id=self.run_id,
            epoch=self.epoch,
            reserve_through=self.tape.wanted_reserve(),
            stored_through=batches[-1].last_sequence if batches else 0,
            batches=batches,
        )
