"""The usual question: one statement reads all around it, another one writes it.

What was read goes with the run to its executor, so that nothing is read twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from dossier.activity.service import ActivityRecorder
from dossier.chat.constants import (
    AnswerScope,
    History,
    MemberRole,
    MessageState,
    RoomKind,
    SettledAnswer,
    Turn,
)
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.gateway import openings as gateway
from dossier.chat.models import ChatMember, ChatMessage, ChatRoom, ChatRoomPersona
from dossier.chat.rules import wording
from dossier.chat.rules.order import next_instant
from dossier.chat.rules.window import WindowFilling
from dossier.chat.service import messages, rooms
from dossier.chat.service.answers import KIND, Asked, Question
from dossier.chat.service.answers_brief import Brief, Order, TokensBeside
from dossier.core.creates import Condition, Creates
from dossier.core.models import new_id
from dossier.core.reads import Reads
from dossier.core.tenancy import Actor
from dossier.runs.models import Run
from dossier.runs.service import Holder, add_run


@dataclass(frozen=True, slots=True)
class Opening:
    """A question, and what was read around it before it was stored."""

    question: Question
    row: Mapping[str, Any]
    """Where the answer meets these rows, if somebody waits for it."""
    settled: list[SettledAnswer] = field(default_factory=list)
    """What came of it; written by the executor for whoever waits."""

    @property
    def room_id(self) -> UUID | None:
        """The room that stands already."""
        return self.question.room_id

    def brief(self, order: Order, tokens_beside: TokensBeside) -> Brief | None:
        """Return the brief of the answer; `None` where not enough was read for it."""
        history = self._history(tokens_beside)
        if history is None:
            return None
        attached = orjson.loads(self.row["attached"] or "[]")
        scope = AnswerScope(
            room_id=order.room_id,
            product_id=self.row["product_id"],
            attached_ids=tuple(dict.fromkeys(map(UUID, attached))),
        )
        return Brief(
            order=order,
            question=self.question.message,
            asker=self.row["asker"],
            persona_id=self.row["persona_id"],
            persona=self._manner(),
            history=history,
            scope=scope,
        )

    def _manner(self) -> dict[str, Any]:
        names = ("name", "personality", "tone")
        return {
            **{name: self.row[name] for name in names},
            "knowledge_areas": ", ".join(self.row["knowledge_areas"]),
            "backstory": self.row["backstory"],
            "language": self.row["language"],
        }

    def _history(self, tokens_beside: TokensBeside) -> History | None:
        """Return the turns that fit; `None` where the summary or more may be above."""
        told = orjson.loads(self.row["told"] or "[]")
        if not told:
            return History(None, (), None, None)
        ids = [UUID(each["id"]) for each in told]
        through_id = self.row["summary_through_id"]
        is_summed_up = self.row["summary"] is not None and through_id in ids
        if is_summed_up:
            told = told[: ids.index(through_id)]
        limit_tokens = tokens_beside(self.question.message, self._manner())
        filling = WindowFilling(limit_tokens)
        filling.take(_turn(each) for each in told if each["is_told"])
        if self.row["has_more"] and not is_summed_up:
            return None
        window = filling.window()
        summary = self.row["summary"] if is_summed_up else None
        return History(summary, window.turns, window.cut_at, through_id, limit_tokens)


def _turn(told: Mapping[str, Any]) -> Turn:
    role = "assistant" if told["is_persona"] else "user"
    return Turn(UUID(told["id"]), role, told["name"], told["text"])


def is_usual(question: Question, max_characters: int) -> bool:
    """Tell whether a question may be asked at once; else another way says why not."""
    is_sayable = not wording.is_blank(question.message)
    is_short = len(question.message) <= max_characters
    return is_sayable and is_short and not question.document_ids


async def read_opening(
    reads: Reads, actor: Actor, question: Question
) -> Opening | None:
    """Return what stands around a question; `None` where it takes the longer way."""
    asker = (actor.user_id, question.room_id, question.virtual_user_id)
    row = await gateway.read_opening_for_org(reads, actor.org_id, asker)
    return None if row is None else Opening(question, row)


@dataclass(frozen=True, slots=True)
class _Draft:
    """The rows of a question that need no look at its room."""

    said: ChatMessage
    answer: ChatMessage
    run: Run


class OpeningWriter:
    """Takes all rows of a question along, to be stored together."""

    def __init__(self, creates: Creates, actor: Actor, holder: Holder) -> None:
        self._creates = creates
        self._actor = actor
        self._holder = holder
        self._trail = ActivityRecorder(creates, actor)
        self._draft: _Draft | None = None

    async def draft(self, question: Question) -> None:
        """Make what needs no look at the room, while somebody looks there."""
        org_id, is_first = self._actor.org_id, question.room_id is None
        room_id = question.room_id or new_id()
        said = ChatMessage(org_id=org_id, room_id=room_id, text=question.message)
        answer = ChatMessage(
            org_id=org_id,
            room_id=room_id,
            parent_id=said.id,
            state=MessageState.PENDING,
        )
        run = self._run(question, said, answer)
        answer.run_id = run.id
        if is_first:
            kind = {"kind": RoomKind.PRIVATE.value}
            await self._trail.record("create", rooms.ENTITY, room_id, details=kind)
        told = {"room_id": str(room_id), "attachments": 0}
        await self._trail.record("create", messages.ENTITY, said.id, details=told)
        self._draft = _Draft(said, answer, run)

    async def add(self, opening: Opening) -> tuple[Asked, Condition | None]:
        """Add room, question, answer to come, run and trail, and say what must hold."""
        if self._draft is None:
            await self.draft(opening.question)
        assert self._draft is not None  # noqa: S101 - made a line above
        said, answer, run = self._draft.said, self._draft.answer, self._draft.run
        said.created_at = next_instant(said.created_at, opening.row["newest_at"])
        said.parent_id = opening.row["newest_id"]
        said.profile_id = opening.row["profile_id"]
        answer.created_at = next_instant(answer.created_at, said.created_at)
        answer.virtual_user_id = opening.row["persona_id"]
        condition = None
        if opening.room_id is None:
            self._add_room(opening, said)
        else:
            condition = gateway.room_as_read(opening.row, said.created_at)
        gone = {gateway.GONE: ChatRoomNotFoundError(said.room_id)}
        self._creates.add(said, gone)
        self._creates.add(answer)
        return _asked(opening, said, answer, run), condition

    def _add_room(self, opening: Opening, said: ChatMessage) -> None:
        org_id, owner_id = self._actor.org_id, opening.row["profile_id"]
        room = ChatRoom(
            org_id=org_id,
            id=said.room_id,
            created_at=said.created_at,
            kind=RoomKind.PRIVATE,
            title=wording.title_of(opening.question.message),
            created_by=owner_id,
            active_at=said.created_at,
        )
        member = ChatMember(
            org_id=org_id, room_id=room.id, profile_id=owner_id, role=MemberRole.OWNER
        )
        joined = ChatRoomPersona(
            org_id=org_id,
            room_id=room.id,
            virtual_user_id=opening.row["persona_id"],
            joined_at=said.created_at,
        )
        for row in (room, member, joined):
            self._creates.add(row)

    def _run(self, question: Question, said: ChatMessage, answer: ChatMessage) -> Run:
        terms = question.terms
        order = Order(said.room_id, said.id, answer.id, terms.engine, terms.grounding)
        return add_run(
            self._creates,
            self._actor,
            KIND,
            input=order.written(),
            subject_id=said.room_id,
            holder=self._holder,
        )


def _asked(opening: Opening, said: ChatMessage, answer: ChatMessage, run: Run) -> Asked:
    return Asked(
        room_id=answer.room_id,
        question=said,
        answer_id=answer.id,
        persona_id=opening.row["persona_id"],
        persona_name=opening.row["name"],
        run=run,
        settled=opening.settled,
    )
