"""Tables of the ledger, budgets, stored answers and what a probe found."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dossier.ai.constants import AnswerState, BudgetScope, BudgetWindow
from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args
from dossier.integrations.llm.types import CallOutcome


class AiCall(TenantOwned, Identified, Base):
    """One call of a model server with its retries; written before it is made.

    `cost_usd` is null where the price or the tokens are unknown, never 0 for that.
    `holds` names the budgets, with the start of their windows, that keep its tokens.
    Organisation, user, key and run are known by their ids only: nothing is looked up
    while an answer waits.
    """

    __tablename__ = "ai_calls"
    __table_args__ = tenant_args(
        Index(
            "ix_ai_calls_org_id_created_at",
            "org_id",
            text("created_at desc"),
            text("id desc"),
        ),
        Index(
            "ix_ai_calls_created_at",
            "created_at",
            postgresql_where=text("outcome = 'reserved'"),
        ),
    )

    user_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    feature: Mapped[str] = mapped_column(String(64))
    prompt_hash: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(Text)
    provider: Mapped[str | None] = mapped_column(String(32), default=None)
    server: Mapped[str | None] = mapped_column(Text, default=None)
    input_tokens: Mapped[int | None] = mapped_column(BigInteger, default=None)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger, default=None)
    cached_tokens: Mapped[int | None] = mapped_column(BigInteger, default=None)
    is_estimated: Mapped[bool] = mapped_column(default=False)
    reserved_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved_usd: Mapped[Decimal | None] = mapped_column(Numeric, default=None)
    charged_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric, default=None)
    price_source: Mapped[str | None] = mapped_column(Text, default=None)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger, default=None)
    first_token_ms: Mapped[int | None] = mapped_column(BigInteger, default=None)
    outcome: Mapped[CallOutcome] = mapped_column(
        String(16), default=CallOutcome.RESERVED
    )
    error_code: Mapped[str | None] = mapped_column(String(128), default=None)
    holds: Mapped[list[Any]] = mapped_column(JSONB, default_factory=list)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)


class AiBudget(TenantOwned, Identified, Base):
    """What an organisation, a member or a key may spend in a day or a month."""

    __tablename__ = "ai_budgets"
    __table_args__ = tenant_args(
        UniqueConstraint(
            "org_id",
            "scope",
            "subject_id",
            "window",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(
            "(scope = 'organisation') = (subject_id is null)", name="subject"
        ),
        CheckConstraint("cap_tokens is not null or cap_usd is not null", name="cap"),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    scope: Mapped[BudgetScope] = mapped_column(String(16))
    subject_id: Mapped[UUID | None]
    window: Mapped[BudgetWindow] = mapped_column(String(8))
    cap_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cap_usd: Mapped[Decimal | None] = mapped_column(Numeric)
    updated_at: Mapped[datetime] = mapped_column(default_factory=now)


class AiBudgetWindow(TenantOwned, Base):
    """What one budget has spent, and holds for running calls, in one window.

    Written only by who has locked the budget's row.
    """

    __tablename__ = "ai_budget_windows"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "budget_id"],
            ["ai_budgets.org_id", "ai_budgets.id"],
            ondelete="CASCADE",
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    budget_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    spent_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    spent_usd: Mapped[Decimal] = mapped_column(Numeric, default=Decimal(0))
    reserved_usd: Mapped[Decimal] = mapped_column(Numeric, default=Decimal(0))


class AiAnswer(TenantOwned, Identified, Base):
    """A stored answer, or the lead of the run that is making it."""

    __tablename__ = "ai_answers"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "key"),
        CheckConstraint(
            "(state = 'ready') = (payload is not null and expires_at is not null)",
            name="state",
        ),
        Index("ix_ai_answers_expires_at", "expires_at"),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    key: Mapped[str] = mapped_column(String(64))
    feature: Mapped[str] = mapped_column(String(64))
    scope: Mapped[dict[str, Any]]
    state: Mapped[AnswerState] = mapped_column(String(16))
    run_id: Mapped[UUID]
    claimed_until: Mapped[datetime]
    payload: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )
    hits: Mapped[int] = mapped_column(BigInteger, default=0)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)


class AiServers(Base):
    """What the newest probe found out under one configuration; of no organisation.

    `fingerprint` digests hosts and names of models, never a key.
    """

    __tablename__ = "ai_servers"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    servers: Mapped[list[dict[str, Any]]]
    abilities: Mapped[dict[str, Any]]
    prices: Mapped[dict[str, Any]]
    probed_at: Mapped[datetime]
