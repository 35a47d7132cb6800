"""Reading a room: one branch at a time, and messages as their readers see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.constants import MAX_PATH, MessageState, Rating, RoomKind
from dossier.chat.exceptions import ChatMessageNotFoundError
from dossier.chat.gateway import messages as message_gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.models import (
    ChatAttachment,
    ChatFeedback,
    ChatMessage,
    ChatProfile,
    ChatRoom,
    VirtualUser,
)
from dossier.chat.service.rooms import Memberships, RoomsService
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor


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
        self._known = {
            each.id: Sender(
                kind="user",
                name=each.display_name,
                user_id=each.user_id,
                virtual_user_id=None,
            )
            for each in profiles
        } | {
            each.id: Sender(
                kind="virtual_user",
                name=each.name,
                user_id=None,
                virtual_user_id=each.id,
            )
            for each in personas
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
    """Return messages as one reader sees them; without a reader, without ratings."""
    ids = [each.id for each in messages]
    senders = await senders_of(session, org_id, messages)
    sent = await message_gateway.list_attachments_for_org(session, org_id, ids)
    rated: Sequence[ChatFeedback] = ()
    if reader_id is not None:
        rated = await message_gateway.list_feedback_for_org(
            session, org_id, ids, reader_id
        )
    ratings = {each.message_id: each for each in rated}
    attached: dict[UUID, list[ChatAttachment]] = {each: [] for each in ids}
    for each in sent:
        attached[each.message_id].append(each)
    return [
        MessageView(
            id=message.id,
            room_id=message.room_id,
            parent_id=message.parent_id,
            created_at=message.created_at,
            sender=senders.of(message),
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
            attachments=attached[message.id],
            feedback=ratings.get(message.id),
        )
        for message in messages
    ]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Part of a branch, its end first, and where the earlier part ends."""

    items: list[MessageView]
    next_cursor: UUID | None


@dataclass(frozen=True, slots=True)
class Branch:
    """A message that stands beside others, and the newest end behind it."""

    message: MessageView
    leaf_id: UUID


class BranchesService:
    """The branches of rooms where the caller is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._rooms = RoomsService(session, actor)
        self._activity = ActivityService(session, actor)

    async def page(
        self, room_id: UUID, leaf_id: UUID | None, limit: int
    ) -> MessagePage:
        """Return the branch up to a message; without one, that last written on."""
        membership = await self._memberships.get(room_id)
        path = await self._path(room_id, leaf_id, limit + 1)
        items = await self._views(path[:limit], membership.member.profile_id)
        return MessagePage(items, path[limit].id if len(path) > limit else None)

    async def get_message(self, message_id: UUID) -> MessageView:
        """Return one message."""
        seen = await self._memberships.get_message(message_id)
        return await self.view(seen.message, seen.membership.member.profile_id)

    async def view(self, message: ChatMessage, reader_id: UUID | None) -> MessageView:
        """Return a message as a reader sees it."""
        return (await self._views([message], reader_id))[0]

    async def siblings(self, message_id: UUID) -> list[Branch]:
        """Return the versions that stand in a message's place, the oldest first."""
        seen = await self._memberships.get_message(message_id)
        beside = await message_gateway.list_siblings_for_org(
            self._session,
            self._actor.org_id,
            seen.message.room_id,
            seen.message.parent_id,
        )
        views = await self._views(beside, seen.membership.member.profile_id)
        leaves = await message_gateway.list_leaves_for_org(
            self._session,
            self._actor.org_id,
            seen.message.room_id,
            [each.id for each in beside],
        )
        return [Branch(each, leaves[each.id]) for each in views]

    async def branch_off(self, message_id: UUID, title: str | None) -> ChatRoom:
        """Copy the branch so far into a new private room of the caller."""
        seen = await self._memberships.get_message(message_id)
        origin = seen.membership.room
        path = await self._path(origin.id, message_id, MAX_PATH)
        made = await self._rooms.create_room(
            RoomKind.PRIVATE, title or origin.title, origin.product_id
        )
        made.room.branched_from_id = message_id
        # The messages are copied, so that neither room changes with the other.
        new_ids = {each.id: new_id() for each in path}
        copies = [_copied(each, made.room, new_ids) for each in reversed(path)]
        await message_gateway.add_messages(self._session, copies)
        sent = await message_gateway.list_attachments_for_org(
            self._session, self._actor.org_id, list(new_ids)
        )
        rows = [
            {
                "org_id": each.org_id,
                "message_id": new_ids[each.message_id],
                "document_id": each.document_id,
                "filename": each.filename,
            }
            for each in sent
        ]
        await message_gateway.add_attachments(self._session, rows)
        return made.room

    async def _path(
        self, room_id: UUID, leaf_id: UUID | None, limit: int
    ) -> Sequence[ChatMessage]:
        org_id = self._actor.org_id
        if leaf_id is None:
            newest = await message_gateway.get_newest_message_for_org(
                self._session, org_id, room_id
            )
            if newest is None:
                return ()
            leaf_id = newest.id
        path = await message_gateway.list_path_for_org(
            self._session, org_id, room_id, leaf_id, limit
        )
        if not path:
            raise ChatMessageNotFoundError(leaf_id)
        return path

    async def _views(
        self, messages: Sequence[ChatMessage], reader_id: UUID | None
    ) -> list[MessageView]:
        return await views_of(self._session, self._actor.org_id, messages, reader_id)


def _copied(
    message: ChatMessage, room: ChatRoom, new_ids: dict[UUID, UUID]
) -> ChatMessage:
    is_pending = message.state == MessageState.PENDING  # no job finishes the copy
    return ChatMessage(
        id=new_ids[message.id],
        org_id=message.org_id,
        created_at=message.created_at,
        room_id=room.id,
        parent_id=new_ids.get(message.parent_id) if message.parent_id else None,
        profile_id=message.profile_id,
        virtual_user_id=message.virtual_user_id,
        text=message.text,
        state=MessageState.INCOMPLETE if is_pending else message.state,
        citations=message.citations,
        engine=message.engine,
        dropped_claims=message.dropped_claims,
        version=message.version,
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
    )
