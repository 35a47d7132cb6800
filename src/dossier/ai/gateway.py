"""Queries on stored answers, budgets, the ledger of calls, and probed servers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    Date,
    and_,
    case,
    cast,
    delete,
    func,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from dossier.ai.constants import AnswerState, BudgetScope, BudgetWindow, UsageGroup
from dossier.ai.models import AiAnswer, AiBudget, AiBudgetWindow, AiCall, AiServers
from dossier.ai.types import CallFilter, Cap, Spent
from dossier.core.clock import now
from dossier.core.database import Session, raw_rows
from dossier.core.pagination import PageParams, Slice, paginate
from dossier.integrations.llm.types import CallOutcome

_HIT = """
update ai_answers set hits = hits + 1
where org_id = $1 and key = $2 and state = 'ready' and expires_at > now()
returning payload::text as payload
"""
_LOCK_KEY = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def hit_answer_for_org(session: Session, org_id: UUID, key: str) -> str | None:
    """Return a stored answer as JSON text and count the hit, in one statement."""
    rows = await raw_rows(session, _HIT, org_id, key)
    return rows[0]["payload"] if rows else None


async def lock_key_for_org(session: Session, org_id: UUID, key: str) -> None:
    """Lock a key against other runs until the transaction ends."""
    await session.execute(_LOCK_KEY, {"name": f"ai_answers:{org_id}:{key}"})


async def take_lead_for_org(
    session: Session, org_id: UUID, values: dict[str, Any], ended: UUID | None
) -> bool:
    """Let a run make an answer; `False` where another run is making it."""
    statement = insert(AiAnswer).values(org_id=org_id, **values)
    taken = ("run_id", "claimed_until", "created_at", "feature", "scope", "hits")
    is_free = [
        AiAnswer.run_id == values["run_id"],
        AiAnswer.claimed_until < now(),
        AiAnswer.expires_at <= now(),
    ]
    if ended is not None:
        is_free.append(AiAnswer.run_id == ended)
    lead = statement.on_conflict_do_update(
        index_elements=["org_id", "key"],
        set_={name: statement.excluded[name] for name in taken}
        | {"state": AnswerState.PENDING, "payload": None, "expires_at": None},
        where=or_(*is_free),
    ).returning(AiAnswer.id)
    return (await session.scalar(lead)) is not None


async def replace_answer_for_org(
    session: Session, org_id: UUID, values: dict[str, Any]
) -> None:
    """Store an answer in the place of whatever has its key."""
    statement = insert(AiAnswer).values(org_id=org_id, **values)
    new = {name: statement.excluded[name] for name in values if name != "id"}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["org_id", "key"], set_=new)
    )


async def get_leader_for_org(session: Session, org_id: UUID, key: str) -> UUID | None:
    """Return the run that is making an answer."""
    query = select(AiAnswer.run_id).where(AiAnswer.org_id == org_id)
    return await session.scalar(query.where(AiAnswer.key == key))


async def settle_answer_for_org(
    session: Session,
    org_id: UUID,
    key: str,
    payload: dict[str, Any],
    expires_at: datetime,
) -> bool:
    """Store the answer of a lead; `False` where the lead was deleted meanwhile."""
    statement = (
        update(AiAnswer)
        .where(AiAnswer.org_id == org_id, AiAnswer.key == key)
        .where(AiAnswer.state == AnswerState.PENDING)
        .values(state=AnswerState.READY, payload=payload, expires_at=expires_at)
        .returning(AiAnswer.id)
    )
    return (await session.scalar(statement)) is not None


async def remove_answers_for_org(
    session: Session, org_id: UUID, *, feature: str | None, scope: dict[str, Any]
) -> int:
    """Delete the answers of a feature and a scope, and the leads of such answers.

    `None` and an empty scope do not narrow it.
    """
    statement = delete(AiAnswer).where(AiAnswer.org_id == org_id)
    if feature is not None:
        statement = statement.where(AiAnswer.feature == feature)
    if scope:
        statement = statement.where(AiAnswer.scope.contains(scope))
    removed = await session.scalars(statement.returning(AiAnswer.id))
    return len(removed.all())


async def summarise_answers_for_org(
    session: Session, org_id: UUID
) -> list[tuple[Any, ...]]:
    """Return feature, state, answers, hits, bytes and the oldest of each kind."""
    query = (
        select(
            AiAnswer.feature,
            AiAnswer.state,
            func.count(),
            func.sum(AiAnswer.hits),
            func.coalesce(func.sum(func.pg_column_size(AiAnswer.payload)), 0),
            func.min(AiAnswer.created_at),
        )
        .where(AiAnswer.org_id == org_id)
        .group_by(AiAnswer.feature, AiAnswer.state)
        .order_by(AiAnswer.feature, AiAnswer.state)
    )
    return [tuple(row) for row in await session.execute(query)]


async def remove_expired_for_system(session: Session, before: datetime) -> int:
    """Delete what is stale in every organisation: answers, and leads left behind."""
    stale = or_(
        AiAnswer.expires_at <= before,
        (AiAnswer.state == AnswerState.PENDING) & (AiAnswer.claimed_until <= before),
    )
    removed = await session.scalars(
        delete(AiAnswer).where(stale).returning(AiAnswer.id)
    )
    return len(removed.all())


WindowKey = tuple[UUID, datetime]

_LOCK_CAPS = """
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


async def lock_caps_for_org(
    session: Session, org_id: UUID, *, user_id: UUID | None, key_id: UUID | None
) -> list[Cap]:
    """Return the budgets that count a call, held until the transaction ends.

    Always in the order of their ids, so that two callers never wait for each other.
    """
    rows = await raw_rows(session, _LOCK_CAPS, org_id, user_id, key_id)
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


async def sum_run_for_org(
    session: Session, org_id: UUID, run_id: UUID
) -> tuple[int, int, int, Decimal, int]:
    """Return a run's calls, input and output tokens, cost, and calls without one.

    Calls under way count with what they hold.
    """
    held = AiCall.outcome == CallOutcome.RESERVED
    query = select(
        func.count(),
        func.coalesce(func.sum(AiCall.input_tokens), 0),
        func.coalesce(
            func.sum(case((held, AiCall.reserved_tokens), else_=AiCall.output_tokens)),
            0,
        ),
        func.coalesce(func.sum(func.coalesce(AiCall.cost_usd, 0)), 0),
        func.count().filter(AiCall.cost_usd.is_(None), not_(held)),
    ).where(AiCall.org_id == org_id, AiCall.run_id == run_id)
    calls, tokens_in, tokens_out, usd, unpriced = (await session.execute(query)).one()
    return calls, int(tokens_in), int(tokens_out), Decimal(usd), unpriced


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


async def get_servers_for_system(
    session: Session, fingerprint: str
) -> AiServers | None:
    """Return what was found under a configuration; any role may read it."""
    query = select(AiServers).where(AiServers.fingerprint == fingerprint)
    return (await session.scalars(query)).one_or_none()


async def add_servers(session: Session, values: dict[str, Any]) -> None:
    """Store what was found, in place of what was found before."""
    statement = insert(AiServers).values(values)
    changed = {name: statement.excluded[name] for name in values}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["fingerprint"], set_=changed)
    )
