"""Organisations, users, memberships."""

import sqlalchemy as sa
from alembic import op

from dossier.core.rls import TENANT, drop_tenant_table, tenant_table

revision = "accounts"
down_revision = "jobs"
branch_labels = None
depends_on = None

# A user is seen where there is a membership; the first statement of a new user runs
# before there can be one.
USERS_SEEN = (
    "exists (select from memberships m "
    f"where m.user_id = users.id and m.org_id = {TENANT})"
)


def upgrade() -> None:
    """Apply."""
    _create_organisations()
    _create_users()
    _create_memberships()
    _protect()


def _create_organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("credentials_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.UniqueConstraint("org_id", "id", name="uq_memberships_org_id_id"),
        sa.UniqueConstraint("user_id", name="uq_memberships_user_id"),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
            name="fk_memberships_org_id_organisations",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_memberships_user_id_users"
        ),
    )
    op.create_index(
        "ix_memberships_org_id_created_at",
        "memberships",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    tenant_table(op, "memberships")


def _protect() -> None:
    """Show organisations and users only where the tenant has to do with them."""
    for table in ("organisations", "users"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy system on {table} to dossier_system "
            "using (true) with check (true)"
        )
        op.execute(f"grant select, insert, update on {table} to dossier_system")
    op.execute(
        "create policy tenant on organisations for select to dossier_app "
        f"using (id = {TENANT})"
    )
    op.execute(
        "create policy tenant_seen on users for select to dossier_app "
        f"using ({USERS_SEEN})"
    )
    op.execute(
        "create policy tenant_changed on users for update to dossier_app "
        f"using ({USERS_SEEN}) with check ({USERS_SEEN})"
    )
    op.execute(
        "create policy tenant_made on users for insert to dossier_app with check (true)"
    )
    op.execute("grant select on organisations to dossier_app")
    op.execute("grant select, insert, update on users to dossier_app")


def downgrade() -> None:
    """Revert."""
    op.execute("drop policy tenant_seen on users")
    op.execute("drop policy tenant_changed on users")
    drop_tenant_table(op, "memberships")
    op.drop_table("users")
    op.drop_table("organisations")
