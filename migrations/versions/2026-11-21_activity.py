"""The append-only trail and its seals."""

revision = "activity"
down_revision = "foundation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
