"""Documents that are read partly, warnings of their readers, kind and facts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "read_partly"
down_revision = "chat_jobs"
branch_labels = None
depends_on = None

_CHECK = "ck_documents_text_state"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "documents",
        sa.Column("reading_warnings", JSONB(), nullable=False, server_default="[]"),
    )
    op.add_column("documents", sa.Column("record", JSONB()))
    op.drop_constraint(_CHECK, "documents", type_="check")
    op.create_check_constraint(
        _CHECK,
        "documents",
        "text_state in ('pending', 'read', 'read_partly', 'unreadable')",
    )


def downgrade() -> None:
    """Revert."""
    op.execute(
        "update documents set text_state = 'read', unreadable_reason = null,"
        " unreadable_detail = null where text_state = 'read_partly'"
    )
    op.drop_constraint(_CHECK, "documents", type_="check")
    op.create_check_constraint(
        _CHECK, "documents", "text_state in ('pending', 'read', 'unreadable')"
    )
    op.drop_column("documents", "record")
    op.drop_column("documents", "reading_warnings")
