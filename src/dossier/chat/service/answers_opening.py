"""The usual question in a room: one statement reads all around it, one writes it.

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
    MessageState,
    SettledAnswer,
    Turn,
)
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.gateway import openings as gateway
from dossier.chat.models import ChatMessage
from dossier.chat.rules import wording
from dossier.chat.rules.order import next_instant
from dossier.chat.rules.window import WindowFilling
from dossier.chat.service import messages
from dossier.chat.service.answers import KIND, Asked, Question
from dossier.chat.service.answers_brief import Brief, Order, TokensBeside
from dossier.core.clock import now
from dossier.core.creates import Condition, Creates, fresh
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
    reads: Reads, actor: Actor, question: Question, room_id: UUID
) -> Opening | None:
    """Return what stands around a question; `None` where it takes the longer way."""
    asker = (actor.user_id, room_id, question.virtual_user_id)
    row = await gateway.read_opening_for_org(reads, actor.org_id, asker)
    return None if row is None else Opening(question, row)


@dataclass(frozen=True, slots=True)
class Draft:
    """What of a question needs no look at its room: its run, and which rows will be."""

    room_id: UUID
    said_id: UUID
    answer_id: UUID
    run: Run

    def asked(self, opening: Opening, said: ChatMessage) -> Asked:
        """Return the question with the run that answers it."""
        return Asked(
            room_id=self.room_id,
            question=said,
            answer_id=self.answer_id,
            persona_id=opening.row["persona_id"],
            persona_name=opening.row["name"],
            run=self.run,
            settled=opening.settled,
        )


@dataclass(frozen=True, slots=True)
class Writing:
    """Where the rows of a question go, and in whose name."""

    creates: Creates
    actor: Actor
    holder: Holder

    @property
    def trail(self) -> ActivityRecorder:
        """Return what writes the trail beside them."""
        return ActivityRecorder(self.creates, self.actor)

    async def draft(self, question: Question, room_id: UUID) -> Draft:
        """Take the run along, and the trail of the question."""
        said_id, answer_id, terms = new_id(), new_id(), question.terms
        order = Order(room_id, said_id, answer_id, terms.engine, terms.grounding)
        run = add_run(
            self.creates,
            self.actor,
            KIND,
            input=order.written(),
            subject_id=room_id,
            holder=self.holder,
        )
        told = {"room_id": str(room_id), "attachments": 0}
        await self.trail.record("create", messages.ENTITY, said_id, details=told)
        return Draft(room_id, said_id, answer_id, run)

    def said(self, draft: Draft, text: str, **more: Any) -> ChatMessage:
        """Return the question's row."""
        return self._message(draft, id=draft.said_id, text=text, **more)

    def answer(self, draft: Draft, said: ChatMessage, **more: Any) -> ChatMessage:
        """Return the row of the answer to come."""
        return self._message(
            draft,
            id=draft.answer_id,
            created_at=next_instant(said.created_at, said.created_at),
            parent_id=said.id,
            state=MessageState.PENDING,
            run_id=draft.run.id,
            **more,
        )

    def _message(self, draft: Draft, **members: Any) -> ChatMessage:
        org_id, room_id = self.actor.org_id, draft.room_id
        return fresh(ChatMessage, org_id=org_id, room_id=room_id, **members)


async def write_opening(
    writing: Writing, draft: Draft, opening: Opening
) -> tuple[Asked, Condition]:
    """Take question and answer to come along, and say what must hold."""
    row = opening.row
    said = writing.said(
        draft,
        opening.question.message,
        created_at=next_instant(now(), row["newest_at"]),
        parent_id=row["newest_id"],
        profile_id=row["profile_id"],
    )
    answer = writing.answer(draft, said, virtual_user_id=row["persona_id"])
    gone = {gateway.GONE: ChatRoomNotFoundError(draft.room_id)}
    writing.creates.add(said, gone)
    writing.creates.add(answer)
    condition = gateway.room_as_read(row, said.created_at)
    return draft.asked(opening, said), condition
