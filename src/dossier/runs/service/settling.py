"""Ends a run: its last events, what it wrote and its state, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    raw_rows,
    tenant_transaction,
)
from dossier.core.errors import AppError
from dossier.core.problems import problem_of
from dossier.core.reads import Statements, raw_transaction
from dossier.integrations.queue.lost import outlast
from dossier.runs.constants import (
    FAILED_EVENT,
    INCOMPLETE_EVENT,
    RunSignal,
    RunState,
)
from dossier.runs.exceptions import RunSupersededError
from dossier.runs.gateway import log
from dossier.runs.gateway import run as gateway
from dossier.runs.models import Run
from dossier.runs.rules.responses import cancelled_data, failed_data
from dossier.runs.rules.states import next_state
from dossier.runs.service.live import Live, Stop
from dossier.runs.service.writer import Writer

Write = Callable[[Session, Run], Awaitable[None]]
"""Writes what belongs to the end; may be called again when a connection was lost."""


@dataclass(frozen=True, slots=True)
class Quick:
    """What belongs to the end and needs no session: a few statements."""

    write: Callable[[Statements], Awaitable[None]]


_SIGNALS = {
    RunState.COMPLETED: RunSignal.COMPLETE,
    RunState.FAILED: RunSignal.FAIL,
    RunState.CANCELLED: RunSignal.CONFIRM_CANCEL,
}


@dataclass(frozen=True, slots=True)
class End:
    """How a run ends: its state and its last event."""

    state: RunState
    type: str
    data: dict[str, Any]
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def cancelled_end(run_id: UUID) -> End:
    """Return the end of a run that somebody cancelled."""
    return End(RunState.CANCELLED, INCOMPLETE_EVENT, cancelled_data(run_id))


def failed_end(run: Run, error: AppError) -> End:
    """Return the end of a run that failed."""
    problem = problem_of(error, request_id=run.request_id)
    data = failed_data(run.id, problem)
    return End(RunState.FAILED, FAILED_EVENT, data, error=problem)


async def no_write(_session: Session, _run: Run) -> None:
    """Write nothing besides the end itself."""


class Settler:
    """Ends runs that this process has in hand."""

    def __init__(
        self,
        sessions: SessionFactory,
        writer: Writer,
        on_end: Callable[[Live], None],
    ) -> None:
        self._sessions = sessions
        self._writer = writer
        self._on_end = on_end

    async def settle(
        self, live: Live, end: End, write: Write | Quick = no_write
    ) -> None:
        """End a run, however long the database is away.

        Raises `RunSupersededError` where another process has taken the run over; all
        that `write` did is undone then.
        """
        await live.until_written()
        if live.restart_from is not None:
            live.restarted(live.restart_from)
        async with self._writer.lock:  # whatever is on its way has arrived then
            live.is_settling = True
        live.tape.seal(end.type, end.data)
        try:
            is_ours = await outlast(lambda: self._attempt(live, end, write))
        except BaseException:
            live.tape.unseal()
            live.is_settling = False
            self._writer.mark(live)
            raise
        if is_ours:
            self._note_end(live)
            return
        live.tape.lose()  # readers find in the log what stands there
        live.over.set()
        self._on_end(live)

    def _note_end(self, live: Live) -> None:
        live.also.clear()
        live.tape.end()
        live.over.set()
        self._on_end(live)

    async def _attempt(self, live: Live, end: End, write: Write | Quick) -> bool:
        """Return whether this end was written; another of ours may stand already.

        That is so where the answer of a commit was lost, or nobody waited for it.
        """
        ended = _ended(live, end)
        if isinstance(write, Quick):
            is_ours = await self._end_quickly(live, ended, write)
        else:
            is_ours = await self._end(live, ended, write)
        return is_ours or await self._refused(live)

    async def _end(self, live: Live, ended: log.Ended, write: Write) -> bool:
        run = live.run
        async with tenant_transaction(self._sessions, run.org_id) as session:
            statements = partial(raw_rows, session)
            # First the log: who writes what the events say finds all of them there.
            state = await log.end_run_for_org(statements, run.org_id, run.id, ended)
            if state is not None:
                _note(run, state, ended)
                await write(session, run)
                await live.write_also(statements)
        return state is not None

    async def _end_quickly(self, live: Live, ended: log.Ended, write: Quick) -> bool:
        async with raw_transaction(self._sessions, live.run.org_id) as statements:
            return await self._write(live, ended, write, statements)

    async def _write(
        self, live: Live, ended: log.Ended, write: Quick, statements: Statements
    ) -> bool:
        run = live.run
        state = await log.end_run_for_org(statements, run.org_id, run.id, ended)
        if state is not None:
            _note(run, state, ended)
            await write.write(statements)
            await live.write_also(statements)
        return state is not None

    async def _refused(self, live: Live) -> bool:
        """Return that another end of ours stands, or raise: somebody else has it."""
        org_id = live.run.org_id
        async with tenant_transaction(self._sessions, org_id) as session:
            run = await gateway.get_run_for_org(session, org_id, live.run_id)
        if run is None or run.epoch != live.epoch:
            live.ask_to_stop(Stop.LOST)
            raise RunSupersededError(live.run_id)
        return False


def _ended(live: Live, end: End) -> log.Ended:
    return log.Ended(
        epoch=live.epoch,
        states=_leading(end.state),
        result=end.result,
        error=end.error,
        finished_at=now(),
        batches=live.tape.freeze(),
        stored_through=live.tape.last,
    )


def _leading(wanted: RunState) -> dict[str, str]:
    signal = _SIGNALS[wanted]
    return {state.value: next_state(state, signal).value for state in RunState}


def _note(run: Run, state: RunState, ended: log.Ended) -> None:
    """Let the row in memory say what the stored one says."""
    run.state = state
    run.result, run.error = ended.result, ended.error
    run.stored_through = ended.stored_through
    run.reserved_through = max(run.reserved_through, ended.stored_through)
    run.owner = run.lease_until = None
    run.finished_at = ended.finished_at
