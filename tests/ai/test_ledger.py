"""Every call is written before it is made, and settled once."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from tests.factories.ai import (
    FixedPrices,
    make_budget,
    make_ledger,
    make_record,
    make_tag,
)
from typing_extensions import override

from dossier.ai.constants import BudgetScope, BudgetWindow
from dossier.ai.exceptions import (
    BudgetBusyError,
    BudgetExhaustedError,
    ModelPriceUnknownError,
)
from dossier.ai.models import AiBudgetWindow, AiCall
from dossier.ai.service.ledger import Ledger
from dossier.ai.types import Price
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.problems import problem_of
from dossier.integrations.llm.types import CallOutcome


async def calls_of(sessions: SessionFactory, org_id: UUID) -> list[AiCall]:
    async with tenant_transaction(sessions, org_id) as session:
        query = select(AiCall).where(AiCall.org_id == org_id).order_by(AiCall.id)
        return list(await session.scalars(query))


async def window_of(sessions: SessionFactory, org_id: UUID) -> AiBudgetWindow:
    async with tenant_transaction(sessions, org_id) as session:
        query = select(AiBudgetWindow).where(AiBudgetWindow.org_id == org_id)
        return (await session.scalars(query)).one()


async def test_a_call_stands_in_the_ledger_before_it_is_made(
    sessions: SessionFactory, org_id: UUID
) -> None:
    run_id = uuid4()
    tag = make_tag(org_id, run_id=run_id, prompt_hash="a" * 64)

    await make_ledger(sessions).reserve(tag, "large", 500)

    [call] = await calls_of(sessions, org_id)
    assert call.outcome == CallOutcome.RESERVED
    assert (call.run_id, call.prompt_hash, call.reserved_tokens) == (
        run_id,
        "a" * 64,
        500,
    )
    assert call.settled_at is None
    assert call.cost_usd is None


async def test_a_settled_call_says_what_it_took_and_cost(
    sessions: SessionFactory, org_id: UUID
) -> None:
    ledger = make_ledger(sessions)
    reservation = await ledger.reserve(make_tag(org_id), "large", 500)

    await ledger.settle(reservation, make_record(1000, 200, 400))

    [call] = await calls_of(sessions, org_id)
    assert call.outcome == CallOutcome.COMPLETED
    assert (call.input_tokens, call.output_tokens, call.cached_tokens) == (
        1000,
        200,
        400,
    )
    assert call.cost_usd == Decimal("0.0012") + Decimal("0.0002") + Decimal("0.0016")
    assert call.price_source == "settings"
    assert call.charged_tokens == 1200
    assert (call.duration_ms, call.first_token_ms) == (1200, 300)
    assert call.settled_at is not None


async def test_an_unknown_price_is_null_and_has_no_source(
    sessions: SessionFactory, org_id: UUID
) -> None:
    ledger = make_ledger(sessions, None)
    reservation = await ledger.reserve(make_tag(org_id), "large", 500)

    await ledger.settle(reservation, make_record())

    [call] = await calls_of(sessions, org_id)
    assert (call.cost_usd, call.price_source) == (None, None)


async def test_a_call_is_settled_once(sessions: SessionFactory, org_id: UUID) -> None:
    ledger = make_ledger(sessions)
    await make_budget(sessions, org_id)
    reservation = await ledger.reserve(make_tag(org_id), "large", 500)

    await ledger.settle(reservation, make_record())
    await ledger.settle(reservation, make_record(9, 9))

    assert (await window_of(sessions, org_id)).spent_tokens == 150
    assert (await calls_of(sessions, org_id))[0].input_tokens == 100


async def test_a_budget_holds_what_is_reserved_until_it_is_spent(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_budget(sessions, org_id, cap_usd=Decimal(1))
    ledger = make_ledger(sessions)

    reservation = await ledger.reserve(make_tag(org_id), "large", 500)
    held = await window_of(sessions, org_id)
    await ledger.settle(reservation, make_record())
    spent = await window_of(sessions, org_id)

    assert (held.spent_tokens, held.reserved_tokens) == (0, 500)
    assert held.reserved_usd == Decimal("0.004")
    assert (spent.spent_tokens, spent.reserved_tokens) == (150, 0)
    assert (spent.spent_usd, spent.reserved_usd) == (Decimal("0.0006"), Decimal(0))


async def test_what_is_spent_forbids_a_call_and_says_until_when(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_budget(sessions, org_id, cap_tokens=160)
    ledger = make_ledger(sessions)
    await ledger.settle(
        await ledger.reserve(make_tag(org_id), "large", 160), make_record()
    )

    with pytest.raises(BudgetExhaustedError) as refused:
        await ledger.reserve(make_tag(org_id), "large", 11)

    problem = problem_of(refused.value)
    assert problem["status"] == 402
    assert problem["retry_after"] > 0
    assert problem["limit"]["unit"] == "tokens"
    assert (problem["limit"]["cap"], problem["limit"]["spent"]) == ("160", "150")
    assert problem["limit"]["resets_at"] > "2026"
    assert len(await calls_of(sessions, org_id)) == 1


async def test_what_running_calls_hold_asks_to_come_back_soon(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_budget(sessions, org_id, cap_tokens=1000)
    ledger = make_ledger(sessions)
    running = await ledger.reserve(make_tag(org_id), "large", 800)

    with pytest.raises(BudgetBusyError) as refused:
        await ledger.reserve(make_tag(org_id), "large", 300)
    await ledger.settle(running, make_record())
    await ledger.reserve(make_tag(org_id), "large", 300)

    assert (refused.value.status, refused.value.retry_after_s) == (429, 5)
    assert problem_of(refused.value)["limit"]["reserved"] == "800"


async def test_a_call_fits_all_budgets_or_none(
    sessions: SessionFactory, org_id: UUID
) -> None:
    user_id = uuid4()
    await make_budget(sessions, org_id, cap_tokens=10_000)
    await make_budget(
        sessions, org_id, scope=BudgetScope.USER, subject_id=user_id, cap_tokens=100
    )
    ledger = make_ledger(sessions)

    with pytest.raises(BudgetExhaustedError) as refused:
        await ledger.reserve(make_tag(org_id, user_id=user_id), "large", 101)
    await ledger.reserve(make_tag(org_id, user_id=uuid4()), "large", 101)

    assert problem_of(refused.value)["limit"]["scope"] == "user"
    assert (await window_of(sessions, org_id)).reserved_tokens == 101


async def test_a_key_has_its_own_budget(sessions: SessionFactory, org_id: UUID) -> None:
    key_id = uuid4()
    await make_budget(
        sessions,
        org_id,
        scope=BudgetScope.KEY,
        subject_id=key_id,
        window=BudgetWindow.DAY,
        cap_tokens=100,
    )
    ledger = make_ledger(sessions)

    with pytest.raises(BudgetExhaustedError):
        await ledger.reserve(make_tag(org_id, key_id=key_id), "large", 101)
    await ledger.reserve(make_tag(org_id), "large", 101)


async def test_another_organisations_budget_counts_nothing_here(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    await make_budget(sessions, other_org_id, cap_tokens=1)

    await make_ledger(sessions).reserve(make_tag(org_id), "large", 500)

    assert len(await calls_of(sessions, org_id)) == 1


async def test_money_that_cannot_be_counted_is_refused(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_budget(sessions, org_id, cap_tokens=None, cap_usd=Decimal(5))

    with pytest.raises(ModelPriceUnknownError, match="PRICE_INPUT_USD_PER_MTOK"):
        await make_ledger(sessions, None).reserve(make_tag(org_id), "own", 10)


async def test_a_server_of_ones_own_is_counted_as_free(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_budget(sessions, org_id, cap_tokens=None, cap_usd=Decimal(0))
    free = Price(Decimal(0), Decimal(0), None, "settings")
    ledger = make_ledger(sessions, free)

    await ledger.settle(
        await ledger.reserve(make_tag(org_id), "own", 10), make_record()
    )

    [call] = await calls_of(sessions, org_id)
    assert (call.cost_usd, call.price_source) == (Decimal(0), "settings")


async def race(
    sessions: SessionFactory, callers: int, tags: list[Any], tokens: int
) -> list[UUID]:
    """Let callers at once reserve from one ledger each; return who got through."""
    through: list[UUID] = []

    async def call(number: int) -> None:
        ledger = make_ledger(sessions)
        try:
            reservation = await ledger.reserve(tags[number % len(tags)], "l", tokens)
        except (BudgetBusyError, BudgetExhaustedError):
            return
        through.append(reservation)
        if number % 2:
            await ledger.settle(reservation, make_record(tokens, 0))

    async with asyncio.TaskGroup() as group:
        for number in range(callers):
            group.create_task(call(number))
    return through


async def test_fifty_callers_at_once_never_pass_the_cap(
    committing: SessionFactory, lone_org_id: UUID
) -> None:
    await make_budget(committing, lone_org_id, cap_tokens=1000)

    through = await race(committing, 50, [make_tag(lone_org_id)], 90)

    window = await window_of(committing, lone_org_id)
    assert len(through) == 11  # 11 * 90 <= 1000 < 12 * 90
    assert window.spent_tokens + window.reserved_tokens == 990


async def test_fifty_callers_of_one_key_never_pass_its_cap_and_others_are_not_held_up(
    committing: SessionFactory, lone_org_id: UUID
) -> None:
    key_id, user_id = uuid4(), uuid4()
    await make_budget(
        committing,
        lone_org_id,
        scope=BudgetScope.KEY,
        subject_id=key_id,
        cap_tokens=1000,
    )
    by_key = make_tag(lone_org_id, user_id=user_id, key_id=key_id)
    in_person = make_tag(lone_org_id, user_id=user_id)

    through = await race(committing, 50, [by_key], 90)
    others = await race(committing, 5, [in_person], 90)

    window = await window_of(committing, lone_org_id)
    assert (len(through), len(others)) == (11, 5)
    assert window.spent_tokens + window.reserved_tokens == 990
    calls = await calls_of(committing, lone_org_id)
    assert [call.key_id for call in calls].count(key_id) == 11


async def test_callers_under_several_budgets_never_wait_for_each_other(
    committing: SessionFactory, lone_org_id: UUID
) -> None:
    users = [uuid4() for _ in range(3)]
    for user_id in users:
        await make_budget(
            committing, lone_org_id, scope=BudgetScope.USER, subject_id=user_id
        )
    await make_budget(committing, lone_org_id, cap_tokens=10**6)
    tags = [make_tag(lone_org_id, user_id=user_id) for user_id in users]

    through = await race(committing, 36, tags, 100)

    assert len(through) == 30  # ten of each user's twelve


async def test_settling_is_repeated_until_the_database_answers(
    sessions: SessionFactory, org_id: UUID
) -> None:
    class BusyOnce(async_sessionmaker[AsyncSession]):
        opened = 0

        @override
        def __call__(self, **local_kw: Any) -> AsyncSession:
            self.opened += 1
            if self.opened == 2:
                raise PoolTimeoutError
            return super().__call__(**local_kw)

    busy = BusyOnce(**sessions.kw)
    ledger = make_ledger(busy)
    reservation = await ledger.reserve(make_tag(org_id), "large", 500)

    await ledger.settle(reservation, make_record())

    [call] = await calls_of(sessions, org_id)
    assert (call.outcome, busy.opened) == (CallOutcome.COMPLETED, 3)


@pytest.mark.parametrize(
    ("counts", "cost"), [((100, 50), Decimal("0.0006")), ((0, 0), Decimal(0))]
)
async def test_a_call_costs_what_its_model_cost_when_it_was_reserved(
    sessions: SessionFactory, org_id: UUID, counts: tuple[int, int], cost: Decimal
) -> None:
    prices = FixedPrices()
    ledger = Ledger(sessions, prices.price_of)
    reservation = await ledger.reserve(make_tag(org_id), "large", 500)
    prices.price = None

    await ledger.settle(reservation, make_record(*counts))

    [call] = await calls_of(sessions, org_id)
    assert (call.cost_usd, call.price_source) == (cost, "settings")
