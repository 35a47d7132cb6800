"""Confirmations: a person's statement that a document meets a requirement."""

import sqlalchemy as sa
from alembic import op

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "confirmations"
down_revision = "read_partly"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pif_confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("item", sa.SmallInteger(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pif_confirmations"),
        sa.UniqueConstraint("org_id", "id", name="uq_pif_confirmations_org_id_id"),
        sa.UniqueConstraint(
            "product_id",
            "market",
            "requirement",
            name="uq_pif_confirmations_product_id_market_requirement",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_pif_confirmations_org_id_product_id_products",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name="fk_pif_confirmations_org_id_document_id_documents",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "pif_confirmations")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "pif_confirmations")
