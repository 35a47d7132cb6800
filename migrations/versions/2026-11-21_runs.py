"""Runs and their event logs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "runs"
down_revision = "sources"
branch_labels = None
depends_on = None

STATES = (
    "'pending', 'processing', 'waiting', 'completed', 'failed', 'cancelling', "
    "'cancelled'"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("input", JSONB(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid()),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("request_id", sa.String()),
        sa.Column("owner", sa.Uuid()),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("reserved_through", sa.BigInteger(), nullable=False),
        sa.Column("stored_through", sa.BigInteger(), nullable=False),
        sa.Column("error", JSONB()),
        sa.Column("result", JSONB()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("org_id", "id", name="uq_runs_org_id_id"),
        sa.CheckConstraint(f"state in ({STATES})", name="ck_runs_state"),
        sa.CheckConstraint(
            "stored_through <= reserved_through", name="ck_runs_reserved"
        ),
    )
    op.create_index(
        "ix_runs_listed",
        "runs",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    op.create_index(
        "ix_runs_subject_id",
        "runs",
        ["org_id", "subject_id", sa.text("created_at desc")],
    )
    op.create_index(
        "ix_runs_unfinished",
        "runs",
        ["id"],
        postgresql_where=sa.text("finished_at is null"),
    )
    # A lease is renewed in place, so that no index grows by it.
    op.execute("alter table runs set (fillfactor = 70)")
    tenant_table(op, "runs")
    op.create_table(
        "run_events",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "run_id", "last_sequence", name="pk_run_events"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"],
            ["runs.org_id", "runs.id"],
            name="fk_run_events_org_id_run_id_runs",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "run_events")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "run_events")
    drop_tenant_table(op, "runs")
