"""Functions and grants that every table relies on."""

revision = "foundation"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
