"""Waivers, declarations and versions of the file."""

revision = "pif"
down_revision = "products"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
