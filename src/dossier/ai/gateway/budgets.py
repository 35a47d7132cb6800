"""Queries on budgets and what they have spent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from dossier.ai.constants import BudgetScope
from dossier.ai.models import AiBudget, AiBudgetWindow, AiCall
from dossier.core.database import Session, raw_rows
from dossier.core.pagination import PageParams, Slice, paginate

WindowKey = tuple[UUID, datetime]


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose account a call goes."""

    user_id: UUID | None
    key_id: UUID | None


async def lock_budgets_for_org(
    session: Session, org_id: UUID, payer: Payer
) -> list[AiBudget]:
    """Return the budgets that count a call, held until the transaction ends.

    Always in the order of their ids, so that two callers never wait for each other.
    The commit does not wait for the disk, as where no budget counts: others wait for
    these rows.
    """
    await raw_rows(session, "select set_config('synchronous_commit', 'off', true)")
    query = (
        select(AiBudget)
        .where(AiBudget.org_id == org_id, _applies(payer))
        .order_by(AiBudget.id)
        .with_for_update()
    )
    return list(await session.scalars(query))


async def list_windows_for_org(
    session: Session, org_id: UUID, keys: list[WindowKey]
) -> dict[WindowKey, AiBudgetWindow]:
    """Return windows that exist, by budget and start."""
    query = select(AiBudgetWindow).where(
        AiBudgetWindow.org_id == org_id,
        tuple_(AiBudgetWindow.budget_id, AiBudgetWindow.starts_at).in_(keys),
    )
    # Rows that the session has met before may have moved since.
    found = await session.scalars(query.execution_options(populate_existing=True))
    return {(window.budget_id, window.starts_at): window for window in found}


async def add_reservations(
    session: Session,
    org_id: UUID,
    keys: list[WindowKey],
    tokens: int,
    usd: Decimal,
) -> None:
    """Set tokens and money aside in each window; the budgets' rows are locked."""
    rows = [
        {
            "org_id": org_id,
            "budget_id": budget_id,
            "starts_at": starts_at,
            "spent_tokens": 0,
            "reserved_tokens": tokens,
            "spent_usd": Decimal(0),
            "reserved_usd": usd,
        }
        for budget_id, starts_at in keys
    ]
    statement = insert(AiBudgetWindow).values(rows)
    held = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id", "budget_id", "starts_at"],
            set_={
                "reserved_tokens": AiBudgetWindow.reserved_tokens
                + held.reserved_tokens,
                "reserved_usd": AiBudgetWindow.reserved_usd + held.reserved_usd,
            },
        )
    )


async def add_budget(session: Session, values: dict[str, Any]) -> AiBudget:
    """Insert a budget, or change the caps of the one that counts the same."""
    statement = insert(AiBudget).values(values)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=["org_id", "scope", "subject_id", "window"],
        set_={
            "cap_tokens": new.cap_tokens,
            "cap_usd": new.cap_usd,
            "updated_at": new.updated_at,
        },
    ).returning(AiBudget)
    found = await session.scalars(upsert.execution_options(populate_existing=True))
    return found.one()


async def start_window_for_org(
    session: Session, org_id: UUID, budget: AiBudget, starts_at: datetime
) -> None:
    """Begin a window with what its calls have cost so far, unless it has begun."""
    spent = (
        select(
            AiCall.org_id.label("org_id"),
            func.sum(AiCall.charged_tokens).label("tokens"),
            func.coalesce(func.sum(AiCall.cost_usd), 0).label("usd"),
        )
        .where(AiCall.org_id == org_id, AiCall.created_at >= starts_at)
        .where(_counts(budget))
        .group_by(AiCall.org_id)
        .subquery()
    )
    row = (await session.execute(select(spent.c.tokens, spent.c.usd))).one_or_none()
    values = {
        "org_id": org_id,
        "budget_id": budget.id,
        "starts_at": starts_at,
        "spent_tokens": int(row.tokens) if row else 0,
        "reserved_tokens": 0,
        "spent_usd": row.usd if row else Decimal(0),
        "reserved_usd": Decimal(0),
    }
    await session.execute(
        insert(AiBudgetWindow).values(values).on_conflict_do_nothing()
    )


async def get_budget_for_org(
    session: Session, org_id: UUID, budget_id: UUID
) -> AiBudget | None:
    """Return one budget, or `None` if it is not this organisation's."""
    query = select(AiBudget).where(AiBudget.org_id == org_id, AiBudget.id == budget_id)
    return (await session.scalars(query)).one_or_none()


async def list_budgets_for_org(
    session: Session, org_id: UUID, page: PageParams
) -> Slice[AiBudget]:
    """Return one page of budgets, oldest first."""
    query = (
        select(AiBudget)
        .where(AiBudget.org_id == org_id)
        .order_by(AiBudget.created_at, AiBudget.id)
    )
    return await paginate(session, query, page)


async def remove_budget_for_org(
    session: Session, org_id: UUID, budget_id: UUID
) -> bool:
    """Delete a budget with its windows; `False` if there is none."""
    statement = (
        delete(AiBudget)
        .where(AiBudget.org_id == org_id, AiBudget.id == budget_id)
        .returning(AiBudget.id)
    )
    return (await session.scalar(statement)) is not None


def _applies(payer: Payer) -> ColumnElement[bool]:
    kinds = [AiBudget.scope == BudgetScope.ORGANISATION]
    for scope, subject in (
        (BudgetScope.USER, payer.user_id),
        (BudgetScope.KEY, payer.key_id),
    ):
        if subject is not None:
            kinds.append((AiBudget.scope == scope) & (AiBudget.subject_id == subject))
    return or_(*kinds)


def _counts(budget: AiBudget) -> ColumnElement[bool]:
    if budget.scope == BudgetScope.USER:
        return AiCall.user_id == budget.subject_id
    if budget.scope == BudgetScope.KEY:
        return AiCall.key_id == budget.subject_id
    return AiCall.org_id == budget.org_id
