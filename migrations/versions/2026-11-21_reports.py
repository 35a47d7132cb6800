"""Rendered reports."""

revision = "reports"
down_revision = "pif"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
