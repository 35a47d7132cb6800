"""Tables of runs and of the journal of their steps."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class WorkflowRun(TenantOwned, Identified, Base):
    """One run; its id is that of its job, which has the state and the error.

    `cache` is `{hit, age_s, saved_tokens, saved_cost_usd}`.
    """

    __tablename__ = "workflow_runs"
    __table_args__ = tenant_args(
        ForeignKeyConstraint(
            ["org_id", "id"], ["jobs.org_id", "jobs.id"], ondelete="CASCADE"
        ),
        Index(
            "ix_workflow_runs_listed",
            "org_id",
            text("created_at desc"),
            text("id desc"),
        ),
    )

    kind: Mapped[str] = mapped_column(String(64))
    inputs: Mapped[dict[str, Any]]
    budget: Mapped[dict[str, Any]]
    uses_cache: Mapped[bool]
    waiting_for: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )
    """The step that waits for a person: name, occurrence, payload."""
    result: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )
    stop_reason: Mapped[str | None] = mapped_column(String(32), default=None)
    engine: Mapped[str | None] = mapped_column(Text, default=None)
    cache: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )


class WorkflowStep(TenantOwned, Identified, Base):
    """One finished step; a retry supersedes rows and deletes none."""

    __tablename__ = "workflow_steps"
    __table_args__ = tenant_args(
        ForeignKeyConstraint(
            ["org_id", "run_id"],
            ["workflow_runs.org_id", "workflow_runs.id"],
            ondelete="CASCADE",
        ),
        Index(
            "uq_workflow_steps_run_id_name_occurrence",
            "org_id",
            "run_id",
            "name",
            "occurrence",
            unique=True,
            postgresql_where=text("superseded_at is null"),
        ),
    )

    run_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    occurrence: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64))
    output: Mapped[dict[str, Any]]
    usage: Mapped[dict[str, Any]]
    """What the step used: model, prompt, fetches, answers of sources."""
    attempt: Mapped[int]
    duration_ms: Mapped[int] = mapped_column(Integer)
    superseded_at: Mapped[datetime | None] = mapped_column(default=None)
