"""Who sees what: the one condition that every read of rooms and messages joins."""

from dataclasses import dataclass
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import BindParameter, Select, select

from dossier.chat.models import ChatMember, ChatMessage, ChatProfile, ChatRoom
from dossier.core.database import Session

Row = TypeVarTuple("Row")


@dataclass(frozen=True, slots=True)
class RoomMembership:
    """A room with the membership of the caller."""

    room: ChatRoom
    member: ChatMember


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message together with the membership of the caller."""

    message: ChatMessage
    membership: RoomMembership


def where_member(
    query: Select[*Row],
    org_id: UUID | BindParameter[UUID],
    user_id: UUID | BindParameter[UUID] | None,
) -> Select[*Row]:
    """Narrow a query on rooms to those where a person is a member."""
    return (
        query.join(
            ChatMember,
            (ChatMember.org_id == ChatRoom.org_id)
            & (ChatMember.room_id == ChatRoom.id),
        )
        .join(
            ChatProfile,
            (ChatProfile.org_id == ChatMember.org_id)
            & (ChatProfile.id == ChatMember.profile_id),
        )
        .where(
            ChatRoom.org_id == org_id,
            ChatMember.org_id == org_id,
            ChatProfile.org_id == org_id,
            ChatProfile.user_id.is_not_distinct_from(user_id),
        )
    )


async def get_membership_for_org(
    session: Session, org_id: UUID, room_id: UUID, user_id: UUID | None
) -> RoomMembership | None:
    """Return a room and one's membership; `None` for a person who is no member."""
    query = select(ChatRoom, ChatMember).where(ChatRoom.id == room_id)
    row = (await session.execute(where_member(query, org_id, user_id))).one_or_none()
    return None if row is None else RoomMembership(row[0], row[1])


async def lock_membership_for_org(
    session: Session, org_id: UUID, room_id: UUID, user_id: UUID | None
) -> RoomMembership | None:
    """Return the same with the room's row locked."""
    query = select(ChatRoom, ChatMember).where(ChatRoom.id == room_id)
    locked = where_member(query, org_id, user_id).with_for_update(of=ChatRoom)
    row = (await session.execute(locked)).one_or_none()
    return None if row is None else RoomMembership(row[0], row[1])


async def get_seen_message_for_org(
    session: Session, org_id: UUID, message_id: UUID, user_id: UUID | None
) -> SeenMessage | None:
    """Return a message of a room where a person is a member, else `None`."""
    query = (
        select(ChatMessage, ChatRoom, ChatMember)
        .join(
            ChatRoom,
            (ChatRoom.org_id == ChatMessage.org_id)
            & (ChatRoom.id == ChatMessage.room_id),
        )
        .where(ChatMessage.org_id == org_id, ChatMessage.id == message_id)
    )
    row = (await session.execute(where_member(query, org_id, user_id))).one_or_none()
    return None if row is None else SeenMessage(row[0], RoomMembership(row[1], row[2]))
