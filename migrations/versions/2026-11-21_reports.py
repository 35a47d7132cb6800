"""Rendered reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "reports"
down_revision = "pif"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("market", sa.String(8), nullable=False),
        sa.Column("job_id", sa.Uuid()),
        sa.Column("files", JSONB()),
        sa.Column("page_count", sa.Integer()),
        sa.Column("rendered_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("org_id", "id", name="uq_reports_org_id_id"),
        sa.UniqueConstraint(
            "org_id", "version_id", name="uq_reports_org_id_version_id"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_reports_org_id_product_id_products",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "version_id"],
            ["pif_versions.org_id", "pif_versions.id"],
            name="fk_reports_org_id_version_id_pif_versions",
        ),
    )
    op.create_index(
        "ix_reports_org_id_created_at",
        "reports",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    op.create_index("ix_reports_org_id_product_id", "reports", ["org_id", "product_id"])
    tenant_table(op, "reports")


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "reports")
