"""What an executor is given: one run, as the process that has it in hand."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.runs.constants import RunState
from dossier.runs.models import Run
from dossier.runs.rules.events import RunEvent
from dossier.runs.service.live import Also, Live, Stop
from dossier.runs.service.settling import End, Quick, Settler, no_write
from dossier.runs.service.settling import Write as RunWrite

Write = Callable[[Session], Awaitable[None]]


class RunContext:
    """Emits the events of one run, and ends it."""

    def __init__(self, live: Live, settler: Settler, kept: list[RunEvent]) -> None:
        self.run: Run = live.run
        self.kept = kept
        """What clients keep of the events before a take-over, oldest first."""
        self.handed = live.handed
        """What whoever created it here knew already; an executor can do without."""
        self._live = live
        self._settler = settler

    @property
    def org_id(self) -> UUID:
        """The organisation that the run belongs to."""
        return self.run.org_id

    @property
    def actor(self) -> Actor:
        """Who asked for the run."""
        return self.run.actor

    @property
    def is_cancelled(self) -> bool:
        """Tell whether somebody cancelled it; a process that stops does not."""
        return self._live.stop is Stop.CANCEL

    def also(self, write: Also) -> None:
        """Write this in the transaction that ends the run, however it ends.

        Where it does not end in this process, it is written by itself.
        """
        self._live.also.append(write)

    def emit(self, kind: str, data: Mapping[str, Any]) -> int:
        """Show an event at once, and store it with the next batch."""
        return self._live.emit(kind, data)

    async def restarted(self, kept_through: int) -> int:
        """Say how much of what was shown still counts: the first event, if any.

        Not called after a take-over, all that was stored counts.
        """
        stored = self.kept[-1].sequence_number if self.kept else 0
        return self._live.restarted(min(kept_through, stored))

    async def finish(
        self,
        kind: str,
        data: Mapping[str, Any],
        write: Write | Quick | None = None,
        *,
        state: RunState | str = RunState.COMPLETED,
        result: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        """End the run in one transaction: events, what `write` writes, state.

        `write` may be called again where a connection was lost. Raises
        `RunSupersededError`, and undoes all, when another process has the run.
        """
        wanted = RunState(state)
        if wanted is RunState.CANCELLED and not self.is_cancelled:
            raise asyncio.CancelledError  # the process stops; the run goes on elsewhere

        end = End(wanted, kind, dict(data), result, error)
        await self._settler.settle(self._live, end, _for_settler(write))


def _for_settler(write: Write | Quick | None) -> RunWrite | Quick:
    if write is None or isinstance(write, Quick):
        return write or no_write

    async def write_all(session: Session, _run: Run) -> None:
        await write(session)

    return write_all


class Executor(Protocol):
    """Does the work of one kind of run."""

    async def __call__(self, context: RunContext, /) -> None:
        """Emit events and finish; an `AppError` out of it fails the run."""
        ...


class OnEnd(Protocol):
    """What else ends with a run that its executor did not finish."""

    async def __call__(self, session: Session, run: Run, /) -> None:
        """Write it in the transaction that ends the run; its state is set already."""
        ...


@dataclass(frozen=True, slots=True)
class RunKind:
    """An executor with what is to be settled where it did not come to its end."""

    execute: Executor
    on_end: OnEnd

    async def __call__(self, context: RunContext, /) -> None:
        """Do the work of one run."""
        await self.execute(context)
