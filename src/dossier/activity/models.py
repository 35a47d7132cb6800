"""Tables of the activity log: events, their seals, and events without a seal.

Organisations and users are known by id only: this domain lies below theirs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    desc,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dossier.activity.constants import Action, ActivityStatus
from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class ActivityEvent(TenantOwned, Identified, Base):
    """One action of an actor, done or refused."""

    __tablename__ = "activity_events"
    __table_args__ = tenant_args(
        Index(
            "ix_activity_events_org_id_created_at",
            "org_id",
            desc("created_at"),
            desc("id"),
        ),
        Index("ix_activity_events_org_id_entity", "org_id", "entity_type", "entity_id"),
    )

    user_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(String(200))
    action: Mapped[Action] = mapped_column(String(16))
    entity_type: Mapped[str] = mapped_column(String(64))
    entity_id: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[ActivityStatus] = mapped_column(String(16))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    address: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str | None] = mapped_column(String(400))
    request_id: Mapped[str | None] = mapped_column(String(64))
    row_hash: Mapped[str] = mapped_column(String(64))


class ActivitySeal(TenantOwned, Base):
    """The place of one event in its organisation's chain."""

    __tablename__ = "activity_seals"
    __table_args__ = (UniqueConstraint("org_id", "event_id"),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[UUID]
    row_hash: Mapped[str] = mapped_column(String(64))
    chain_hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(default_factory=now)


class ActivityPending(TenantOwned, Base):
    """An event that waits for its seal; a trigger writes it with the event.

    A committed row here stands for a committed event, so that sealing need not compare
    transaction ids, which a restored backup does not keep.
    """

    __tablename__ = "activity_pending"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "event_id"], ["activity_events.org_id", "activity_events.id"]
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
