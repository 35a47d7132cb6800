"""Products, formula versions, links to documents."""

revision = "products"
down_revision = "documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
