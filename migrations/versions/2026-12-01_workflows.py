"""Runs of workflows and the journal of their steps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "workflows"
down_revision = "product_archive"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "workflow_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("inputs", JSONB(), nullable=False),
        sa.Column("budget", JSONB(), nullable=False),
        sa.Column("uses_cache", sa.Boolean(), nullable=False),
        sa.Column("waiting_for", JSONB()),
        sa.Column("result", JSONB()),
        sa.Column("stop_reason", sa.String(32)),
        sa.Column("engine", sa.Text()),
        sa.Column("cache", JSONB()),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_runs"),
        sa.UniqueConstraint("org_id", "id", name="uq_workflow_runs_org_id_id"),
        sa.ForeignKeyConstraint(
            ["org_id", "id"],
            ["jobs.org_id", "jobs.id"],
            name="fk_workflow_runs_org_id_id_jobs",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_workflow_runs_listed",
        "workflow_runs",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    tenant_table(op, "workflow_runs")
    op.create_table(
        "workflow_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("output", JSONB(), nullable=False),
        sa.Column("usage", JSONB(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_steps"),
        sa.UniqueConstraint("org_id", "id", name="uq_workflow_steps_org_id_id"),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"],
            ["workflow_runs.org_id", "workflow_runs.id"],
            name="fk_workflow_steps_org_id_run_id_workflow_runs",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "uq_workflow_steps_run_id_name_occurrence",
        "workflow_steps",
        ["org_id", "run_id", "name", "occurrence"],
        unique=True,
        postgresql_where=sa.text("superseded_at is null"),
    )
    tenant_table(op, "workflow_steps")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "workflow_steps")
    drop_tenant_table(op, "workflow_runs")
