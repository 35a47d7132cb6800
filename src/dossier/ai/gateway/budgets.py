"""Queries on budgets and what they have spent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from dossier.ai.constants import BudgetScope, BudgetWindow
from dossier.ai.models import AiBudget, AiBudgetWindow, AiCall
from dossier.core.database import Session, raw_rows
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.integrations.llm.types import CallOutcome

WindowKey = tuple[UUID, datetime]

_LOCK = """
select b.id, b.scope, b."window", b.cap_tokens, b.cap_usd
from ai_budgets b
where b.org_id = $1 and (b.scope = 'organisation'
  or (b.scope = 'user' and b.subject_id = $2)
  or (b.scope = 'key' and b.subject_id = $3))
order by b.id for update of b
"""
_SPENT = """
select w.budget_id, w.starts_at, w.spent_tokens, w.reserved_tokens, w.spent_usd,
  w.reserved_usd
from unnest($2::uuid[], $3::timestamptz[]) as wanted (budget_id, starts_at)
join ai_budget_windows w on w.org_id = $1
  and w.budget_id = wanted.budget_id and w.starts_at = wanted.starts_at
"""
_HOLD = """
insert into ai_budget_windows as w (org_id, budget_id, starts_at, spent_tokens,
  reserved_tokens, spent_usd, reserved_usd)
select $1, wanted.budget_id, wanted.starts_at, 0, $4, 0, $5
from unnest($2::uuid[], $3::timestamptz[]) as wanted (budget_id, starts_at)
on conflict (org_id, budget_id, starts_at) do update set
  reserved_tokens = w.reserved_tokens + excluded.reserved_tokens,
  reserved_usd = w.reserved_usd + excluded.reserved_usd
"""


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget, as far as it decides over a call."""

    id: UUID
    scope: BudgetScope
    window: BudgetWindow
    cap_tokens: int | None
    cap_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a window has spent, and holds for running calls."""

    spent_tokens: int = 0
    reserved_tokens: int = 0
    spent_usd: Decimal = Decimal(0)
    reserved_usd: Decimal = Decimal(0)


async def lock_caps_for_org(
    session: Session, org_id: UUID, *, user_id: UUID | None, key_id: UUID | None
) -> list[Cap]:
    """Return the budgets that count a call, held until the transaction ends.

    Always in the order of their ids, so that two callers never wait for each other.
    """
    rows = await raw_rows(session, _LOCK, org_id, user_id, key_id)
    return [
        Cap(
            row["id"],
            BudgetScope(row["scope"]),
            BudgetWindow(row["window"]),
            row["cap_tokens"],
            row["cap_usd"],
        )
        for row in rows
    ]


async def list_spent_for_org(
    session: Session, org_id: UUID, keys: list[WindowKey]
) -> dict[WindowKey, Spent]:
    """Return what windows have spent and hold, once their budgets are locked."""
    rows = await raw_rows(session, _SPENT, org_id, *_columns(keys))
    return {
        (row["budget_id"], row["starts_at"]): Spent(
            row["spent_tokens"],
            row["reserved_tokens"],
            row["spent_usd"],
            row["reserved_usd"],
        )
        for row in rows
    }


async def add_reservations(
    session: Session, org_id: UUID, keys: list[WindowKey], tokens: int, usd: Decimal
) -> None:
    """Set tokens and money aside in each window; the budgets' rows are locked."""
    await raw_rows(session, _HOLD, org_id, *_columns(keys), tokens, usd)


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
    """Begin a window with what its calls have cost so far, unless it has begun.

    Calls under way reserve nothing of a new budget and are never charged to it, so what
    they have reserved counts as spent: rather too much than a cap that is passed.
    """
    is_counted = {
        BudgetScope.ORGANISATION: AiCall.org_id == org_id,
        BudgetScope.USER: AiCall.user_id == budget.subject_id,
        BudgetScope.KEY: AiCall.key_id == budget.subject_id,
    }
    is_under_way = AiCall.outcome == CallOutcome.RESERVED
    tokens = case((is_under_way, AiCall.reserved_tokens), else_=AiCall.charged_tokens)
    usd = case((is_under_way, AiCall.reserved_usd), else_=AiCall.cost_usd)
    spent = (
        select(func.sum(tokens), func.coalesce(func.sum(usd), 0))
        .where(AiCall.org_id == org_id, AiCall.created_at >= starts_at)
        .where(is_counted[BudgetScope(budget.scope)])
    )
    spent_tokens, spent_usd = (await session.execute(spent)).one()
    values = {
        "org_id": org_id,
        "budget_id": budget.id,
        "starts_at": starts_at,
        "spent_tokens": int(spent_tokens or 0),
        "reserved_tokens": 0,
        "spent_usd": spent_usd,
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


def _columns(keys: list[WindowKey]) -> tuple[list[UUID], list[datetime]]:
    return [key[0] for key in keys], [key[1] for key in keys]
