"""Asks in a transaction of its own, so that what follows holds no connection."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from dossier.chat.service.answers import (
    Answered,
    AnswersService,
    Asked,
    Question,
    answered_by,
    read_answered,
    read_earlier,
)
from dossier.chat.service.answers_opening import OpeningWriter, is_usual, read_opening
from dossier.chat.service.answers_terms import Wish, require_model
from dossier.core.creates import create_for
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.reads import read_for
from dossier.core.tenancy import Actor
from dossier.runs.constants import FINISHED
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.models import Run
from dossier.runs.service import RunEngine


class Asking:
    """The questions of one request; each step commits before the next waits."""

    def __init__(  # noqa: PLR0913 - a caller, and what the process knows
        self,
        sessions: SessionFactory,
        actor: Actor,
        engine: RunEngine,
        max_characters: int,
        *,
        has_model: bool,
        is_welcome: Callable[[], Awaitable[bool]],
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._max_characters = max_characters
        self._has_model = has_model
        self._is_welcome = is_welcome
        self._reads = read_for(sessions, actor)
        self._access_changes = engine.access_changes
        self._reading: asyncio.Future[dict[UUID, str]] | None = None
        self.engine = engine

    @property
    def org_id(self) -> UUID:
        """The organisation of whoever asks."""
        return self._actor.org_id

    async def ask(self, question: Question, *, is_awaited: bool = False) -> Asked:
        """Store a question; its run begins with it.

        Where the answer is awaited, earlier questions are looked for meanwhile.
        """
        require_model(question.terms, has_model=self._has_model)
        async with self.engine.starting:
            if is_usual(question, self._max_characters):
                looks_back = is_awaited and question.terms.grounding != "none"
                asked = await self._ask_at_once(question, looks_back=looks_back)
                if asked is not None:
                    return asked
            return await self._ask_at_length(question)

    async def _ask_at_length(self, question: Question) -> Asked:
        async with tenant_transaction(self._sessions, self.org_id) as session:
            return await self._answers(session).ask(question, self.engine)

    async def regenerate(self, message_id: UUID, wish: Wish) -> Asked:
        """Have a question answered anew; its run begins with the commit."""
        async with (
            self.engine.starting,
            tenant_transaction(self._sessions, self.org_id) as session,
        ):
            answers = self._answers(session)
            return await answers.regenerate(message_id, wish, self.engine)

    async def get_run(self, run_id: UUID) -> Run:
        """Return a run of a room where one is a member."""
        async with tenant_transaction(self._sessions, self.org_id) as session:
            return await self._answers(session).get_run(run_id)

    async def may_follow(self, run_id: UUID) -> bool:
        """Tell whether one is still let in, and still a member of the run's room."""
        if not await self._is_welcome():
            return False
        try:
            await self.get_run(run_id)
        except RunNotFoundError:
            return False
        return True

    async def cancel(self, run_id: UUID) -> Run:
        """Stop a run of a room where one is a member."""
        async with tenant_transaction(self._sessions, self.org_id) as session:
            return await self._answers(session).cancel(run_id)

    async def wait(self, asked: Asked, timeout_s: float) -> Answered | None:
        """Return the answer at its end; `None` where it is still being written."""
        try:
            run = await self.engine.wait(self.org_id, asked.run.id, timeout_s)
            if run.state not in FINISHED:
                return None
            if self._may_tell(asked) and self._reading is not None:
                earlier = await self._reading
                return answered_by(asked, run, asked.settled[0], earlier)
        finally:
            self._look_away()
        return await read_answered(self._reads, self._actor, asked, run)

    async def _ask_at_once(
        self, question: Question, *, looks_back: bool
    ) -> Asked | None:
        """Read in one statement and write in another; `None` where that cannot be.

        It cannot where anything is out of the ordinary, or the room changed meanwhile.
        """
        creates = create_for(self._sessions, self._actor)
        writer = OpeningWriter(creates, self._actor, self.engine.holder)
        reading = asyncio.ensure_future(
            read_opening(self._reads, self._actor, question)
        )
        try:
            await asyncio.sleep(0)  # it is on its way: rows are made meanwhile
            await writer.draft(question)
            opening = await reading
        finally:
            reading.cancel()
        if opening is None:
            return None
        asked, condition = await writer.add(opening)
        # The model is asked while the rows are on their way to the disk; no word of it
        # is shown before they stand.
        tell = self.engine.adopt_early(asked.run, opening)
        if looks_back:
            self._look_back(asked)
        is_stored = False
        try:
            is_stored = await creates.store(condition)
        finally:
            if not is_stored:
                self._look_away()
            tell(is_stored)
        return asked if is_stored else None

    def _may_tell(self, asked: Asked) -> bool:
        """Tell whether the answer is in memory, and nobody's rights have changed."""
        are_rights_same = self.engine.access_changes == self._access_changes
        return bool(asked.settled) and are_rights_same

    def _look_back(self, asked: Asked) -> None:
        """Look for earlier questions while the answer is written."""
        self._reading = asyncio.ensure_future(
            read_earlier(self._reads, self._actor, asked)
        )
        self._reading.add_done_callback(_noted)

    def _look_away(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _answers(self, session: Session) -> AnswersService:
        return AnswersService(
            session, self._actor, self._max_characters, has_model=self._has_model
        )


def _noted(reading: asyncio.Future[dict[UUID, str]]) -> None:
    """Take note of a failure that nobody waits for: the answer failed before."""
    if not reading.cancelled():
        reading.exception()
