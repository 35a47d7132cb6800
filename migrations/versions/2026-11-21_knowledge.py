"""Passages, terms and vectors."""

revision = "knowledge"
down_revision = "runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
