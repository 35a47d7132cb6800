"""The usual first question of a room: one statement reads and writes all of it.

The rows are made before it is known whom they name; what they lack, the statement fills
in. Whoever asked here lately is known: then the statement makes sure that nothing of it
has changed, and the model is asked meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from dossier.chat.constants import MemberRole, RoomKind
from dossier.chat.gateway import openings as gateway
from dossier.chat.models import ChatMember, ChatMessage, ChatRoom, ChatRoomPersona
from dossier.chat.rules import wording
from dossier.chat.service import rooms
from dossier.chat.service.answers import Asked, Question
from dossier.chat.service.answers_opening import Draft, Opening, Writing
from dossier.core.clock import now
from dossier.core.creates import COMPUTED, Condition, fresh
from dossier.core.models import new_id
from dossier.core.tenancy import Actor

MOST_KNOWN: Final = 1_000

_NOBODY = {"profile_id": COMPUTED, "persona_id": COMPUTED}
_READ = {
    "profile_id": {"profile_id": "held.profile_id"},
    "created_by": {"created_by": "held.profile_id"},
    "virtual_user_id": {"virtual_user_id": "held.persona_id"},
}
"""How the statement fills in a column."""


@dataclass(frozen=True, slots=True)
class Acquaintances:
    """Who asked in this process lately, with their virtual user, as it was read.

    Nothing here is believed: the statement that uses it looks whether it still holds.
    """

    _known: dict[tuple[UUID, UUID | None, UUID | None], Mapping[str, Any]] = field(
        default_factory=dict
    )

    def get(self, actor: Actor, question: Question) -> Mapping[str, Any] | None:
        """Return what was read when somebody asked last."""
        return self._known.get((actor.org_id, actor.user_id, question.virtual_user_id))

    def drop(self, actor: Actor, question: Question) -> None:
        """Forget what does not hold any more."""
        self._known.pop((actor.org_id, actor.user_id, question.virtual_user_id), None)

    def put(self, actor: Actor, question: Question, row: Mapping[str, Any]) -> None:
        """Remember what was read."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[actor.org_id, actor.user_id, question.virtual_user_id] = row


async def write_as_known(
    writing: Writing, question: Question, known: Mapping[str, Any]
) -> tuple[Opening, Asked, Condition]:
    """Take a new room and its first question along, and say what must still hold."""
    draft, said = await _written(writing, question, known)
    asker = (writing.actor.user_id, question.virtual_user_id)
    opening = Opening(question, known)
    return opening, draft.asked(opening, said), gateway.same_people(known, *asker)


async def store_first(
    writing: Writing, question: Question
) -> tuple[Opening, Asked] | None:
    """Store a new room with its first question; `None` where that takes longer."""
    draft, said = await _written(writing, question, None)
    asker = (writing.actor.user_id, question.virtual_user_id)
    row = await writing.creates.read_and_store(gateway.usual_people(*asker))
    if row is None:
        return None
    said.profile_id = row["profile_id"]
    opening = Opening(question, dict(row))
    return opening, draft.asked(opening, said)


async def _written(
    writing: Writing, question: Question, known: Mapping[str, Any] | None
) -> tuple[Draft, ChatMessage]:
    """Take all rows along; of people not known the statement fills in the ids."""
    draft = await writing.draft(question, new_id())
    kind = {"kind": RoomKind.PRIVATE.value}
    await writing.trail.record("create", rooms.ENTITY, draft.room_id, details=kind)
    people = known or _NOBODY
    profile_id, persona_id = people["profile_id"], people["persona_id"]
    said = writing.said(
        draft, question.message, created_at=now(), profile_id=profile_id
    )
    answer = writing.answer(draft, said, virtual_user_id=persona_id)
    filled = _READ if known is None else {}
    for row, column in (
        (_room(said, profile_id), "created_by"),
        (_member(said, profile_id), "profile_id"),
        (_joined(said, persona_id), "virtual_user_id"),
        (said, "profile_id"),
        (answer, "virtual_user_id"),
    ):
        writing.creates.add(row, computed=filled.get(column))
    return draft, said


def _room(said: ChatMessage, profile_id: UUID) -> ChatRoom:
    return fresh(
        ChatRoom,
        org_id=said.org_id,
        id=said.room_id,
        created_at=said.created_at,
        kind=RoomKind.PRIVATE,
        title=wording.title_of(said.text),
        created_by=profile_id,
        active_at=said.created_at,
    )


def _member(said: ChatMessage, profile_id: UUID) -> ChatMember:
    return fresh(
        ChatMember,
        org_id=said.org_id,
        room_id=said.room_id,
        profile_id=profile_id,
        role=MemberRole.OWNER,
    )


def _joined(said: ChatMessage, persona_id: UUID) -> ChatRoomPersona:
    return fresh(
        ChatRoomPersona,
        org_id=said.org_id,
        room_id=said.room_id,
        virtual_user_id=persona_id,
        joined_at=said.created_at,
    )
