"""Who sees what: the one condition that every read of rooms and messages joins."""

from dataclasses import dataclass
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import BindParameter, Select, select

from dossier.chat.models import ChatMember, ChatMessage, ChatProfile, ChatRoom
from dossier.core.database import Session
from dossier.core.reads import Reads, bound

Row = TypeVarTuple("Row")


@dataclass(frozen=True, slots=True)
class Seat:
    """A room together with the membership of whoever asks."""

    room: ChatRoom
    member: ChatMember


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message together with the seat of whoever asks."""

    message: ChatMessage
    seat: Seat


def seated(
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


_IS_MEMBER = bound("""
select from chat_members member
join chat_profiles profile
  on profile.org_id = bound.org_id and profile.id = member.profile_id
where member.org_id = bound.org_id and member.room_id = $2
  and profile.user_id is not distinct from $3
""")


async def is_member_for_org(
    reads: Reads, org_id: UUID, room_id: UUID, user_id: UUID | None
) -> bool:
    """Tell whether a person is a member of a room, in one round trip."""
    return bool(await reads.rows(_IS_MEMBER, org_id, room_id, user_id))


async def get_seat_for_org(
    session: Session, org_id: UUID, room_id: UUID, user_id: UUID | None
) -> Seat | None:
    """Return a room and one's place in it; `None` for whoever is no member."""
    query = select(ChatRoom, ChatMember).where(ChatRoom.id == room_id)
    row = (await session.execute(seated(query, org_id, user_id))).one_or_none()
    return None if row is None else Seat(row[0], row[1])


async def lock_seat_for_org(
    session: Session, org_id: UUID, room_id: UUID, user_id: UUID | None
) -> Seat | None:
    """Return the same, and let nobody else add to the room meanwhile."""
    query = select(ChatRoom, ChatMember).where(ChatRoom.id == room_id)
    locked = seated(query, org_id, user_id).with_for_update(of=ChatRoom)
    row = (await session.execute(locked)).one_or_none()
    return None if row is None else Seat(row[0], row[1])


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
    row = (await session.execute(seated(query, org_id, user_id))).one_or_none()
    return None if row is None else SeenMessage(row[0], Seat(row[1], row[2]))
