"""When the log of a run was let go of."""

import sqlalchemy as sa
from alembic import op

revision = "run_logs"
down_revision = "api_keys"
branch_labels = None
depends_on = None

_INDEX = "ix_runs_unpruned"


def upgrade() -> None:
    """Apply."""
    instant = sa.DateTime(timezone=True)
    op.add_column("runs", sa.Column("log_pruned_at", instant))
    op.create_index(
        _INDEX,
        "runs",
        ["finished_at"],
        postgresql_where=sa.text("finished_at is not null and log_pruned_at is null"),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_index(_INDEX, "runs")
    op.drop_column("runs", "log_pruned_at")
