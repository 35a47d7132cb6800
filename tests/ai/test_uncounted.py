"""Who pays from no budget is known only while new budgets are heard of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from tests.factories.ai import make_budget, make_ledger, make_tag

from dossier.ai.constants import BUDGETS_CHANNEL, CallOutcome
from dossier.ai.exceptions import BudgetExhaustedError
from dossier.ai.models import AiCall
from dossier.ai.schemas import BudgetRequest
from dossier.ai.service import BudgetsService
from dossier.ai.service.ledger import Ledger
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.listening import Listener
from dossier.core.tenancy import Actor

SOON_S = 2.0


@pytest.fixture
async def listener(committing_url: str) -> AsyncIterator[Listener]:
    listener = Listener(committing_url)
    yield listener
    await listener.close()


@pytest.fixture
async def ledger(
    committing: SessionFactory, listener: Listener
) -> AsyncIterator[Ledger]:
    ledger = make_ledger(committing)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(ledger.uncounted.listening(listener))
        await listener.add(BUDGETS_CHANNEL, lambda _: None)  # both listen by now
        yield ledger


class Nobody:
    """Knows no member and no key: a budget of the whole organisation needs neither."""

    async def get_user(self, _user_id: UUID) -> object:
        raise AssertionError

    async def get_api_key(self, _key_id: UUID) -> object:
        raise AssertionError


async def set_budget(sessions: SessionFactory, org_id: UUID) -> None:
    wanted = BudgetRequest.model_validate(
        {"scope": "organisation", "window": "day", "cap_tokens": 10}
    )
    actor = Actor(org_id=org_id, user_id=uuid4(), role="owner", name="Lin")
    async with tenant_transaction(sessions, org_id) as session:
        service = BudgetsService(session, actor, Nobody(), Nobody())
        await service.set_budget(wanted)


async def until_forgotten(ledger: Ledger, org_id: UUID) -> None:
    async with asyncio.timeout(SOON_S):
        while ledger.is_uncounted(make_tag(org_id)):  # noqa: ASYNC110 - news come
            await asyncio.sleep(0.005)


async def test_nobody_is_known_where_nobody_listens(
    committing: SessionFactory, lone_org_id: UUID
) -> None:
    ledger = make_ledger(committing)
    await ledger.reserve(make_tag(lone_org_id), "large", 10)

    assert not ledger.is_uncounted(make_tag(lone_org_id))


async def test_payer_is_known_from_the_first_call_until_there_is_a_budget(
    ledger: Ledger, committing: SessionFactory, lone_org_id: UUID
) -> None:
    tag = make_tag(lone_org_id)
    before = ledger.is_uncounted(tag)
    await ledger.reserve(tag, "large", 10)
    after = ledger.is_uncounted(tag)

    await set_budget(committing, lone_org_id)

    assert (before, after) == (False, True)
    await until_forgotten(ledger, lone_org_id)


async def test_nobody_is_known_while_nothing_is_heard(
    ledger: Ledger, listener: Listener, lone_org_id: UUID
) -> None:
    await ledger.reserve(make_tag(lone_org_id), "large", 10)
    await listener.close()

    assert not ledger.is_uncounted(make_tag(lone_org_id))


async def test_look_that_began_before_the_news_counts_for_nothing(
    ledger: Ledger, committing: SessionFactory, lone_org_id: UUID
) -> None:
    payer = (lone_org_id, None, None)
    await ledger.reserve(make_tag(lone_org_id), "large", 10)
    began = ledger.uncounted.look()
    await set_budget(committing, lone_org_id)
    await until_forgotten(ledger, lone_org_id)
    ledger.uncounted.note(payer, began)

    assert not ledger.is_uncounted(make_tag(lone_org_id))


async def test_call_that_a_budget_cuts_is_written_and_its_payer_believed_no_more(
    ledger: Ledger, committing: SessionFactory, lone_org_id: UUID
) -> None:
    tag = make_tag(lone_org_id)
    await ledger.reserve(tag, "large", 10)
    await make_budget(committing, lone_org_id, cap_tokens=5)  # and nobody tells of it
    before = ledger.is_uncounted(tag)

    with pytest.raises(BudgetExhaustedError):
        await ledger.reserve(tag, "large", 10, goes_ahead=True)

    assert (before, ledger.is_uncounted(tag)) == (True, False)
    async with tenant_transaction(committing, lone_org_id) as session:
        calls = list(await session.scalars(select(AiCall).order_by(AiCall.id)))
    assert [call.outcome for call in calls] == [
        CallOutcome.RESERVED,
        CallOutcome.CANCELLED,
    ]
    assert (calls[1].error_code, calls[1].charged_tokens) == ("budget", 0)


async def test_call_that_was_never_made_leaves_no_row(
    committing: SessionFactory, lone_org_id: UUID
) -> None:
    await make_budget(committing, lone_org_id, cap_tokens=5)

    with pytest.raises(BudgetExhaustedError):
        await make_ledger(committing).reserve(make_tag(lone_org_id), "large", 10)

    async with tenant_transaction(committing, lone_org_id) as session:
        assert not list(await session.scalars(select(AiCall)))
