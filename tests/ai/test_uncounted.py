"""Who pays from no budget is known only while new budgets are heard of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from tests.factories.ai import make_ledger, make_tag

from dossier.ai.constants import BUDGETS_CHANNEL
from dossier.ai.gateway.budgets import tell_of_budget_for_org
from dossier.ai.service.ledger import Ledger
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.listening import Listener

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

    async with tenant_transaction(committing, lone_org_id) as session:
        await tell_of_budget_for_org(session, lone_org_id)

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
    async with tenant_transaction(committing, lone_org_id) as session:
        await tell_of_budget_for_org(session, lone_org_id)
    await until_forgotten(ledger, lone_org_id)
    ledger.uncounted.note(payer, began)

    assert not ledger.is_uncounted(make_tag(lone_org_id))
