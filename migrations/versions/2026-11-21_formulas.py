"""Versions of a product's formula, and their lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "formulas"
down_revision = "products"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_versions()
    _create_lines()


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "formula_lines")
    drop_tenant_table(op, "formula_versions")


def _create_versions() -> None:
    op.create_table(
        "formula_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text()),
        sa.Column("tolerance", sa.Numeric(), nullable=False),
        sa.Column("total_lower", sa.Numeric(), nullable=False),
        sa.Column("total_upper", sa.Numeric(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("header", JSONB(), nullable=False),
        sa.Column("units", JSONB(), nullable=False),
        sa.Column("notes", JSONB(), nullable=False),
        sa.Column("findings", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_formula_versions"),
        sa.UniqueConstraint("org_id", "id", name="uq_formula_versions_org_id_id"),
        sa.UniqueConstraint(
            "org_id",
            "product_id",
            "number",
            name="uq_formula_versions_org_id_product_id_number",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_formula_versions_org_id_product_id_products",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name="fk_formula_versions_org_id_document_id_documents",
        ),
    )
    op.create_index(
        "ix_formula_versions_org_id_document_id",
        "formula_versions",
        ["org_id", "document_id"],
    )
    tenant_table(op, "formula_versions")


def _create_lines() -> None:
    op.create_table(
        "formula_lines",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text()),
        sa.Column("trade_name", sa.Text()),
        sa.Column("supplier", sa.Text()),
        sa.Column("inci", sa.Text()),
        sa.Column("cas", sa.Text()),
        sa.Column("ec", sa.Text()),
        sa.Column("function", sa.Text()),
        sa.Column("percent_lower", sa.Numeric(), nullable=False),
        sa.Column("percent_upper", sa.Numeric()),
        sa.Column("percent_text", sa.Text(), nullable=False),
        sa.Column("is_qs", sa.Boolean(), nullable=False),
        sa.Column("is_exploded", sa.Boolean(), nullable=False),
        sa.Column("place", JSONB(), nullable=False),
        sa.Column("cells", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "version_id", "position", name="pk_formula_lines"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "version_id"],
            ["formula_versions.org_id", "formula_versions.id"],
            name="fk_formula_lines_org_id_version_id_formula_versions",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "formula_lines")
