"""Tables `chat_profiles` and `virtual_users`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
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

from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class ChatProfile(TenantOwned, Identified, Base):
    """How a member appears in chat; made when first needed.

    `user_id` is null where nobody logs in, so that there too one profile speaks.
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
