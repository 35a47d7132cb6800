"""Documents and their text layers."""

import sqlalchemy as sa
from alembic import op

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "documents"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_documents()
    _create_document_texts()


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "document_texts")
    drop_tenant_table(op, "documents")


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("is_misnamed", sa.Boolean(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid()),
        sa.Column("text_state", sa.Text(), nullable=False),
        sa.Column("unreadable_reason", sa.Text()),
        sa.Column("unreadable_detail", sa.Text()),
        sa.Column("page_count", sa.Integer()),
        sa.Column("encoding", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.UniqueConstraint("org_id", "id", name="uq_documents_org_id_id"),
        sa.UniqueConstraint("org_id", "sha256", name="uq_documents_org_id_sha256"),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisations.id"], name="fk_documents_org_id_organisations"
        ),
        sa.CheckConstraint(
            "text_state in ('pending', 'read', 'unreadable')",
            name="ck_documents_text_state",
        ),
    )
    op.create_index(
        "ix_documents_org_id_created_at",
        "documents",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    tenant_table(op, "documents")


def _create_document_texts() -> None:
    op.create_table(
        "document_texts",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("has_text_layer", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "document_id", "position", name="pk_document_texts"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name="fk_document_texts_org_id_document_id_documents",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "document_texts")
