"""Table `chat_shares`."""

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

from dossier.chat.constants import ShareKind
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class ChatShare(TenantOwned, Identified, Base):
    """A link that shows a conversation, up to one message, to whoever holds it.

    Only the token's hash is kept, so that nobody who reads the table can open it.
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
