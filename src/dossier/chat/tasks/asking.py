"""Asks in a transaction of its own, so that what follows holds no connection."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from dossier.chat.gateway import seats as seats_gateway
from dossier.chat.service.answers import (
    Answered,
    AnswersService,
    Asked,
    Question,
    answered_by,
    read_answered,
    read_earlier,
)
from dossier.chat.service.answers_first import (
    Acquaintances,
    store_first,
    write_as_known,
)
from dossier.chat.service.answers_opening import (
    Opening,
    Writing,
    is_usual,
    read_opening,
    write_opening,
)
from dossier.chat.service.answers_terms import Wish, require_model
from dossier.core.creates import Condition, create_for
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.reads import read_for
from dossier.core.tenancy import Actor
from dossier.runs.constants import FINISHED
from dossier.runs.models import Run
from dossier.runs.service import RunEngine


class Asking:
    """The questions of one request; each step commits before the next waits."""

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        engine: RunEngine,
        max_characters: int,
        *,
        has_model: bool,
        is_welcome: Callable[[], Awaitable[bool]],
        acquaintances: Acquaintances,
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._max_characters = max_characters
        self._has_model = has_model
        self._is_welcome = is_welcome
        self._acquaintances = acquaintances
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

    async def may_follow(self, run: Run) -> bool:
        """Tell whether one is still let in, and still a member of the run's room.

        Asked of every stream time and again, so in one round trip.
        """
        if run.subject_id is None or not await self._is_welcome():
            return False
        actor = self._actor
        return await seats_gateway.is_member_for_org(
            self._reads, actor.org_id, run.subject_id, actor.user_id
        )

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
        """Read and write in one statement or two; `None` where that cannot be.

        It cannot where anything is out of the ordinary, or the room changed meanwhile.
        """
        writing, room_id = self._writing(), question.room_id
        if room_id is None:
            return await self._ask_first(writing, question, looks_back=looks_back)
        return await self._ask_in_room(
            writing, question, room_id, looks_back=looks_back
        )

    async def _ask_first(
        self, writing: Writing, question: Question, *, looks_back: bool
    ) -> Asked | None:
        known = self._acquaintances.get(self._actor, question)
        if known is not None:
            opening, asked, condition = await write_as_known(writing, question, known)
            stored = self._store_beside(writing, opening, asked, condition)
            if await stored:
                return self._looking_back(asked, looks_back=looks_back)
            self._acquaintances.drop(self._actor, question)  # they have changed
            writing = self._writing()
        return await self._ask_stranger(writing, question, looks_back=looks_back)

    async def _ask_stranger(
        self, writing: Writing, question: Question, *, looks_back: bool
    ) -> Asked | None:
        stored = await store_first(writing, question)
        if stored is None:
            return None
        opening, asked = stored
        self.engine.adopt(asked.run, opening)
        self._acquaintances.put(self._actor, question, opening.row)
        return self._looking_back(asked, looks_back=looks_back)

    async def _ask_in_room(
        self, writing: Writing, question: Question, room_id: UUID, *, looks_back: bool
    ) -> Asked | None:
        reading = asyncio.ensure_future(
            read_opening(self._reads, self._actor, question, room_id)
        )
        try:
            await asyncio.sleep(0)  # it is on its way: rows are made meanwhile
            draft = await writing.draft(question, room_id)
            opening = await reading
        finally:
            reading.cancel()
        if opening is None:
            return None
        asked, condition = await write_opening(writing, draft, opening)
        is_stored = await self._store_beside(writing, opening, asked, condition)
        return self._looking_back(asked, looks_back=looks_back) if is_stored else None

    async def _store_beside(
        self, writing: Writing, opening: Opening, asked: Asked, condition: Condition
    ) -> bool:
        """Store, and let the run begin; `False` where the condition does not hold.

        The model is asked while the rows are on their way to the disk; no word of it is
        shown before they stand.
        """
        tell = self.engine.adopt_early(asked.run, opening)
        is_stored = False
        try:
            is_stored = await writing.creates.store(condition)
        finally:
            tell(is_stored)
        if not is_stored:  # what its call had set aside is wanted for the next one
            await tell.until_left()
        return is_stored

    def _writing(self) -> Writing:
        creates = create_for(self._sessions, self._actor)
        return Writing(creates, self._actor, self.engine.holder)

    def _may_tell(self, asked: Asked) -> bool:
        """Tell whether the answer is in memory, and nobody's rights have changed."""
        are_rights_same = self.engine.access_changes == self._access_changes
        return bool(asked.settled) and are_rights_same

    def _looking_back(self, asked: Asked, *, looks_back: bool) -> Asked:
        """Look for earlier questions, where wanted, while the answer is written."""
        if looks_back:
            self._look_back(asked)
        return asked

    def _look_back(self, asked: Asked) -> None:
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
