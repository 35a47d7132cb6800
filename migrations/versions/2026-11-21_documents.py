"""Documents and their text layers."""

revision = "documents"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
