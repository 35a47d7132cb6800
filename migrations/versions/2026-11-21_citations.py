"""Which version cites which document; archived documents."""

revision = "citations"
down_revision = "chat"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
