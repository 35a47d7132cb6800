"""Job rows, and the engine's schema."""

revision = "jobs"
down_revision = "activity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
