"""Tables `chat_messages`, `chat_attachments` and `chat_feedback`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dossier.chat.constants import MessageState, Rating
from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


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
