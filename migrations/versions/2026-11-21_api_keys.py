"""API keys, and which key started a run or a job."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "api_keys"
down_revision = "citations"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_MEMBER_KEY = "uq_memberships_org_id_user_id"


def upgrade() -> None:
    """Apply."""
    op.create_unique_constraint(_MEMBER_KEY, "memberships", ["org_id", "user_id"])
    _create_api_keys()
    for table in ("runs", "jobs"):
        op.add_column(table, sa.Column("actor_api_key_id", sa.Uuid()))


def downgrade() -> None:
    """Revert; keys are lost, the ledger keeps their ids."""
    for table in ("runs", "jobs"):
        op.drop_column(table, "actor_api_key_id")
    drop_tenant_table(op, "api_keys")
    op.drop_constraint(_MEMBER_KEY, "memberships", type_="unique")


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("expires_at", _INSTANT),
        sa.Column("last_used_at", _INSTANT),
        sa.Column("revoked_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("org_id", "id", name="uq_api_keys_org_id_id"),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"],
            ["memberships.org_id", "memberships.user_id"],
            name="fk_api_keys_org_id_user_id_memberships",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "cardinality(scopes) > 0 and scopes <@ array['read', 'write', 'admin']",
            name="ck_api_keys_scopes",
        ),
    )
    op.create_index(
        "ix_api_keys_listed",
        "api_keys",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["org_id", "user_id"])
    tenant_table(op, "api_keys")
