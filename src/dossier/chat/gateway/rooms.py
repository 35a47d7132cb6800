"""Queries on rooms, their members and virtual users, and shared links.

`where_member` is the condition that every read of rooms and messages joins.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import BindParameter, Select, Uuid, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from dossier.chat.models import (
    ChatMember,
    ChatMessage,
    ChatProfile,
    ChatRoom,
    ChatRoomPersona,
    ChatShare,
    VirtualUser,
)
from dossier.chat.schemas import RoomResponse
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect
from dossier.documents.models import Document

Columns = TypeVarTuple("Columns")


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
    query: Select[*Columns],
    org_id: UUID | BindParameter[UUID],
    user_id: UUID | BindParameter[UUID] | None,
) -> Select[*Columns]:
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


_ROOMS = where_member(
    select(*(getattr(ChatRoom, name) for name in RoomResponse.model_fields)),
    ORG_ID,
    bindparam("user_id", type_=Uuid()),
)
_LAST_USED = _ROOMS.order_by(ChatRoom.active_at.desc(), ChatRoom.id.desc())
_LIST = TenantPage(_LAST_USED.where(ChatRoom.archived_at.is_(None)))
_ARCHIVED = TenantPage(_LAST_USED.where(ChatRoom.archived_at.is_not(None)))
_ONE = TenantSelect(_ROOMS.where(ChatRoom.id == bindparam("room_id")))


async def add_room(session: Session, room: ChatRoom) -> None:
    """Insert a room."""
    session.add(room)
    await session.flush()


async def add_member(session: Session, member: ChatMember) -> None:
    """Insert a person's place in a room."""
    session.add(member)
    await session.flush()


async def list_rooms_for_org(
    reader: TenantReader,
    org_id: UUID,
    user_id: UUID | None,
    page: PageParams,
    *,
    is_archived: bool,
) -> Slice[Row]:
    """Return one page of a person's rooms, the last used first."""
    listed = _ARCHIVED if is_archived else _LIST
    return await reader.page(listed, org_id, page, user_id=user_id)


async def read_room_for_org(
    reader: TenantReader, org_id: UUID, room_id: UUID, user_id: UUID | None
) -> Row | None:
    """Return a room where a person is a member, else `None`."""
    return await reader.row(_ONE, org_id, room_id=room_id, user_id=user_id)


async def delete_room_for_org(session: Session, org_id: UUID, room_id: UUID) -> None:
    """Delete a room with everything in it."""
    await session.execute(
        delete(ChatRoom).where(ChatRoom.org_id == org_id, ChatRoom.id == room_id)
    )


async def list_members_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> Sequence[tuple[ChatMember, ChatProfile]]:
    """Return the people in a room, in the order of joining."""
    query = _members(org_id, room_id).order_by(ChatMember.created_at, ChatMember.id)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def add_persona_to_room(
    session: Session, org_id: UUID, room_id: UUID, virtual_user_id: UUID
) -> bool:
    """Add a virtual user to a room; return whether it is new there."""
    statement = (
        insert(ChatRoomPersona)
        .values(
            org_id=org_id,
            room_id=room_id,
            virtual_user_id=virtual_user_id,
            joined_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(ChatRoomPersona.virtual_user_id)
    )
    return await session.scalar(statement) is not None


async def delete_persona_from_room_for_org(
    session: Session, org_id: UUID, room_id: UUID, virtual_user_id: UUID
) -> bool:
    """Remove a virtual user from a room; return whether it was there."""
    statement = (
        delete(ChatRoomPersona)
        .where(
            ChatRoomPersona.org_id == org_id,
            ChatRoomPersona.room_id == room_id,
            ChatRoomPersona.virtual_user_id == virtual_user_id,
        )
        .returning(ChatRoomPersona.virtual_user_id)
    )
    return await session.scalar(statement) is not None


async def delete_member_for_org(
    session: Session, org_id: UUID, room_id: UUID, profile_id: UUID
) -> None:
    """Remove a person from a room, with the person's virtual users."""
    await session.execute(
        delete(ChatMember).where(
            ChatMember.org_id == org_id,
            ChatMember.room_id == room_id,
            ChatMember.profile_id == profile_id,
        )
    )
    owned = select(VirtualUser.id).where(
        VirtualUser.org_id == org_id, VirtualUser.owner_id == profile_id
    )
    await session.execute(
        delete(ChatRoomPersona).where(
            ChatRoomPersona.org_id == org_id,
            ChatRoomPersona.room_id == room_id,
            ChatRoomPersona.virtual_user_id.in_(owned),
        )
    )


async def get_member_for_org(
    session: Session, org_id: UUID, room_id: UUID, user_id: UUID
) -> tuple[ChatMember, ChatProfile] | None:
    """Return a person's place in a room."""
    query = _members(org_id, room_id).where(ChatProfile.user_id == user_id)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])


async def delete_personas_from_rooms_for_org(
    session: Session, org_id: UUID, virtual_user_id: UUID
) -> None:
    """Remove a virtual user from all rooms."""
    await session.execute(
        delete(ChatRoomPersona).where(
            ChatRoomPersona.org_id == org_id,
            ChatRoomPersona.virtual_user_id == virtual_user_id,
        )
    )


async def get_room_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> ChatRoom | None:
    """Return a room without asking for a membership; only for shared links."""
    query = select(ChatRoom).where(ChatRoom.org_id == org_id, ChatRoom.id == room_id)
    return (await session.scalars(query)).one_or_none()


def _members(org_id: UUID, room_id: UUID) -> Select[ChatMember, ChatProfile]:
    return (
        select(ChatMember, ChatProfile)
        .join(
            ChatProfile,
            (ChatProfile.org_id == ChatMember.org_id)
            & (ChatProfile.id == ChatMember.profile_id),
        )
        .where(
            ChatMember.org_id == org_id,
            ChatMember.room_id == room_id,
            ChatProfile.org_id == org_id,
        )
    )


async def add_share(session: Session, share: ChatShare) -> None:
    """Insert a link."""
    session.add(share)
    await session.flush()


async def list_shares_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> Sequence[ChatShare]:
    """Return the links of a room, the newest first."""
    query = (
        select(ChatShare)
        .where(ChatShare.org_id == org_id, ChatShare.room_id == room_id)
        .order_by(ChatShare.created_at.desc(), ChatShare.id.desc())
    )
    return (await session.scalars(query)).all()


async def list_live_shares_for_org(
    session: Session, org_id: UUID, at: datetime
) -> list[tuple[ChatShare, str]]:
    """Return all links that have not ended, with their makers' names, newest first."""
    query = (
        select(ChatShare, ChatProfile.display_name)
        .join(
            ChatProfile,
            (ChatProfile.org_id == ChatShare.org_id)
            & (ChatProfile.id == ChatShare.created_by),
        )
        .where(
            ChatShare.org_id == org_id,
            ChatProfile.org_id == org_id,
            ChatShare.revoked_at.is_(None),
            ChatShare.expires_at > at,
        )
        .order_by(ChatShare.created_at.desc(), ChatShare.id.desc())
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def get_maker_of_share_for_org(
    session: Session, org_id: UUID, profile_id: UUID
) -> UUID | None:
    """Return the account of who made a link; `None` where there is no log-in."""
    query = select(ChatProfile.user_id).where(
        ChatProfile.org_id == org_id, ChatProfile.id == profile_id
    )
    return await session.scalar(query)


async def count_readable_documents_for_org(
    session: Session, org_id: UUID, document_ids: Collection[UUID]
) -> int:
    """Return how many of some documents are neither deleted nor archived."""
    query = select(func.count()).where(
        Document.org_id == org_id,
        Document.id.in_(document_ids),
        Document.archived_at.is_(None),
    )
    return await session.scalar(query) or 0


async def get_share_for_org(
    session: Session, org_id: UUID, share_id: UUID
) -> ChatShare | None:
    """Return one link."""
    query = select(ChatShare).where(
        ChatShare.org_id == org_id, ChatShare.id == share_id
    )
    return (await session.scalars(query)).one_or_none()


async def get_live_share_for_org(
    session: Session, org_id: UUID, token_sha256: str, at: datetime
) -> ChatShare | None:
    """Return the link of a token, unless it has ended."""
    query = select(ChatShare).where(
        ChatShare.org_id == org_id,
        ChatShare.token_sha256 == token_sha256,
        ChatShare.revoked_at.is_(None),
        ChatShare.expires_at > at,
    )
    return (await session.scalars(query)).one_or_none()


async def get_org_of_share_for_system(
    session: Session, token_sha256: str
) -> UUID | None:
    """Return the organisation of a token's link; the one query across organisations.

    Needs no system transaction: the database function answers this and no more.
    """
    return await session.scalar(select(func.chat_share_org(token_sha256)))
