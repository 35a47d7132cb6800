"""Waivers, declarations and versions of the file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "pif"
down_revision = "formulas"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_decisions()
    _create_versions()


def downgrade() -> None:
    """Revert."""
    drop_tenant_table(op, "pif_versions")
    drop_tenant_table(op, "pif_decisions")


def _create_decisions() -> None:
    op.create_table(
        "pif_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("item", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pif_decisions"),
        sa.UniqueConstraint("org_id", "id", name="uq_pif_decisions_org_id_id"),
        sa.UniqueConstraint(
            "product_id",
            "market",
            "item",
            name="uq_pif_decisions_product_id_market_item",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_pif_decisions_org_id_product_id_products",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "kind in ('waiver', 'declaration')", name="ck_pif_decisions_kind"
        ),
    )
    tenant_table(op, "pif_decisions")


def _create_versions() -> None:
    op.create_table(
        "pif_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("snapshot", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pif_versions"),
        sa.UniqueConstraint("org_id", "id", name="uq_pif_versions_org_id_id"),
        sa.UniqueConstraint(
            "product_id",
            "market",
            "number",
            name="uq_pif_versions_product_id_market_number",
        ),
        sa.UniqueConstraint(
            "product_id",
            "market",
            "sha256",
            name="uq_pif_versions_product_id_market_sha256",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_pif_versions_org_id_product_id_products",
        ),
    )
    # What was handed over once can be read again as it was: no update, no delete.
    tenant_table(op, "pif_versions", append_only=True)
