"""The composition of the formula that a document was confirmed for."""

import sqlalchemy as sa
from alembic import op

revision = "confirmed_formula"
down_revision = "evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("pif_confirmations", sa.Column("formula", sa.Text()))


def downgrade() -> None:
    """Revert."""
    op.drop_column("pif_confirmations", "formula")
