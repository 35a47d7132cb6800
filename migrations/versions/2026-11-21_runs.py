"""Runs and their event logs."""

revision = "runs"
down_revision = "sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
