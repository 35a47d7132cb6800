"""Every query on profiles and virtual users."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from dossier.chat.constants import DEFAULT_PERSONA_NAME
from dossier.chat.models import (
    ChatMember,
    ChatProfile,
    ChatRoomPersona,
    VirtualUser,
)
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice, paginate


async def get_profile_of_user_for_org(
    session: Session, org_id: UUID, user_id: UUID | None
) -> ChatProfile | None:
    """Return a person's profile."""
    query = select(ChatProfile).where(
        ChatProfile.org_id == org_id,
        ChatProfile.user_id.is_not_distinct_from(user_id),
    )
    return (await session.scalars(query)).one_or_none()


async def add_profile(
    session: Session, org_id: UUID, user_id: UUID | None, display_name: str
) -> None:
    """Insert a person's profile, unless there is one."""
    row = {
        "id": new_id(),
        "org_id": org_id,
        "created_at": now(),
        "user_id": user_id,
        "display_name": display_name,
        "preferences": {},
    }
    await session.execute(insert(ChatProfile).values(row).on_conflict_do_nothing())


async def list_profiles_for_org(
    session: Session, org_id: UUID, profile_ids: Sequence[UUID]
) -> Sequence[ChatProfile]:
    """Return several profiles."""
    query = select(ChatProfile).where(
        ChatProfile.org_id == org_id, ChatProfile.id.in_(profile_ids)
    )
    return (await session.scalars(query)).all()


def _owned(org_id: UUID, owner_id: UUID) -> Select[VirtualUser]:
    return select(VirtualUser).where(
        VirtualUser.org_id == org_id,
        VirtualUser.owner_id == owner_id,
        VirtualUser.retired_at.is_(None),
    )


async def get_virtual_user_for_org(
    session: Session, org_id: UUID, virtual_user_id: UUID, owner_id: UUID
) -> VirtualUser | None:
    """Return one of a person's virtual users; another person's is `None`."""
    query = _owned(org_id, owner_id).where(VirtualUser.id == virtual_user_id)
    return (await session.scalars(query)).one_or_none()


async def get_assistant_of_user_for_org(
    session: Session, org_id: UUID, user_id: UUID | None
) -> VirtualUser | None:
    """Return a person's assistant, who answers where no other is named."""
    query = (
        select(VirtualUser)
        .join(
            ChatProfile,
            (ChatProfile.org_id == VirtualUser.org_id)
            & (ChatProfile.id == VirtualUser.owner_id),
        )
        .where(
            VirtualUser.org_id == org_id,
            VirtualUser.is_default,
            VirtualUser.retired_at.is_(None),
            ChatProfile.org_id == org_id,
            ChatProfile.user_id.is_not_distinct_from(user_id),
        )
    )
    return (await session.scalars(query)).one_or_none()


async def list_virtual_users_for_org(
    session: Session, org_id: UUID, owner_id: UUID, page: PageParams
) -> Slice[VirtualUser]:
    """Return one page of a person's virtual users, the newest first."""
    newest = _owned(org_id, owner_id).order_by(
        VirtualUser.created_at.desc(), VirtualUser.id.desc()
    )
    return await paginate(session, newest, page)


async def list_virtual_users_of_room_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> Sequence[VirtualUser]:
    """Return who joined a room, in the order of joining."""
    query = (
        select(VirtualUser)
        .join(
            ChatRoomPersona,
            (ChatRoomPersona.org_id == VirtualUser.org_id)
            & (ChatRoomPersona.virtual_user_id == VirtualUser.id),
        )
        .where(
            VirtualUser.org_id == org_id,
            VirtualUser.retired_at.is_(None),
            ChatRoomPersona.org_id == org_id,
            ChatRoomPersona.room_id == room_id,
        )
        .order_by(ChatRoomPersona.joined_at, VirtualUser.id)
    )
    return (await session.scalars(query)).all()


async def list_virtual_users_named_for_org(
    session: Session, org_id: UUID, virtual_user_ids: Sequence[UUID]
) -> Sequence[VirtualUser]:
    """Return several virtual users, retired ones too: they still have names."""
    query = select(VirtualUser).where(
        VirtualUser.org_id == org_id, VirtualUser.id.in_(virtual_user_ids)
    )
    return (await session.scalars(query)).all()


async def add_virtual_user(session: Session, virtual_user: VirtualUser) -> None:
    """Insert a virtual user."""
    session.add(virtual_user)
    await session.flush()


async def add_default_virtual_user(
    session: Session, org_id: UUID, owner_id: UUID
) -> None:
    """Insert a person's assistant, unless there is one."""
    row: dict[str, Any] = {
        "id": new_id(),
        "org_id": org_id,
        "created_at": now(),
        "owner_id": owner_id,
        "name": DEFAULT_PERSONA_NAME,
        "knowledge_areas": [],
        "is_default": True,
    }
    await session.execute(insert(VirtualUser).values(row).on_conflict_do_nothing())


async def get_persona_in_room_for_org(
    session: Session, org_id: UUID, room_id: UUID, virtual_user_id: UUID
) -> tuple[VirtualUser, ChatProfile] | None:
    """Return a virtual user that joined a room, while its owner is a member of it."""
    query = (
        select(VirtualUser, ChatProfile)
        .join(
            ChatProfile,
            (ChatProfile.org_id == VirtualUser.org_id)
            & (ChatProfile.id == VirtualUser.owner_id),
        )
        .join(
            ChatMember,
            (ChatMember.org_id == VirtualUser.org_id)
            & (ChatMember.profile_id == VirtualUser.owner_id),
        )
        .join(
            ChatRoomPersona,
            (ChatRoomPersona.org_id == VirtualUser.org_id)
            & (ChatRoomPersona.virtual_user_id == VirtualUser.id)
            & (ChatRoomPersona.room_id == ChatMember.room_id),
        )
        .where(
            VirtualUser.org_id == org_id,
            VirtualUser.id == virtual_user_id,
            VirtualUser.retired_at.is_(None),
            ChatMember.org_id == org_id,
            ChatMember.room_id == room_id,
        )
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])
