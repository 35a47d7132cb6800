"""Runs one executor to its end, whatever end that is."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from dossier.core.database import SessionFactory
from dossier.core.errors import AppError, InternalServerError
from dossier.core.logging import log_context
from dossier.core.problems import as_app_error
from dossier.core.reads import Reads, raw_transaction
from dossier.integrations.queue.lost import outlast
from dossier.runs.exceptions import (
    RunAbandonedError,
    RunSupersededError,
    RunTookTooLongError,
    RunUnfinishedError,
)
from dossier.runs.gateway import log
from dossier.runs.rules.events import RunEvent, surviving, unfolded
from dossier.runs.service.context import Executor, RunContext, RunKind
from dossier.runs.service.live import Live, Stop
from dossier.runs.service.settling import (
    End,
    Settler,
    Write,
    cancelled_end,
    failed_end,
    no_write,
)

logger = logging.getLogger(__name__)

STOP_GRACE_S = 5.0
"""How long an executor may take to clean up after it was stopped."""
PAGE_ROWS = 200


class Runner:
    """Runs executors; one per process."""

    def __init__(
        self,
        sessions: SessionFactory,
        executors: Mapping[str, Executor],
        settler: Settler,
        max_duration_s: float,
    ) -> None:
        self._sessions = sessions
        self._executors = executors
        self._settler = settler
        self._max_duration_s = max_duration_s

    async def run(self, live: Live) -> None:
        """Run a run's executor, and settle what it left open."""
        started_s = time.monotonic()
        ids = {"org_id": live.run.org_id, "user_id": live.run.actor_user_id}
        ids["api_key_id"] = live.run.actor_api_key_id
        with log_context(request_id=live.run.request_id, **ids):
            try:
                error = await self._execute(live)
                await self._settle(live, error)
            except RunSupersededError:
                live.tape.lose()
            except Exception:
                # Its lease runs out, and then it is tried once more.
                logger.exception("runs.run.unsettled", extra={"kind": live.run.kind})
            await self._write_rest(live)
            _log(live, time.monotonic() - started_s)

    async def abandon(self, live: Live) -> None:
        """Settle a run that is not to be tried any more."""
        with suppress(RunSupersededError):
            await self._settle(live, None if live.stop else RunAbandonedError())

    async def _execute(self, live: Live) -> Exception | None:
        """Return what went wrong, if the executor did not finish the run."""
        executor = self._executors[live.run.kind]
        context = RunContext(live, self._settler, await self._kept(live))
        task = asyncio.ensure_future(executor(context))
        task.add_done_callback(lambda _: live.stopping.set())
        try:
            is_late = not await _within(live.stopping.wait(), self._max_duration_s)
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=STOP_GRACE_S)
        finally:
            task.cancel()
        return RunTookTooLongError() if is_late else _error_of(task)

    async def _settle(self, live: Live, error: Exception | None) -> None:
        if live.over.is_set():
            if error is not None:
                logger.error("runs.executor.failed_after_end", exc_info=error)
            return
        if live.stop is Stop.LOST:
            raise RunSupersededError(live.run_id)
        if live.stop is not Stop.HAND_OVER:
            await self._end(live, _end_of(live, error))

    async def _end(self, live: Live, end: End) -> None:
        write = self._write_of(live)
        try:
            await self._settler.settle(live, end, write)
        except RunSupersededError:
            raise
        except Exception:
            logger.exception("runs.on_end.failed", extra={"kind": live.run.kind})
            await self._settler.settle(live, end)

    async def _write_rest(self, live: Live) -> None:
        """Write what was left for an end that did not come here."""
        if live.also:
            try:
                await outlast(lambda: self._write_also(live))
            except Exception:
                logger.exception("runs.rest.failed", extra={"kind": live.run.kind})

    async def _write_also(self, live: Live) -> None:
        async with raw_transaction(self._sessions, live.run.org_id) as statements:
            await live.write_also(statements)

    def _write_of(self, live: Live) -> Write:
        executor = self._executors[live.run.kind]
        return executor.on_end if isinstance(executor, RunKind) else no_write

    async def _kept(self, live: Live) -> list[RunEvent]:
        """Return what clients keep of the events of earlier owners."""
        through = live.restart_from
        if through is None:
            return []
        reads = Reads(self._sessions, live.run.org_id)
        events: list[RunEvent] = []
        while not events or events[-1].sequence_number < through:
            after = events[-1].sequence_number if events else 0
            page = await outlast(partial(self._page, reads, live, after))
            fresh = [e for array in page for e in unfolded(array, after)]
            if not fresh:
                break
            events += fresh
        return surviving(events)

    async def _page(self, reads: Reads, live: Live, after: int) -> list[str]:
        org_id, run_id = live.run.org_id, live.run_id
        page = await log.read_log_for_org(reads, org_id, run_id, after, PAGE_ROWS)
        return [] if page is None else page.arrays


async def _within(waited: object, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await waited  # type: ignore[misc]
    except TimeoutError:
        return False
    return True


def _end_of(live: Live, error: Exception | None) -> End:
    if live.stop is Stop.CANCEL:
        return cancelled_end()
    named = as_app_error(error or RunUnfinishedError())
    if named.status == InternalServerError.status:
        logger.error("runs.run.failed", extra={"kind": live.run.kind}, exc_info=error)
    return failed_end(named, live.run.request_id)


def _error_of(task: asyncio.Future[None]) -> Exception | None:
    if not task.done() or task.cancelled():
        return None
    error = task.exception()
    return _principal(error) if isinstance(error, Exception) else None


def _principal(error: Exception) -> Exception:
    """Return what decides over a group of errors: what has a name, else the first."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [_principal(inner) for inner in error.exceptions]
    named = [leaf for leaf in leaves if isinstance(leaf, AppError)]
    return (named or leaves)[0]


def _log(live: Live, elapsed_s: float) -> None:
    outcome = "ended" if live.over.is_set() else live.stop
    extra = {
        "kind": live.run.kind,
        "attempt": live.run.attempts,
        "outcome": outcome,
        "events": live.tape.last,
        "ms": round(elapsed_s * 1000, 1),
    }
    logger.info("runs.run.left", extra=extra)
