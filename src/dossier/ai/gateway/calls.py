"""Queries on the ledger of calls."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Date, and_, cast, func, select

from dossier.ai.constants import UsageGroup
from dossier.ai.models import AiCall
from dossier.ai.schemas import CallFilter
from dossier.core.database import Session, raw_rows
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.integrations.llm.types import CallOutcome

_ADD = """
insert into ai_calls (
  org_id, id, created_at, user_id, key_id, run_id, feature, prompt_hash, model,
  reserved_tokens, reserved_usd, holds, is_estimated, charged_tokens, outcome)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb, false, 0,
  'reserved')
"""
_SETTLE = """
with done as (
  update ai_calls set provider = $3, server = $4, model = $5, input_tokens = $6,
    output_tokens = $7, cached_tokens = $8, is_estimated = $9, charged_tokens = $10,
    cost_usd = $11, price_source = $12, duration_ms = $13, first_token_ms = $14,
    outcome = $15, error_code = $16, settled_at = $17
  where org_id = $1 and id = $2 and outcome = 'reserved'
  returning holds, reserved_tokens, reserved_usd
), held as (
  select (hold->>0)::uuid as budget_id, (hold->>1)::timestamptz as starts_at,
    done.reserved_tokens, done.reserved_usd
  from done, jsonb_array_elements(done.holds) hold
), locked as (
  select b.id from ai_budgets b
  where b.org_id = $1 and b.id in (select budget_id from held)
  order by b.id for update
), moved as (
  update ai_budget_windows w set
    reserved_tokens = w.reserved_tokens - held.reserved_tokens,
    reserved_usd = w.reserved_usd - coalesce(held.reserved_usd, 0),
    spent_tokens = w.spent_tokens + $10,
    spent_usd = w.spent_usd + $18
  from held join locked on locked.id = held.budget_id
  where w.org_id = $1 and w.budget_id = held.budget_id and w.starts_at = held.starts_at
)
select count(*) as settled from done
"""


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call that is about to be made."""

    id: UUID
    created_at: datetime
    user_id: UUID | None
    key_id: UUID | None
    run_id: UUID | None
    feature: str
    prompt_hash: str | None
    model: str
    reserved_tokens: int
    reserved_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a call came to; the order is that of the statement's parameters."""

    provider: str | None
    server: str | None
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    is_estimated: bool
    charged_tokens: int
    cost_usd: Decimal | None
    price_source: str | None
    duration_ms: int | None
    first_token_ms: int | None
    outcome: CallOutcome
    error_code: str | None
    settled_at: datetime
    charged_usd: Decimal


async def add_call(
    session: Session,
    org_id: UUID,
    call: NewCall,
    holds: list[tuple[UUID, datetime]],
) -> None:
    """Write a call before it is made, with the budgets that hold tokens for it."""
    held = [[str(budget_id), start.isoformat()] for budget_id, start in holds]
    members = [getattr(call, name) for name in NewCall.__slots__]
    await raw_rows(session, _ADD, org_id, *members, orjson.dumps(held).decode())


async def settle_call_for_org(
    session: Session, org_id: UUID, call_id: UUID, settlement: Settlement
) -> bool:
    """Write what a call came to and move it in its budgets; `False` if it was before.

    Budgets are locked in the order of their ids, here and where tokens are reserved.
    """
    members = [getattr(settlement, name) for name in Settlement.__slots__]
    rows = await raw_rows(session, _SETTLE, org_id, call_id, *members)
    return bool(rows[0]["settled"])


async def list_calls_for_org(
    session: Session, org_id: UUID, wanted: CallFilter, page: PageParams
) -> Slice[AiCall]:
    """Return one page of calls, the newest first."""
    query = (
        select(AiCall)
        .where(AiCall.org_id == org_id, *_conditions(wanted))
        .order_by(AiCall.created_at.desc(), AiCall.id.desc())
    )
    return await paginate(session, query, page)


async def sum_calls_for_org(
    session: Session,
    org_id: UUID,
    wanted: CallFilter,
    groups: list[UsageGroup],
    limit: int,
) -> list[tuple[Any, ...]]:
    """Return the groups' values, then calls, tokens, costs and how many lack one."""
    keys = [_GROUPS[group] for group in groups]
    query = (
        select(*keys, *_SUMS)
        .where(AiCall.org_id == org_id, *_conditions(wanted))
        .group_by(*keys)
        .order_by(*keys)
        .limit(limit)
    )
    return [tuple(row) for row in await session.execute(query)]


async def list_open_calls_for_system(
    session: Session, before: datetime, limit: int
) -> list[AiCall]:
    """Return unsettled calls of all organisations, oldest first."""
    query = (
        select(AiCall)
        .where(AiCall.outcome == CallOutcome.RESERVED, AiCall.created_at < before)
        .order_by(AiCall.created_at)
        .limit(limit)
    )
    return list(await session.scalars(query))


_DAY = cast(func.timezone("UTC", AiCall.created_at), Date)
_GROUPS = {
    UsageGroup.DAY: _DAY,
    UsageGroup.FEATURE: AiCall.feature,
    UsageGroup.MODEL: AiCall.model,
    UsageGroup.USER: AiCall.user_id,
    UsageGroup.KEY: AiCall.key_id,
}
_IS_COST_UNKNOWN = and_(
    AiCall.cost_usd.is_(None), AiCall.outcome != CallOutcome.RESERVED
)
_SUMS = (
    func.count(),
    func.coalesce(func.sum(AiCall.input_tokens), 0),
    func.coalesce(func.sum(AiCall.output_tokens), 0),
    func.coalesce(func.sum(AiCall.cached_tokens), 0),
    func.coalesce(func.sum(AiCall.charged_tokens), 0),
    func.sum(AiCall.cost_usd),
    func.count().filter(_IS_COST_UNKNOWN),
)


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    equal = {
        AiCall.feature: wanted.feature,
        AiCall.model: wanted.model,
        AiCall.user_id: wanted.user_id,
        AiCall.key_id: wanted.key_id,
        AiCall.run_id: wanted.run_id,
        AiCall.outcome: wanted.outcome,
    }
    conditions = [
        column == value for column, value in equal.items() if value is not None
    ]
    if wanted.since is not None:
        conditions.append(AiCall.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AiCall.created_at < wanted.until)
    return conditions
