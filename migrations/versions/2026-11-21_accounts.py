"""Organisations, users, memberships."""

revision = "accounts"
down_revision = "jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
