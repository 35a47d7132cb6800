"""Ledger of model calls, budgets, abilities, cache."""

revision = "ai"
down_revision = "reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Revert."""
