"""Tables of jobs and their events; the row decides, the engine only carries it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args
from dossier.jobs.constants import LIVE, JobState

LIVE_SQL = "state in ({})".format(", ".join(f"'{state}'" for state in sorted(LIVE)))
DEDUPE_INDEX = "uq_jobs_dedupe_key"


class Job(TenantOwned, Identified, Base):
    """One unit of work for a worker, with its state and outcome."""

    __tablename__ = "jobs"
    __table_args__ = tenant_args(
        Index("ix_jobs_listed", "org_id", text("created_at desc"), text("id desc")),
        Index(
            DEDUPE_INDEX,
            "org_id",
            "dedupe_key",
            unique=True,
            postgresql_where=text(f"dedupe_key is not null and {LIVE_SQL}"),
        ),
        Index(
            "ix_jobs_unfinished",
            "org_id",
            "state",
            postgresql_where=text("finished_at is null"),
        ),
        Index(
            "ix_jobs_subject_id",
            "org_id",
            "subject_id",
            postgresql_where=text("subject_id is not null"),
        ),
        Index(
            "ix_jobs_unpruned",
            "finished_at",
            postgresql_where=text("last_seq > 0 and log_pruned_at is null"),
        ),
    )

    kind: Mapped[str]
    actor_name: Mapped[str]
    actor_role: Mapped[str]
    # The engine's row that carries it; a delivery of any other is ignored.
    engine_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[JobState] = mapped_column(
        Enum(
            JobState,
            native_enum=False,
            create_constraint=False,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=JobState.PENDING,
    )
    priority: Mapped[int] = mapped_column(default=0)
    dedupe_key: Mapped[str | None] = mapped_column(default=None)
    args: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    progress_done: Mapped[int | None] = mapped_column(default=None)
    progress_total: Mapped[int | None] = mapped_column(default=None)
    progress_unit: Mapped[str | None] = mapped_column(default=None)
    progress_message: Mapped[str | None] = mapped_column(default=None)
    # The highest progress so far; only a higher one counts as progress.
    progress_peak: Mapped[int] = mapped_column(default=0)
    # The fence: an attempt may write only while the row has its number.
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    # Workers that ended while they ran it.
    deaths: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    result_path: Mapped[str | None] = mapped_column(default=None)
    actor_user_id: Mapped[UUID | None] = mapped_column(default=None)
    actor_api_key_id: Mapped[UUID | None] = mapped_column(default=None)
    request_id: Mapped[str | None] = mapped_column(default=None)
    # What the job belongs to in its domain: a chat room, for example.
    subject_id: Mapped[UUID | None] = mapped_column(default=None)
    # The number of the last event, once the job has ended; 0 before.
    last_seq: Mapped[int] = mapped_column(default=0)
    log_pruned_at: Mapped[datetime | None] = mapped_column(default=None)
    # `continue`, or `cancel`: end when `last_read_at`, once set, is too old.
    on_disconnect: Mapped[str] = mapped_column(default="continue")
    last_read_at: Mapped[datetime | None] = mapped_column(default=None)
    # Ids and plain values of what came out, never texts.
    result: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def progress(self) -> dict[str, Any] | None:
        """Return the members of `ProgressResponse`, `None` before the first report."""
        if self.progress_done is None:
            return None
        return {
            "done": self.progress_done,
            "total": self.progress_total,
            "unit": self.progress_unit,
            "message": self.progress_message,
        }


class JobEventBatch(TenantOwned, Base):
    """Events of one job that were stored together; batches are never changed."""

    __tablename__ = "job_events"
    __table_args__ = (
        PrimaryKeyConstraint("job_id", "first_seq"),
        ForeignKeyConstraint(
            ["org_id", "job_id"], ["jobs.org_id", "jobs.id"], ondelete="CASCADE"
        ),
    )

    job_id: Mapped[UUID]
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    attempt: Mapped[int] = mapped_column(SmallInteger)
    # `json`, not `jsonb`: a replay sends what was sent, and NUL may stand in a text.
    events: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
