"""Messages as their readers see them: with names, attachments and own feedback."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier.chat.constants import MessageState, Rating
from dossier.chat.gateway import feedback as feedback_gateway
from dossier.chat.gateway import messages as gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.models import (
    ChatAttachment,
    ChatFeedback,
    ChatMessage,
    ChatProfile,
    VirtualUser,
)
from dossier.core.database import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who said something: a person or a virtual user."""

    kind: str
    name: str
    user_id: UUID | None
    virtual_user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message with what belongs to it."""

    id: UUID
    room_id: UUID
    parent_id: UUID | None
    created_at: datetime
    sender: Sender
    text: str
    state: MessageState
    run_id: UUID | None
    citations: list[dict[str, Any]]
    engine: dict[str, Any] | None
    dropped_claims: int
    version: int
    supersedes_id: UUID | None
    edited_at: datetime | None
    deleted_at: datetime | None
    attachments: Sequence[ChatAttachment]
    feedback: ChatFeedback | None

    @property
    def my_rating(self) -> Rating | None:
        """What the reader thought of it."""
        return Rating(self.feedback.rating) if self.feedback else None


class Senders:
    """The senders of some messages, read in two statements."""

    def __init__(
        self, profiles: Sequence[ChatProfile], personas: Sequence[VirtualUser]
    ) -> None:
        self._known = {each.id: _person(each) for each in profiles} | {
            each.id: _persona(each) for each in personas
        }

    def of(self, message: ChatMessage) -> Sender:
        """Return who said a message."""
        sender_id = message.profile_id or message.virtual_user_id
        if sender_id is None:
            raise LookupError(message.id)  # the database takes no such message
        return self._known[sender_id]


async def senders_of(
    session: Session, org_id: UUID, messages: Sequence[ChatMessage]
) -> Senders:
    """Return who said some messages, retired virtual users too."""
    profile_ids = {each.profile_id for each in messages if each.profile_id}
    persona_ids = {each.virtual_user_id for each in messages if each.virtual_user_id}
    profiles: Sequence[ChatProfile] = ()
    personas: Sequence[VirtualUser] = ()
    if profile_ids:
        profiles = await people_gateway.list_profiles_for_org(
            session, org_id, sorted(profile_ids)
        )
    if persona_ids:
        personas = await people_gateway.list_virtual_users_named_for_org(
            session, org_id, sorted(persona_ids)
        )
    return Senders(profiles, personas)


async def views_of(
    session: Session,
    org_id: UUID,
    messages: Sequence[ChatMessage],
    reader_id: UUID | None,
) -> list[MessageView]:
    """Return messages as one reader sees them; nobody in particular has no rating."""
    ids = [each.id for each in messages]
    senders = await senders_of(session, org_id, messages)
    sent = await gateway.list_attachments_for_org(session, org_id, ids)
    rated: Sequence[ChatFeedback] = ()
    if reader_id is not None:
        rated = await feedback_gateway.list_feedback_for_org(
            session, org_id, ids, reader_id
        )
    ratings = {each.message_id: each for each in rated}
    attached: dict[UUID, list[ChatAttachment]] = {each: [] for each in ids}
    for each in sent:
        attached[each.message_id].append(each)
    return [
        _view(
            message,
            senders.of(message),
            attached[message.id],
            ratings.get(message.id),
        )
        for message in messages
    ]


def _view(
    message: ChatMessage,
    sender: Sender,
    attachments: Sequence[ChatAttachment],
    feedback: ChatFeedback | None,
) -> MessageView:
    return MessageView(
        id=message.id,
        room_id=message.room_id,
        parent_id=message.parent_id,
        created_at=message.created_at,
        sender=sender,
        text=message.text,
        state=MessageState(message.state),
        run_id=message.run_id,
        citations=message.citations,
        engine=message.engine,
        dropped_claims=message.dropped_claims,
        version=message.version,
        supersedes_id=message.supersedes_id,
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
        attachments=attachments,
        feedback=feedback,
    )


def _person(profile: ChatProfile) -> Sender:
    return Sender(
        kind="user",
        name=profile.display_name,
        user_id=profile.user_id,
        virtual_user_id=None,
    )


def _persona(virtual_user: VirtualUser) -> Sender:
    return Sender(
        kind="virtual_user",
        name=virtual_user.name,
        user_id=None,
        virtual_user_id=virtual_user.id,
    )
