"""Ledger of model calls, budgets, abilities, cache."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "ai"
down_revision = "reports"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _calls()
    _budgets()
    _answers()
    _servers()


def _calls() -> None:
    op.create_table(
        "ai_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("key_id", sa.Uuid()),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("feature", sa.String(64), nullable=False),
        sa.Column("prompt_hash", sa.String(64)),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.String(32)),
        sa.Column("server", sa.Text()),
        sa.Column("input_tokens", sa.BigInteger()),
        sa.Column("output_tokens", sa.BigInteger()),
        sa.Column("cached_tokens", sa.BigInteger()),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reserved_usd", sa.Numeric()),
        sa.Column("charged_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric()),
        sa.Column("price_source", sa.Text()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.Column("first_token_ms", sa.BigInteger()),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("error_code", sa.String(128)),
        sa.Column("holds", JSONB(), nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_ai_calls"),
        sa.UniqueConstraint("org_id", "id", name="uq_ai_calls_org_id_id"),
    )
    op.create_index(
        "ix_ai_calls_org_id_created_at",
        "ai_calls",
        ["org_id", sa.text("created_at desc"), sa.text("id desc")],
    )
    op.create_index(
        "ix_ai_calls_created_at",
        "ai_calls",
        ["created_at"],
        postgresql_where=sa.text("outcome = 'reserved'"),
    )
    tenant_table(op, "ai_calls")


def _budgets() -> None:
    op.create_table(
        "ai_budgets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("window", sa.String(8), nullable=False),
        sa.Column("cap_tokens", sa.BigInteger()),
        sa.Column("cap_usd", sa.Numeric()),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ai_budgets"),
        sa.UniqueConstraint("org_id", "id", name="uq_ai_budgets_org_id_id"),
        sa.UniqueConstraint(
            "org_id",
            "scope",
            "subject_id",
            "window",
            name="uq_ai_budgets_org_id_scope_subject_id_window",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint(
            "(scope = 'organisation') = (subject_id is null)",
            name="ck_ai_budgets_subject",
        ),
        sa.CheckConstraint(
            "cap_tokens is not null or cap_usd is not null", name="ck_ai_budgets_cap"
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisations.id"], name="fk_ai_budgets_org_id_organisations"
        ),
    )
    tenant_table(op, "ai_budgets")
    op.create_table(
        "ai_budget_windows",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("spent_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), nullable=False),
        sa.Column("spent_usd", sa.Numeric(), nullable=False),
        sa.Column("reserved_usd", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "budget_id", "starts_at", name="pk_ai_budget_windows"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "budget_id"],
            ["ai_budgets.org_id", "ai_budgets.id"],
            name="fk_ai_budget_windows_org_id_budget_id_ai_budgets",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "ai_budget_windows")


def _answers() -> None:
    op.create_table(
        "ai_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("feature", sa.String(64), nullable=False),
        sa.Column("scope", JSONB(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_until", _INSTANT, nullable=False),
        sa.Column("payload", JSONB()),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_ai_answers"),
        sa.UniqueConstraint("org_id", "id", name="uq_ai_answers_org_id_id"),
        sa.UniqueConstraint("org_id", "key", name="uq_ai_answers_org_id_key"),
        sa.CheckConstraint(
            "(state = 'ready') = (payload is not null and expires_at is not null)",
            name="ck_ai_answers_state",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisations.id"], name="fk_ai_answers_org_id_organisations"
        ),
    )
    op.create_index("ix_ai_answers_expires_at", "ai_answers", ["expires_at"])
    tenant_table(op, "ai_answers")


def _servers() -> None:
    op.create_table(
        "ai_servers",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("servers", JSONB(), nullable=False),
        sa.Column("abilities", JSONB(), nullable=False),
        sa.Column("prices", JSONB(), nullable=False),
        sa.Column("probed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_ai_servers"),
    )
    op.execute("grant select on ai_servers to dossier_app, dossier_system")
    op.execute("grant insert, update, delete on ai_servers to dossier_system")


def downgrade() -> None:
    """Revert."""
    op.drop_table("ai_servers")
    for table in ("ai_answers", "ai_budget_windows", "ai_budgets", "ai_calls"):
        drop_tenant_table(op, table)
