"""What is known of a question before it is answered, read in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.chat.constants import AnswerScope, History
from dossier.chat.exceptions import ChatMessageNotFoundError
from dossier.chat.gateway import messages as gateway
from dossier.chat.models import ChatMessage, VirtualUser
from dossier.chat.service.history import HistoryService
from dossier.chat.service.scopes import ScopesService
from dossier.chat.service.seats import Seats
from dossier.chat.service.views import senders_of
from dossier.core.database import Session
from dossier.core.tenancy import Actor

TokensBeside = Callable[[str, Mapping[str, Any]], int]
"""How much of the past fits beside a question and a persona's manner."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run was started with."""

    room_id: UUID
    question_id: UUID
    answer_id: UUID
    engine: str
    """`auto`, `model` or `extractive`."""
    grounding: str
    """`papers` or `none`."""
    is_anew: bool = False
    """Not to be answered from memory."""

    @classmethod
    def of(cls, written: dict[str, Any]) -> "Order":
        """Read a run's input."""
        return cls(
            room_id=UUID(written["room_id"]),
            question_id=UUID(written["question_id"]),
            answer_id=UUID(written["answer_id"]),
            engine=written["engine"],
            grounding=written["grounding"],
            is_anew=bool(written.get("is_anew")),
        )

    def written(self) -> dict[str, Any]:
        """Return the input of a run."""
        return {
            "is_anew": self.is_anew,
            "room_id": str(self.room_id),
            "question_id": str(self.question_id),
            "answer_id": str(self.answer_id),
            "engine": self.engine,
            "grounding": self.grounding,
        }


@dataclass(frozen=True, slots=True)
class Brief:
    """A question with all that its answer depends on, but for the papers."""

    order: Order
    question: str
    asker: str
    """The name of whoever asks, as messages show it."""
    persona_id: UUID
    persona: dict[str, Any]
    history: History
    scope: AnswerScope


class BriefsService:
    """Reads what whoever asks, and the virtual user, may both see."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def read(self, order: Order, tokens_beside: TokensBeside) -> Brief:
        """Return the brief of an answer that is to be written.

        `tokens_beside` says how much of the past fits beside a question.
        """
        seat = await Seats(self._session, self._actor).take(order.room_id)
        question = await self._message(order.room_id, order.question_id)
        answer = await self._message(order.room_id, order.answer_id)
        if answer.virtual_user_id is None:
            raise ChatMessageNotFoundError(answer.id)
        scopes = ScopesService(self._session, self._actor)
        persona, scope = await scopes.scope_at(
            seat, answer.virtual_user_id, leaf_id=question.id
        )
        manner = _manner(persona)
        room_tokens = tokens_beside(question.text, manner)
        return Brief(
            order=order,
            question=question.text,
            asker=await self._asker(question),
            persona_id=persona.id,
            persona=manner,
            history=await self._history(question, room_tokens),
            scope=scope,
        )

    async def _asker(self, question: ChatMessage) -> str:
        senders = await senders_of(self._session, self._actor.org_id, [question])
        return senders.of(question).name

    async def _history(self, question: ChatMessage, limit_tokens: int) -> History:
        if question.parent_id is None:
            return History(None, (), None, None)
        return await HistoryService(self._session, self._actor).history(
            question.room_id, question.parent_id, limit_tokens
        )

    async def _message(self, room_id: UUID, message_id: UUID) -> ChatMessage:
        found = await gateway.get_message_for_org(
            self._session, self._actor.org_id, room_id, message_id
        )
        if found is None or found.deleted_at is not None:
            raise ChatMessageNotFoundError(message_id)
        return found


def _manner(persona: VirtualUser) -> dict[str, Any]:
    return {
        "name": persona.name,
        "personality": persona.personality,
        "tone": persona.tone,
        "knowledge_areas": ", ".join(persona.knowledge_areas),
        "backstory": persona.backstory,
        "language": persona.language,
    }
