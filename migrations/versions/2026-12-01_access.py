"""Accounts of one organisation each, invitations, counts of wrong passwords."""

import sqlalchemy as sa
from alembic import op

from dossier.core.rls import TENANT, drop_tenant_table, tenant_table

revision = "access"
down_revision = "confirmed_formula"
branch_labels = None
depends_on = None

_SEEN = (
    "exists (select from memberships m "
    f"where m.user_id = users.id and m.org_id = {TENANT})"
)


def upgrade() -> None:
    """Apply."""
    _give_users_an_organisation()
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("org_id", "id", name="uq_invitations_org_id_id"),
        sa.UniqueConstraint("org_id", "email", name="uq_invitations_org_id_email"),
        sa.UniqueConstraint("token_sha256", name="uq_invitations_token_sha256"),
        sa.ForeignKeyConstraint(
            ["org_id", "invited_by"],
            ["memberships.org_id", "memberships.user_id"],
            name="fk_invitations_org_id_invited_by_memberships",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "invitations")
    op.create_table(
        "login_counts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_login_counts"),
    )
    op.create_index("ix_login_counts_expires_at", "login_counts", ["expires_at"])
    op.execute("grant select, insert, update, delete on login_counts to dossier_system")


def _give_users_an_organisation() -> None:
    op.add_column("users", sa.Column("org_id", sa.Uuid()))
    op.add_column(
        "users",
        sa.Column(
            "has_unique_email",
            sa.Boolean(),
            nullable=False,
            server_default=sa.true(),
        ),
    )
    op.execute(
        "update users set org_id = m.org_id from memberships m "
        "where m.user_id = users.id"
    )
    op.execute("delete from users where org_id is null")  # nobody could log in as one
    op.alter_column("users", "org_id", nullable=False)
    op.alter_column("users", "has_unique_email", server_default=None)
    op.create_foreign_key(
        "fk_users_org_id_organisations", "users", "organisations", ["org_id"], ["id"]
    )
    op.create_unique_constraint("uq_users_org_id_id", "users", ["org_id", "id"])
    op.drop_constraint("uq_users_email", "users")
    op.create_unique_constraint("uq_users_org_id_email", "users", ["org_id", "email"])
    op.create_index(
        "uq_users_email",
        "users",
        ["email"],
        unique=True,
        postgresql_where=sa.text("has_unique_email"),
    )
    op.drop_constraint("fk_memberships_user_id_users", "memberships")
    op.create_foreign_key(
        "fk_memberships_org_id_user_id_users",
        "memberships",
        "users",
        ["org_id", "user_id"],
        ["org_id", "id"],
    )
    for policy in ("tenant_seen", "tenant_changed", "tenant_made"):
        op.execute(f"drop policy {policy} on users")
    op.execute(
        "create policy tenant on users to dossier_app "
        f"using (org_id = {TENANT}) with check (org_id = {TENANT})"
    )


def downgrade() -> None:
    """Revert; fails where an address has accounts in several organisations."""
    op.drop_table("login_counts")
    drop_tenant_table(op, "invitations")
    op.execute("drop policy tenant on users")
    op.execute(
        f"create policy tenant_seen on users for select to dossier_app using ({_SEEN})"
    )
    op.execute(
        "create policy tenant_changed on users for update to dossier_app "
        f"using ({_SEEN}) with check ({_SEEN})"
    )
    op.execute(
        "create policy tenant_made on users for insert to dossier_app with check (true)"
    )
    op.drop_constraint("fk_memberships_org_id_user_id_users", "memberships")
    op.drop_index("uq_users_email", "users")
    for constraint in ("uq_users_org_id_email", "uq_users_org_id_id"):
        op.drop_constraint(constraint, "users")
    op.create_unique_constraint("uq_users_email", "users", ["email"])
    op.create_foreign_key(
        "fk_memberships_user_id_users", "memberships", "users", ["user_id"], ["id"]
    )
    op.drop_column("users", "has_unique_email")
    op.drop_column("users", "org_id")
