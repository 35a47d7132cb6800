"""Answers of outside sources."""

revision = "sources"
down_revision = "ai"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
