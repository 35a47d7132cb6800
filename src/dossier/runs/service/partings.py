"""Ends runs that nobody reads any more, where that is wanted.

Readers are spread over processes, and nobody counts them. Only when the last one of a
process has left does that process ask all of them, itself too: whoever has a reader, or
gets one soon after, says so. Silence counts once one's own question has come back: that
proves that one hears.
"""

import asyncio
import time
from contextlib import suppress
from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.integrations.queue.lost import outlast
from dossier.runs.constants import Verb
from dossier.runs.gateway import log
from dossier.runs.ports import Holder
from dossier.runs.service.held import HeldRuns
from dossier.runs.service.runs import RunsService
from dossier.runs.service.working import Working

ANSWER_PER_LEASE = 0.1
"""How long others may take to say that they read; a client may come back as well.

Whoever does not hear its own question during a lease knows nothing, and asks again.
"""
QUESTIONS = 10
"""So often it is asked; a process that hears nothing for so long ends nothing."""


class _Question:
    """What has been heard of one question."""

    def __init__(self) -> None:
        self.came_back = asyncio.Event()
        self.is_read = asyncio.Event()
        self.has_another_left = False
        """What was heard before then may be true no more."""

    @property
    def is_settled(self) -> bool:
        """Tell whether it needs to be asked no more."""
        is_known = self.is_read.is_set() or self.came_back.is_set()
        return is_known and not self.has_another_left


class Partings:
    """Asks who still reads a run, and answers for the readers of this process."""

    def __init__(
        self,
        sessions: SessionFactory,
        held: HeldRuns,
        working: Working,
        holder: Holder,
    ) -> None:
        self._holder = holder
        self._sessions = sessions
        self._held = held
        self._working = working
        self._questions: dict[UUID, _Question] = {}
        self._heard_at_s: dict[UUID, float] = {}
        """When somebody last asked who reads a run; only what may be open still."""

    def left(self, org_id: UUID, run_id: UUID) -> None:
        """A reader has left who wants the run to end with the last one."""
        if self.is_read_here(run_id):
            return
        if run_id in self._questions:
            self._questions[run_id].has_another_left = True
        else:
            self._working.spawn(self._end_unless_read(org_id, run_id))

    def is_read_here(self, run_id: UUID) -> bool:
        """Tell whether anybody in this process wants the run's events, or its end."""
        return bool(self._held.readers.of(run_id) or self._held.waiters.of(run_id))

    def joined(self, run_id: UUID) -> None:
        """A reader comes: whoever has just asked, and got no answer, is told."""
        if run_id in self._open_questions():
            self._working.spawn(self._tell(Verb.READ, self._holder.id, run_id))

    def heard_question(self, run_id: UUID) -> None:
        """Some process asks who reads a run."""
        self._heard_at_s = self._open_questions() | {run_id: time.monotonic()}
        question = self._questions.get(run_id)
        if question is not None:
            question.came_back.set()
        if self.is_read_here(run_id):
            self._working.spawn(self._tell(Verb.READ, self._holder.id, run_id))

    def heard_reader(self, run_id: UUID) -> None:
        """Another process has a reader.

        What this one said of its own may come back when it is true no more.
        """
        question = self._questions.get(run_id)
        if question is not None:
            question.is_read.set()

    def _open_questions(self) -> dict[UUID, float]:
        """Return the questions whose askers may still wait for an answer."""
        if self._heard_at_s:
            since_s = time.monotonic() - 2 * self._holder.lease_s * ANSWER_PER_LEASE
            heard = self._heard_at_s.items()
            self._heard_at_s = {run: at_s for run, at_s in heard if at_s > since_s}
        return self._heard_at_s

    async def _end_unless_read(self, org_id: UUID, run_id: UUID) -> None:
        for _ in range(QUESTIONS):
            question = await self._ask(run_id)
            if self.is_read_here(run_id):
                return
            if question.is_settled:
                await self._end_unless(question.is_read.is_set(), org_id, run_id)
                return

    async def _end_unless(self, is_read: bool, org_id: UUID, run_id: UUID) -> None:  # noqa: FBT001 - an answer
        if not is_read:
            await outlast(lambda: self._cancel(org_id, run_id))

    async def _ask(self, run_id: UUID) -> _Question:
        question = self._questions[run_id] = _Question()
        try:
            await self._tell(Verb.READERS, run_id)
            await _wait(question.came_back, self._holder.lease_s)
            await _wait(question.is_read, self._holder.lease_s * ANSWER_PER_LEASE)
        finally:
            del self._questions[run_id]
        return question

    async def _tell(self, verb: Verb, *ids: UUID) -> None:
        async def tell() -> None:
            async with system_transaction(self._sessions) as session:
                await log.tell_for_system(session, verb, ids)

        await outlast(tell)

    async def _cancel(self, org_id: UUID, run_id: UUID) -> None:
        async with tenant_transaction(self._sessions, org_id) as session:
            await RunsService(session, Actor.system(org_id)).cancel(run_id)


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
