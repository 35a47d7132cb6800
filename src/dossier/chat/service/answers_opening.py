"""The usual question: one statement reads all around it, another one writes it.

What was read goes with the run to its executor, so that nothing is read twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from dossier.chat.service.answers_brief import Brief, Order
from dossier.core.clock import now
from dossier.core.creates import Condition, Creates
from dossier.core.reads import Reads
from dossier.core.tenancy import Actor
from dossier.runs.models import Run
from dossier.runs.service import Holder, add_run


@dataclass(frozen=True, slots=True)
class Opening:
    """A question, and what was read around it before it was stored."""

    question: Question
    row: Mapping[str, Any]

    @property
    def room_id(self) -> UUID | None:
        """The room that stands already."""
        return self.question.room_id

    def brief(self, order: Order, tokens_beside: Callable[[str], int]) -> Brief | None:
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

    def _history(self, tokens_beside: Callable[[str], int]) -> History | None:
        """Return the turns that fit; `None` where the summary or more may be above."""
        told = orjson.loads(self.row["told"] or "[]")
        if not told:
            return History(None, (), None, None)
        ids = [UUID(each["id"]) for each in told]
        through_id = self.row["summary_through_id"]
        is_summed_up = self.row["summary"] is not None and through_id in ids
        if is_summed_up:
            told = told[: ids.index(through_id)]
        filling = WindowFilling(tokens_beside(self.question.message))
        filling.take(_turn(each) for each in told if each["is_told"])
        if self.row["has_more"] and not is_summed_up:
            return None
        window = filling.window()
        if not is_summed_up:
            return History(None, window.turns, window.cut_at, through_id)
        return History(self.row["summary"], window.turns, window.cut_at, through_id)


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


class OpeningWriter:
    """Takes all rows of a question along, to be stored together."""

    def __init__(self, creates: Creates, actor: Actor, holder: Holder) -> None:
        self._creates = creates
        self._actor = actor
        self._holder = holder
        self._trail = ActivityRecorder(creates, actor)

    async def add(self, opening: Opening) -> tuple[Asked, Condition | None]:
        """Add room, question, answer to come, run and trail, and say what must hold."""
        at = next_instant(now(), opening.row["newest_at"])
        room_id = opening.room_id
        condition = None
        if room_id is None:
            room_id = await self._add_room(opening, at)
        else:
            condition = gateway.room_as_read(opening.row, at)
        said = self._said(opening, room_id, at)
        answer = self._answer(opening, said)
        run = self._run(opening, said, answer)
        answer.run_id = run.id
        gone = {gateway.GONE: ChatRoomNotFoundError(room_id)}
        self._creates.add(said, gone)
        self._creates.add(answer)
        await self._trail.record(
            "create",
            messages.ENTITY,
            said.id,
            details={"room_id": str(room_id), "attachments": 0},
        )
        return _asked(opening, said, answer, run), condition

    async def _add_room(self, opening: Opening, at: Any) -> UUID:
        org_id, owner_id = self._actor.org_id, opening.row["profile_id"]
        room = ChatRoom(
            org_id=org_id,
            kind=RoomKind.PRIVATE,
            title=wording.title_of(opening.question.message),
            created_by=owner_id,
            active_at=at,
        )
        member = ChatMember(
            org_id=org_id, room_id=room.id, profile_id=owner_id, role=MemberRole.OWNER
        )
        joined = ChatRoomPersona(
            org_id=org_id,
            room_id=room.id,
            virtual_user_id=opening.row["persona_id"],
            joined_at=at,
        )
        for row in (room, member, joined):
            self._creates.add(row)
        kind = {"kind": RoomKind.PRIVATE.value}
        await self._trail.record("create", rooms.ENTITY, room.id, details=kind)
        return room.id

    def _said(self, opening: Opening, room_id: UUID, at: Any) -> ChatMessage:
        return ChatMessage(
            org_id=self._actor.org_id,
            created_at=at,
            room_id=room_id,
            parent_id=opening.row["newest_id"],
            profile_id=opening.row["profile_id"],
            text=opening.question.message,
        )

    def _answer(self, opening: Opening, said: ChatMessage) -> ChatMessage:
        return ChatMessage(
            org_id=self._actor.org_id,
            created_at=next_instant(now(), said.created_at),
            room_id=said.room_id,
            parent_id=said.id,
            virtual_user_id=opening.row["persona_id"],
            state=MessageState.PENDING,
        )

    def _run(self, opening: Opening, said: ChatMessage, answer: ChatMessage) -> Run:
        terms = opening.question.terms
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
    )
