"""The event log of jobs; `attempts` is the fence instead of a run's id."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "job_events"
down_revision = "run_logs"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def added() -> list[sa.Column[Any]]:
    """Return the new columns of `jobs`."""
    return [
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("last_seq", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("log_pruned_at", _INSTANT),
        sa.Column(
            "on_disconnect", sa.String(), nullable=False, server_default="continue"
        ),
        sa.Column("last_read_at", _INSTANT),
        sa.Column("result", JSONB()),
        sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    """Apply."""
    for column in added():
        op.add_column("jobs", column)
    op.drop_column("jobs", "run_id")
    op.create_index(
        "ix_jobs_subject_id",
        "jobs",
        ["org_id", "subject_id"],
        postgresql_where=sa.text("subject_id is not null"),
    )
    op.create_index(
        "ix_jobs_unpruned",
        "jobs",
        ["finished_at"],
        postgresql_where=sa.text("last_seq > 0 and log_pruned_at is null"),
    )
    op.create_table(
        "job_events",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "first_seq", name="pk_job_events"),
        sa.ForeignKeyConstraint(
            ["org_id", "job_id"],
            ["jobs.org_id", "jobs.id"],
            name="fk_job_events_org_id_job_id_jobs",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "job_events")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "job_events")
    op.drop_index("ix_jobs_unpruned", "jobs")
    op.drop_index("ix_jobs_subject_id", "jobs")
    op.add_column("jobs", sa.Column("run_id", sa.Uuid()))
    for column in added():
        op.drop_column("jobs", column.name)
