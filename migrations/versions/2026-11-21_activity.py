"""The append-only trail and its seals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "activity"
down_revision = "foundation"
branch_labels = None
depends_on = None

REFUSE = """
create function activity_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the trail is append-only' using errcode = 'insufficient_privilege';
end $$
"""

# Written by the database, so that no code path can leave an event out.
QUEUE = """
create function activity_queue_for_seal() returns trigger language plpgsql as $$
begin
  insert into activity_pending (org_id, event_id)
  select org_id, id from fresh_events;
  return null;
end $$
"""


def upgrade() -> None:
    """Apply."""
    _create_events()
    _create_seals()
    _create_pending()
    op.execute(REFUSE)
    op.execute(QUEUE)
    for table in ("activity_events", "activity_seals"):
        op.execute(
            f"create trigger {table}_append_only before update or delete or truncate "
            f"on {table} for each statement execute function activity_refuse_change()"
        )
    op.execute(
        "create trigger activity_events_queue after insert on activity_events "
        "referencing new table as fresh_events "
        "for each statement execute function activity_queue_for_seal()"
    )


def _create_events() -> None:
    op.create_table(
        "activity_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("actor_name", sa.String(200), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("entity_type", sa.String(64), nullable=False),
        sa.Column("entity_id", sa.String(64)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("details", JSONB(), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("user_agent", sa.String(400)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("row_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activity_events"),
        sa.UniqueConstraint("org_id", "id", name="uq_activity_events_org_id_id"),
    )
    op.create_index(
        "ix_activity_events_org_id_created_at",
        "activity_events",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    op.create_index(
        "ix_activity_events_org_id_entity",
        "activity_events",
        ["org_id", "entity_type", "entity_id"],
    )
    tenant_table(op, "activity_events", append_only=True)


def _create_seals() -> None:
    op.create_table(
        "activity_seals",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("row_hash", sa.String(64), nullable=False),
        sa.Column("chain_hash", sa.String(64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "position", name="pk_activity_seals"),
        sa.UniqueConstraint(
            "org_id", "event_id", name="uq_activity_seals_org_id_event_id"
        ),
    )
    tenant_table(op, "activity_seals", append_only=True)


def _create_pending() -> None:
    op.create_table(
        "activity_pending",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "event_id", name="pk_activity_pending"),
        sa.ForeignKeyConstraint(
            ["org_id", "event_id"],
            ["activity_events.org_id", "activity_events.id"],
            name="fk_activity_pending_org_id_event_id_activity_events",
        ),
    )
    tenant_table(op, "activity_pending")


def downgrade() -> None:
    """Revert."""
    for table in ("activity_pending", "activity_seals", "activity_events"):
        drop_tenant_table(op, table)
    op.execute("drop function activity_queue_for_seal()")
    op.execute("drop function activity_refuse_change()")
