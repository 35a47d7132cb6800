"""A run, and its events as they were stored: a few to a row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args
from dossier.core.tenancy import Actor
from dossier.runs.constants import RunState

STATES_SQL = "state in ({})".format(", ".join(f"'{state}'" for state in RunState))


class Run(TenantOwned, Identified, Base):
    """Work that outlives the connection that asked for it."""

    __tablename__ = "runs"
    __table_args__ = tenant_args(
        CheckConstraint(STATES_SQL, name="state"),
        CheckConstraint("stored_through <= reserved_through", name="reserved"),
        Index("ix_runs_listed", "org_id", text("created_at desc"), text("id desc")),
        Index("ix_runs_subject_id", "org_id", "subject_id", text("created_at desc")),
        # Few rows, and no column that a renewed lease changes: updates stay cheap.
        Index("ix_runs_unfinished", "id", postgresql_where=text("finished_at is null")),
        Index(
            "ix_runs_unpruned",
            "finished_at",
            postgresql_where=text("finished_at is not null and log_pruned_at is null"),
        ),
    )

    kind: Mapped[str]
    actor_name: Mapped[str]
    actor_role: Mapped[str]
    state: Mapped[RunState] = mapped_column(
        Enum(
            RunState,
            native_enum=False,
            create_constraint=False,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=RunState.PENDING,
    )
    subject_id: Mapped[UUID | None] = mapped_column(default=None)
    input: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    actor_user_id: Mapped[UUID | None] = mapped_column(default=None)
    actor_api_key_id: Mapped[UUID | None] = mapped_column(default=None)
    request_id: Mapped[str | None] = mapped_column(default=None)
    # The process that has it in hand, and how often it changed hands: what a process
    # writes counts only while both are its own.
    owner: Mapped[UUID | None] = mapped_column(default=None)
    epoch: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    # No number above `reserved_through` has been shown to anybody; how much is stored,
    # the log tells until a run changes hands or ends.
    reserved_through: Mapped[int] = mapped_column(BigInteger, default=0)
    stored_through: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    result: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(default=None)
    log_pruned_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def actor(self) -> Actor:
        """Return on whose behalf it runs."""
        return Actor(
            org_id=self.org_id,
            user_id=self.actor_user_id,
            role=self.actor_role,
            name=self.actor_name,
            request_id=self.request_id,
            api_key_id=self.actor_api_key_id,
        )


class RunEventBatch(TenantOwned, Base):
    """Events of one run that were stored together."""

    __tablename__ = "run_events"
    __table_args__ = (
        PrimaryKeyConstraint("org_id", "run_id", "last_sequence"),
        ForeignKeyConstraint(
            ["org_id", "run_id"], ["runs.org_id", "runs.id"], ondelete="CASCADE"
        ),
    )

    run_id: Mapped[UUID]
    first_sequence: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    # `json`, not `jsonb`: a replay sends what was sent, and NUL may stand in a text.
    events: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
