"""Products and the links from their papers to the items of the file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "products"
down_revision = "documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_products()
    _create_product_documents()


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "product_documents")
    drop_tenant_table(op, "products")


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identity_key", sa.String(64), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("name_zh", sa.Text()),
        sa.Column("name_en", sa.Text()),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("dosage_form", sa.Text()),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("body_site", sa.Text()),
        sa.Column("population", sa.Text()),
        sa.Column("intended_use", sa.Text()),
        sa.Column("usage", JSONB(), nullable=False),
        sa.Column("sites", JSONB(), nullable=False),
        sa.Column("holder", JSONB(), nullable=False),
        sa.Column("markets", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("org_id", "id", name="uq_products_org_id_id"),
        sa.UniqueConstraint(
            "org_id", "identity_key", name="uq_products_org_id_identity_key"
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisations.id"], name="fk_products_org_id_organisations"
        ),
        sa.CheckConstraint("use in ('leave_on', 'rinse_off')", name="ck_products_use"),
    )
    op.create_index(
        "ix_products_org_id_created_at",
        "products",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    tenant_table(op, "products")


def _create_product_documents() -> None:
    op.create_table(
        "product_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.SmallInteger(), nullable=False),
        sa.Column("requirement", sa.Text()),
        sa.Column("matched_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_product_documents"),
        sa.UniqueConstraint("org_id", "id", name="uq_product_documents_org_id_id"),
        sa.UniqueConstraint(
            "product_id",
            "document_id",
            "item",
            "requirement",
            name="uq_product_documents_product_id_document_id_item_requirement",
            postgresql_nulls_not_distinct=True,
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_product_documents_org_id_product_id_products",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name="fk_product_documents_org_id_document_id_documents",
        ),
        sa.CheckConstraint("item between 1 and 16", name="ck_product_documents_item"),
    )
    for column in ("product_id", "document_id"):
        op.create_index(
            f"ix_product_documents_org_id_{column}",
            "product_documents",
            ["org_id", column],
        )
    tenant_table(op, "product_documents")
