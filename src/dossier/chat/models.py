"""Tables of chat: people and personas, rooms, messages, shared links."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dossier.chat.constants import MemberRole, MessageState, Rating, RoomKind, ShareKind
from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class ChatProfile(TenantOwned, Identified, Base):
    """How a member appears in chat; made when first needed.

    `user_id` is null where there is no log-in; such an organisation has one profile.
    """

    __tablename__ = "chat_profiles"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "user_id", postgresql_nulls_not_distinct=True),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID | None]
    display_name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(16), default=None)
    preferences: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class VirtualUser(TenantOwned, Identified, Base):
    """A persona that answers in rooms; it belongs to one member.

    It is retired rather than deleted: what it said stays with its name.
    """

    __tablename__ = "virtual_users"
    __table_args__ = tenant_args(
        ForeignKeyConstraint(
            ["org_id", "owner_id"], ["chat_profiles.org_id", "chat_profiles.id"]
        ),
        Index(
            "uq_virtual_users_default",
            "org_id",
            "owner_id",
            unique=True,
            postgresql_where=text("is_default"),
        ),
        Index(
            "ix_virtual_users_org_id_owner_id",
            "org_id",
            "owner_id",
            text("created_at desc"),
            text("id desc"),
        ),
    )

    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(100))
    personality: Mapped[str | None] = mapped_column(Text, default=None)
    tone: Mapped[str | None] = mapped_column(Text, default=None)
    knowledge_areas: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default_factory=list
    )
    backstory: Mapped[str | None] = mapped_column(Text, default=None)
    language: Mapped[str | None] = mapped_column(String(16), default=None)
    is_default: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)


class ChatRoom(TenantOwned, Identified, Base):
    """A conversation; with a product, answers read only that product's documents.

    `summary_through_id` and `branched_from_id` name messages that may be gone: they
    are no foreign keys.
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
    """One person in one room; a person without a row here does not see the room."""

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


class ChatMessage(TenantOwned, Identified, Base):
    """What one person or one virtual user said; never both, never neither.

    Messages of a room are a tree: an edited question and an answer given anew stand
    beside the earlier one, with the same parent. Nothing moves a message to another
    parent.
    """

    __tablename__ = "chat_messages"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "room_id", "id"),
        ForeignKeyConstraint(
            ["org_id", "room_id"],
            ["chat_rooms.org_id", "chat_rooms.id"],
            ondelete="CASCADE",
        ),
        # With the room in the key, a branch cannot lead into another room.
        ForeignKeyConstraint(
            ["org_id", "room_id", "parent_id"],
            ["chat_messages.org_id", "chat_messages.room_id", "chat_messages.id"],
        ),
        ForeignKeyConstraint(
            ["org_id", "room_id", "supersedes_id"],
            ["chat_messages.org_id", "chat_messages.room_id", "chat_messages.id"],
        ),
        ForeignKeyConstraint(
            ["org_id", "profile_id"], ["chat_profiles.org_id", "chat_profiles.id"]
        ),
        ForeignKeyConstraint(
            ["org_id", "virtual_user_id"], ["virtual_users.org_id", "virtual_users.id"]
        ),
        CheckConstraint(
            "num_nonnulls(profile_id, virtual_user_id) = 1", name="one_sender"
        ),
        CheckConstraint(
            "state in ('pending', 'complete', 'incomplete', 'failed')", name="state"
        ),
        Index(
            "ix_chat_messages_org_id_room_id_created_at",
            "org_id",
            "room_id",
            text("created_at desc"),
            text("id desc"),
        ),
        Index(
            "ix_chat_messages_org_id_room_id_parent_id",
            "org_id",
            "room_id",
            "parent_id",
        ),
        Index(
            "ix_chat_messages_org_id_room_id_supersedes_id",
            "org_id",
            "room_id",
            "supersedes_id",
            postgresql_where=text("supersedes_id is not null"),
        ),
        Index("ix_chat_messages_org_id_run_id", "org_id", "run_id"),
    )

    room_id: Mapped[UUID]
    parent_id: Mapped[UUID | None] = mapped_column(default=None)
    profile_id: Mapped[UUID | None] = mapped_column(default=None)
    virtual_user_id: Mapped[UUID | None] = mapped_column(default=None)
    text: Mapped[str] = mapped_column(Text, default="", repr=False)
    state: Mapped[MessageState] = mapped_column(Text, default=MessageState.COMPLETE)
    run_id: Mapped[UUID | None] = mapped_column(default=None)
    citations: Mapped[list[dict[str, Any]]] = mapped_column(default_factory=list)
    engine: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    dropped_claims: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    supersedes_id: Mapped[UUID | None] = mapped_column(default=None)
    edited_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)


class ChatAttachment(TenantOwned, Base):
    """A document that was sent with a message."""

    __tablename__ = "chat_attachments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "message_id"],
            ["chat_messages.org_id", "chat_messages.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            ondelete="CASCADE",
        ),
        Index("ix_chat_attachments_org_id_document_id", "org_id", "document_id"),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(Text)


class ChatFeedback(TenantOwned, Identified, Base):
    """What one person thought of one message."""

    __tablename__ = "chat_feedback"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "message_id", "profile_id"),
        ForeignKeyConstraint(
            ["org_id", "message_id"],
            ["chat_messages.org_id", "chat_messages.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "profile_id"], ["chat_profiles.org_id", "chat_profiles.id"]
        ),
        CheckConstraint("rating in ('up', 'down')", name="rating"),
    )

    message_id: Mapped[UUID]
    profile_id: Mapped[UUID]
    rating: Mapped[Rating] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text, default=None, repr=False)
    updated_at: Mapped[datetime] = mapped_column(default_factory=now)


class ChatShare(TenantOwned, Identified, Base):
    """A link that shows a conversation, up to one message, to anybody who has it.

    Only the token's hash is kept, so that a reader of the table cannot open it.
    """

    __tablename__ = "chat_shares"
    __table_args__ = tenant_args(
        UniqueConstraint("token_sha256"),
        ForeignKeyConstraint(
            ["org_id", "room_id", "message_id"],
            ["chat_messages.org_id", "chat_messages.room_id", "chat_messages.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "created_by"], ["chat_profiles.org_id", "chat_profiles.id"]
        ),
        CheckConstraint("kind in ('room', 'message')", name="kind"),
        Index("ix_chat_shares_org_id_room_id", "org_id", "room_id"),
    )

    room_id: Mapped[UUID]
    message_id: Mapped[UUID]
    kind: Mapped[ShareKind] = mapped_column(Text)
    token_sha256: Mapped[str] = mapped_column(String(64), repr=False)
    expires_at: Mapped[datetime]
    created_by: Mapped[UUID]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
