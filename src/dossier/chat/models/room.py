"""Tables `chat_rooms`, `chat_members` and `chat_room_personas`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from dossier.chat.constants import MemberRole, RoomKind
from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class ChatRoom(TenantOwned, Identified, Base):
    """A conversation; with a product, answers read only that product's papers.

    `summary_through_id` and `branched_from_id` tell of messages that may be gone:
    they are no keys.
    """

    __tablename__ = "chat_rooms"
    __table_args__ = tenant_args(
        ForeignKeyConstraint(
            ["org_id", "product_id"], ["products.org_id", "products.id"]
        ),
        ForeignKeyConstraint(
            ["org_id", "created_by"], ["chat_profiles.org_id", "chat_profiles.id"]
        ),
        CheckConstraint("kind in ('private', 'group')", name="kind"),
        Index("ix_chat_rooms_org_id_product_id", "org_id", "product_id"),
    )

    kind: Mapped[RoomKind] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[UUID]
    product_id: Mapped[UUID | None] = mapped_column(default=None)
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    active_at: Mapped[datetime] = mapped_column(default_factory=now)
    summary: Mapped[str | None] = mapped_column(Text, default=None)
    summary_through_id: Mapped[UUID | None] = mapped_column(default=None)
    branched_from_id: Mapped[UUID | None] = mapped_column(default=None)


class ChatMember(TenantOwned, Identified, Base):
    """One person in one room; whoever has no row here does not see the room."""

    __tablename__ = "chat_members"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "profile_id", "room_id"),
        ForeignKeyConstraint(
            ["org_id", "room_id"],
            ["chat_rooms.org_id", "chat_rooms.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "profile_id"], ["chat_profiles.org_id", "chat_profiles.id"]
        ),
        CheckConstraint("role in ('owner', 'member')", name="role"),
        Index("ix_chat_members_org_id_room_id", "org_id", "room_id"),
    )

    room_id: Mapped[UUID]
    profile_id: Mapped[UUID]
    role: Mapped[MemberRole] = mapped_column(Text)


class ChatRoomPersona(TenantOwned, Base):
    """A virtual user that joined a room."""

    __tablename__ = "chat_room_personas"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "room_id"],
            ["chat_rooms.org_id", "chat_rooms.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "virtual_user_id"], ["virtual_users.org_id", "virtual_users.id"]
        ),
        Index(
            "ix_chat_room_personas_org_id_virtual_user_id", "org_id", "virtual_user_id"
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    room_id: Mapped[UUID] = mapped_column(primary_key=True)
    virtual_user_id: Mapped[UUID] = mapped_column(primary_key=True)
    joined_at: Mapped[datetime] = mapped_column(default_factory=now)
