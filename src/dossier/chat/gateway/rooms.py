"""Every query on rooms, their members and the virtual users in them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from dossier.chat.gateway.memberships import where_member
from dossier.chat.models import (
    ChatMember,
    ChatProfile,
    ChatRoom,
    ChatRoomPersona,
    VirtualUser,
)
from dossier.chat.schemas.rooms import RoomResponse
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect

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
    """Let a virtual user join; tell whether it was not there yet."""
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
    """Let a virtual user leave; tell whether it was there."""
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
    """Let a person leave a room, and the person's virtual users too."""
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
    """Let a virtual user leave all rooms."""
    await session.execute(
        delete(ChatRoomPersona).where(
            ChatRoomPersona.org_id == org_id,
            ChatRoomPersona.virtual_user_id == virtual_user_id,
        )
    )


async def get_room_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> ChatRoom | None:
    """Return a room whoever asks; only a link, which is its own key, asks so."""
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
