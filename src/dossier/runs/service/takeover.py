"""Runs that go from one process to another: taken over, and given back."""

import asyncio
from collections.abc import Collection
from contextlib import suppress

from dossier.core.database import SessionFactory, system_transaction
from dossier.core.settings.models import RunSettings
from dossier.runs.constants import RunState, Verb
from dossier.runs.gateway import log
from dossier.runs.gateway import run as gateway
from dossier.runs.models import Run
from dossier.runs.ports import Holder
from dossier.runs.rules.states import is_abandoned
from dossier.runs.service.guarding import log_failure
from dossier.runs.service.held import HeldRuns
from dossier.runs.service.live import Stop
from dossier.runs.service.working import Working

CLAIMED_AT_ONCE = 100


class TakeOver:
    """Looks for runs without a living owner, and frees those of this process."""

    def __init__(
        self,
        sessions: SessionFactory,
        held: HeldRuns,
        working: Working,
        *,
        holder: Holder,
        kinds: Collection[str],
        settings: RunSettings,
    ) -> None:
        self.takes_runs = True
        self._sessions = sessions
        self._holder = holder
        self._held = held
        self._working = working
        self._kinds = kinds
        self._settings = settings
        self._due = asyncio.Event()

    def look_soon(self) -> None:
        """Look without waiting for the rest of the interval."""
        self._due.set()

    async def watch(self) -> None:
        """Take what has no owner, again and again; never end."""
        while True:
            try:
                claimed = await self.take()
            except Exception as exc:  # noqa: BLE001 - the loop outlives every outage
                claimed = 0
                log_failure(exc)
            if claimed < CLAIMED_AT_ONCE:
                await self._until_due()

    async def take(self) -> int:
        """Take runs that have no living owner; return how many."""
        if not self._kinds or not self.takes_runs:
            return 0
        async with system_transaction(self._sessions) as session:
            runs = await gateway.claim_due_for_system(
                session,
                self._holder,
                sorted(self._kinds),
                besides=[live.run_id for live in self._held.lives],
                limit=CLAIMED_AT_ONCE,
            )
        for run in runs:
            self._resume(run)
        return len(runs)

    async def give_back(self) -> None:
        """Store what is left, and free the runs for others."""
        try:
            await self._held.writer.flush()
            held = {live.run_id: live.epoch for live in self._held.lives}
            if not held:
                return
            async with system_transaction(self._sessions) as session:
                await gateway.release_for_system(session, self._holder.id, held)
                await log.tell_for_system(session, Verb.DUE, ())
        except Exception as exc:  # noqa: BLE001 - then their leases run out
            log_failure(exc)

    def _resume(self, run: Run) -> None:
        if run.state is RunState.CANCELLING:
            self._working.end(run, Stop.CANCEL)
        elif is_abandoned(run.losses, self._settings.max_attempts):
            self._working.end(run)
        else:
            self._working.begin(run)

    async def _until_due(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.lease_s / 3):
                await self._due.wait()
        self._due.clear()
