"""Rooms, personas, messages, shares."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "chat"
down_revision = "knowledge"
branch_labels = None
depends_on = None

TABLES = (
    "chat_profiles",
    "virtual_users",
    "chat_rooms",
    "chat_members",
    "chat_room_personas",
    "chat_messages",
    "chat_attachments",
    "chat_feedback",
    "chat_shares",
)

# Whoever holds a link belongs to no organisation: this one question is asked as the
# system's role. The role is set by the function and not by its owner, so that a
# restored backup, whose owner is another, still answers.
SHARE_ORG = """
create function chat_share_org(wanted text) returns uuid
language sql stable parallel restricted
set role to dossier_system
set search_path to 'public'
return (
  select org_id from chat_shares
  where token_sha256 = wanted and revoked_at is null and expires_at > now()
)
"""


def upgrade() -> None:
    """Apply."""
    _create_people()
    _create_rooms()
    _create_messages()
    _create_attachments()
    _create_feedback()
    _create_shares()
    for table in TABLES:
        tenant_table(op, table)
    op.execute(SHARE_ORG)
    op.execute("revoke execute on function chat_share_org from public")
    op.execute("grant execute on function chat_share_org to dossier_app")


def downgrade() -> None:
    """Revert."""
    op.execute("drop function chat_share_org")
    for table in reversed(TABLES):
        drop_tenant_table(op, table)


def _identified(table: str) -> tuple[Any, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("org_id", "id", name=f"uq_{table}_org_id_id"),
    )


def _reference(
    table: str, column: str, referred: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", column],
        [f"{referred}.org_id", f"{referred}.id"],
        name=f"fk_{table}_org_id_{column}_{referred}",
        ondelete=ondelete,
    )


def _instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_people() -> None:
    op.create_table(
        "chat_profiles",
        *_identified("chat_profiles"),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("preferences", JSONB(), nullable=False),
        sa.UniqueConstraint(
            "org_id",
            "user_id",
            name="uq_chat_profiles_org_id_user_id",
            postgresql_nulls_not_distinct=True,
        ),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
            name="fk_chat_profiles_org_id_organisations",
        ),
    )
    op.create_table(
        "virtual_users",
        *_identified("virtual_users"),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("personality", sa.Text()),
        sa.Column("tone", sa.Text()),
        sa.Column("knowledge_areas", ARRAY(sa.Text()), nullable=False),
        sa.Column("backstory", sa.Text()),
        sa.Column("language", sa.String(16)),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        _instant("retired_at"),
        _reference("virtual_users", "owner_id", "chat_profiles"),
    )
    op.create_index(
        "uq_virtual_users_default",
        "virtual_users",
        ["org_id", "owner_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_index(
        "ix_virtual_users_org_id_owner_id",
        "virtual_users",
        ["org_id", "owner_id", sa.text("created_at desc"), sa.text("id desc")],
    )


def _create_rooms() -> None:
    op.create_table(
        "chat_rooms",
        *_identified("chat_rooms"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid()),
        _instant("archived_at"),
        _instant("active_at", nullable=False),
        sa.Column("summary", sa.Text()),
        sa.Column("summary_through_id", sa.Uuid()),
        sa.Column("branched_from_id", sa.Uuid()),
        _reference("chat_rooms", "product_id", "products"),
        _reference("chat_rooms", "created_by", "chat_profiles"),
        sa.CheckConstraint("kind in ('private', 'group')", name="kind"),
    )
    op.create_index(
        "ix_chat_rooms_org_id_product_id", "chat_rooms", ["org_id", "product_id"]
    )
    _create_members()
    op.create_table(
        "chat_room_personas",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("virtual_user_id", sa.Uuid(), nullable=False),
        _instant("joined_at", nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "room_id", "virtual_user_id", name="pk_chat_room_personas"
        ),
        _reference("chat_room_personas", "room_id", "chat_rooms", "CASCADE"),
        _reference("chat_room_personas", "virtual_user_id", "virtual_users"),
    )
    op.create_index(
        "ix_chat_room_personas_org_id_virtual_user_id",
        "chat_room_personas",
        ["org_id", "virtual_user_id"],
    )


def _create_members() -> None:
    op.create_table(
        "chat_members",
        *_identified("chat_members"),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.UniqueConstraint(
            "org_id",
            "profile_id",
            "room_id",
            name="uq_chat_members_org_id_profile_id_room_id",
        ),
        _reference("chat_members", "room_id", "chat_rooms", "CASCADE"),
        _reference("chat_members", "profile_id", "chat_profiles"),
        sa.CheckConstraint("role in ('owner', 'member')", name="role"),
    )
    op.create_index(
        "ix_chat_members_org_id_room_id", "chat_members", ["org_id", "room_id"]
    )


def _create_messages() -> None:
    op.create_table(
        "chat_messages",
        *_identified("chat_messages"),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("profile_id", sa.Uuid()),
        sa.Column("virtual_user_id", sa.Uuid()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("citations", JSONB(), nullable=False),
        sa.Column("engine", JSONB()),
        sa.Column("dropped_claims", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid()),
        _instant("edited_at"),
        _instant("deleted_at"),
        sa.UniqueConstraint(
            "org_id", "room_id", "id", name="uq_chat_messages_org_id_room_id_id"
        ),
        _reference("chat_messages", "room_id", "chat_rooms", "CASCADE"),
        _in_the_same_room("chat_messages", "parent_id"),
        _in_the_same_room("chat_messages", "supersedes_id"),
        _reference("chat_messages", "profile_id", "chat_profiles"),
        _reference("chat_messages", "virtual_user_id", "virtual_users"),
        sa.CheckConstraint(
            "num_nonnulls(profile_id, virtual_user_id) = 1",
            name="one_sender",
        ),
        sa.CheckConstraint(
            "state in ('pending', 'complete', 'incomplete', 'failed')",
            name="state",
        ),
    )
    _index_messages()


def _in_the_same_room(
    table: str, column: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", "room_id", column],
        ["chat_messages.org_id", "chat_messages.room_id", "chat_messages.id"],
        name=f"fk_{table}_org_id_room_id_{column}_chat_messages",
        ondelete=ondelete,
    )


def _index_messages() -> None:
    op.create_index(
        "ix_chat_messages_org_id_room_id_created_at",
        "chat_messages",
        ["org_id", "room_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    op.create_index(
        "ix_chat_messages_org_id_room_id_parent_id",
        "chat_messages",
        ["org_id", "room_id", "parent_id"],
    )
    # Without it, deleting a room would look through the room for each message.
    op.create_index(
        "ix_chat_messages_org_id_room_id_supersedes_id",
        "chat_messages",
        ["org_id", "room_id", "supersedes_id"],
        postgresql_where=sa.text("supersedes_id is not null"),
    )
    op.create_index(
        "ix_chat_messages_org_id_run_id", "chat_messages", ["org_id", "run_id"]
    )


def _create_attachments() -> None:
    op.create_table(
        "chat_attachments",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "message_id", "document_id", name="pk_chat_attachments"
        ),
        _reference("chat_attachments", "message_id", "chat_messages", "CASCADE"),
        _reference("chat_attachments", "document_id", "documents", "CASCADE"),
    )
    op.create_index(
        "ix_chat_attachments_org_id_document_id",
        "chat_attachments",
        ["org_id", "document_id"],
    )


def _create_feedback() -> None:
    op.create_table(
        "chat_feedback",
        *_identified("chat_feedback"),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text()),
        _instant("updated_at", nullable=False),
        sa.UniqueConstraint(
            "org_id",
            "message_id",
            "profile_id",
            name="uq_chat_feedback_org_id_message_id_profile_id",
        ),
        _reference("chat_feedback", "message_id", "chat_messages", "CASCADE"),
        _reference("chat_feedback", "profile_id", "chat_profiles"),
        sa.CheckConstraint("rating in ('up', 'down')", name="rating"),
    )


def _create_shares() -> None:
    op.create_table(
        "chat_shares",
        *_identified("chat_shares"),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        _instant("expires_at", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _instant("revoked_at"),
        sa.UniqueConstraint("token_sha256", name="uq_chat_shares_token_sha256"),
        _in_the_same_room("chat_shares", "message_id", "CASCADE"),
        _reference("chat_shares", "created_by", "chat_profiles"),
        sa.CheckConstraint("kind in ('room', 'message')", name="kind"),
    )
    op.create_index(
        "ix_chat_shares_org_id_room_id", "chat_shares", ["org_id", "room_id"]
    )
