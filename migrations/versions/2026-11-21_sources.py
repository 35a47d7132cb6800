"""Answers of outside sources."""

import sqlalchemy as sa
from alembic import op

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "sources"
down_revision = "ai"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _answers()
    _rates()
    _central_bases()
    _central_copies()


def _answers() -> None:
    op.create_table(
        "source_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("is_found", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("parser_version", sa.String(64), nullable=False),
        sa.Column("fetched_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source_answers"),
        sa.UniqueConstraint("org_id", "id", name="uq_source_answers_org_id_id"),
        sa.UniqueConstraint(
            "org_id",
            "source",
            "fingerprint",
            "sha256",
            "parser_version",
            name="uq_source_answers_answer",
        ),
    )
    op.create_index(
        "ix_source_answers_org_id_source_fingerprint_fetched_at",
        "source_answers",
        ["org_id", "source", "fingerprint", sa.text("fetched_at desc")],
    )
    tenant_table(op, "source_answers")


def _rates() -> None:
    op.create_table(
        "source_rates",
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_source_rates"),
    )
    op.execute("grant select, insert, update, delete on source_rates to dossier_system")


def _central_bases() -> None:
    op.create_table(
        "central_bases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_central_bases"),
        sa.UniqueConstraint("org_id", "id", name="uq_central_bases_org_id_id"),
        sa.UniqueConstraint(
            "org_id", "product_id", name="uq_central_bases_org_id_product_id"
        ),
    )
    tenant_table(op, "central_bases")


def _central_copies() -> None:
    op.create_table(
        "central_copies",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "document_id", "product_id", name="pk_central_copies"
        ),
    )
    tenant_table(op, "central_copies")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "central_copies")
    drop_tenant_table(op, "central_bases")
    op.drop_table("source_rates")
    drop_tenant_table(op, "source_answers")
