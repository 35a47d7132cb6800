"""Functions and grants that every table relies on."""

from alembic import op

revision = "foundation"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the serving roles see which revision the database is at."""
    op.execute("grant usage on schema public to dossier_app, dossier_system")
    op.execute("grant select on alembic_version to dossier_app, dossier_system")


def downgrade() -> None:
    """Revert."""
    op.execute("revoke select on alembic_version from dossier_app, dossier_system")
    op.execute("revoke usage on schema public from dossier_app, dossier_system")
