"""Rooms, personas, messages."""

revision = "chat"
down_revision = "knowledge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
