"""Aliases and exempt materials, formula at linking, confirmations, days of findings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "evidence"
down_revision = "read_partly"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("aliases", "exempt_materials"):
        op.add_column(
            "products", sa.Column(name, JSONB(), nullable=False, server_default="[]")
        )
    op.add_column("product_documents", sa.Column("formula", JSONB()))
    op.create_table(
        "pif_confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("item", sa.SmallInteger(), nullable=False),
        sa.Column("requirement", sa.Text()),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_stated", sa.Boolean(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pif_confirmations"),
        sa.UniqueConstraint("org_id", "id", name="uq_pif_confirmations_org_id_id"),
        sa.UniqueConstraint(
            "product_id",
            "market",
            "item",
            "requirement",
            "document_id",
            name="uq_pif_confirmations_target",
            postgresql_nulls_not_distinct=True,
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
        sa.CheckConstraint("item between 1 and 16", name="ck_pif_confirmations_item"),
    )
    tenant_table(op, "pif_confirmations")
    op.create_table(
        "pif_finding_days",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id",
            "product_id",
            "market",
            "finding_id",
            name="pk_pif_finding_days",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_pif_finding_days_org_id_product_id_products",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "pif_finding_days")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "pif_finding_days")
    drop_tenant_table(op, "pif_confirmations")
    op.drop_column("product_documents", "formula")
    for name in ("exempt_materials", "aliases"):
        op.drop_column("products", name)
