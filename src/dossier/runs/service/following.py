"""Reading runs in one process: event by event, or just to their end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.runs.constants import FINISHED
from dossier.runs.models import Run
from dossier.runs.rules.events import RunEvent
from dossier.runs.service.follower import Follower
from dossier.runs.service.held import HeldRuns
from dossier.runs.service.live import Live
from dossier.runs.service.runs import RunsService


class Following:
    """Lets readers follow runs, wherever these are in hand."""

    def __init__(
        self,
        sessions: SessionFactory,
        held: HeldRuns,
        is_open: Callable[[], bool],
        on_join: Callable[[UUID], None],
    ) -> None:
        self._on_join = on_join
        self._sessions = sessions
        self._held = held
        self._is_open = is_open

    @contextmanager
    def following(
        self, org_id: UUID, run_id: UUID, starting_after: int = 0
    ) -> Iterator[Follower]:
        """Read a run from a position on; see `Follower`."""
        with self._held.readers.joined(run_id) as news:
            self._on_join(run_id)
            yield Follower(
                self._sessions,
                (org_id, run_id),
                starting_after,
                news,
                self._held.tape_of,
            )

    async def follow(
        self, org_id: UUID, run_id: UUID, starting_after: int = 0
    ) -> AsyncIterator[RunEvent]:
        """Yield what was stored after a number, then what is new, to the end."""
        with self.following(org_id, run_id, starting_after) as follower:
            while self._is_open() and not follower.has_ended:
                for event in await follower.next():
                    yield event

    async def wait(self, org_id: UUID, run_id: UUID, timeout_s: float) -> Run:
        """Return the run at its end, or as it is when the time is over."""
        live = self._held.get(run_id)
        with self._held.waiters.joined(run_id) as news, suppress(TimeoutError):
            self._on_join(run_id)
            async with asyncio.timeout(timeout_s):
                while self._is_open() and not await self._is_over(org_id, run_id, live):
                    await news.wait()
                    news.clear()
        if live is not None and live.has_ended:
            return live.run
        return await self._get(org_id, run_id)

    async def _is_over(self, org_id: UUID, run_id: UUID, live: Live | None) -> bool:
        if live is not None and live.has_ended:
            return True
        if self._is_open() and self._held.get(run_id) is not None:
            return False  # who lets go of it wakes those who wait
        return (await self._get(org_id, run_id)).state in FINISHED

    async def _get(self, org_id: UUID, run_id: UUID) -> Run:
        async with tenant_transaction(self._sessions, org_id) as session:
            return await RunsService(session, Actor.system(org_id)).get_run(run_id)
