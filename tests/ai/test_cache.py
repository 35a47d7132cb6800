"""One run makes an answer, all others wait for it; a hit says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from dossier.ai.models import AiAnswer
from dossier.ai.schemas import AnswerLabel
from dossier.ai.service.cache import AnswerCache, CacheHit, Follow, Lead, cache_key
from dossier.ai.tasks import sweep_answers
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor, RoleRequiredError

KEY = cache_key(feature="chat.answer", input="pH?")


@asynccontextmanager
async def opened(
    sessions: SessionFactory, org_id: UUID, role: str = "owner"
) -> AsyncIterator[AnswerCache]:
    async with tenant_transaction(sessions, org_id) as session:
        yield AnswerCache(session, Actor(org_id, None, role, "Mei"))


async def claim(
    sessions: SessionFactory,
    org_id: UUID,
    run_id: UUID,
    *,
    key: str = KEY,
    ended: UUID | None = None,
    **scope: UUID,
) -> CacheHit | Lead | Follow:
    async with opened(sessions, org_id) as cache:
        return await cache.find_or_lead(key, "chat.answer", run_id, scope, ended=ended)


async def store(sessions: SessionFactory, org_id: UUID, key: str = KEY) -> bool:
    async with opened(sessions, org_id) as cache:
        return await cache.store(key, {"text": "5.5", "citations": [1]})


async def age(sessions: SessionFactory, org_id: UUID, **values: timedelta) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        moved = {name: now() + by for name, by in values.items()}
        await session.execute(
            update(AiAnswer).where(AiAnswer.org_id == org_id).values(moved)
        )


async def test_the_first_leads_and_the_others_follow_it(
    sessions: SessionFactory, org_id: UUID
) -> None:
    leader = uuid4()

    assert await claim(sessions, org_id, leader) == Lead()
    assert await claim(sessions, org_id, uuid4()) == Follow(leader)


async def test_a_stored_answer_is_given_again_and_counted(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await claim(sessions, org_id, uuid4())
    assert await store(sessions, org_id)

    hits = [await claim(sessions, org_id, uuid4()) for _ in range(2)]

    assert hits == [CacheHit({"text": "5.5", "citations": [1]})] * 2
    async with opened(sessions, org_id) as cache:
        shown = await cache.statistics()
    assert (shown.answers, shown.pending, shown.hits) == (1, 0, 2)
    assert shown.size_bytes > 0
    assert shown.features[0].feature == "chat.answer"


async def test_another_question_is_never_answered_from_it(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    await claim(sessions, org_id, uuid4())
    await store(sessions, org_id)

    assert await claim(sessions, org_id, uuid4(), key=cache_key(input="PH")) == Lead()
    assert await claim(sessions, other_org_id, uuid4()) == Lead()


async def test_a_run_that_was_taken_over_leads_again(
    sessions: SessionFactory, org_id: UUID
) -> None:
    leader = uuid4()
    await claim(sessions, org_id, leader)

    assert await claim(sessions, org_id, leader) == Lead()


async def test_a_claim_whose_time_is_over_is_taken_over(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await claim(sessions, org_id, uuid4())
    await age(sessions, org_id, claimed_until=timedelta(seconds=-1))
    second = uuid4()

    assert await claim(sessions, org_id, second) == Lead()
    assert await claim(sessions, org_id, uuid4()) == Follow(second)


async def test_a_leader_that_left_nothing_is_replaced_by_who_waited(
    sessions: SessionFactory, org_id: UUID
) -> None:
    leader = uuid4()
    await claim(sessions, org_id, leader)

    assert await claim(sessions, org_id, uuid4(), ended=uuid4()) == Follow(leader)
    assert await claim(sessions, org_id, uuid4(), ended=leader) == Lead()


async def test_an_answer_that_is_too_old_is_made_anew(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await claim(sessions, org_id, uuid4())
    await store(sessions, org_id)
    await age(sessions, org_id, expires_at=timedelta(seconds=-1))

    assert await claim(sessions, org_id, uuid4()) == Lead()
    assert await store(sessions, org_id)


async def test_answers_are_deleted_by_what_they_rest_on(
    sessions: SessionFactory, org_id: UUID
) -> None:
    product, room = uuid4(), uuid4()
    for number, scope in enumerate(({"product_id": product}, {"room_id": room})):
        key = cache_key(input=number)
        await claim(sessions, org_id, uuid4(), key=key, **scope)
        await store(sessions, org_id, key)

    async with opened(sessions, org_id) as cache:
        by_product = await cache.delete({"product_id": product})
        by_feature = await cache.delete(feature="chat.plain")
        everything = await cache.delete()

    assert (by_product, by_feature, everything) == (1, 0, 1)


async def test_an_answer_whose_claim_was_deleted_is_not_stored(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await claim(sessions, org_id, uuid4())
    async with opened(sessions, org_id, role="editor") as cache:
        await cache.forget()

    assert not await store(sessions, org_id)


async def test_a_viewer_clears_nothing(sessions: SessionFactory, org_id: UUID) -> None:
    with pytest.raises(RoleRequiredError):
        async with opened(sessions, org_id, role="viewer") as cache:
            await cache.delete()


async def test_switched_off_everyone_leads_and_nothing_stays(
    session: Session, actor: Actor
) -> None:
    cache = AnswerCache(session, actor, days=0)

    assert await cache.find_or_lead(KEY, "chat.answer", uuid4()) == Lead()
    assert not await cache.store(KEY, {"text": "x"})
    assert (await session.scalars(select(AiAnswer.id))).all() == []


async def test_the_sweep_takes_stale_answers_and_claims(
    sessions: SessionFactory, org_id: UUID
) -> None:
    for number in range(3):
        await claim(sessions, org_id, uuid4(), key=cache_key(input=number))
    await store(sessions, org_id, cache_key(input=0))
    past = timedelta(seconds=-1)
    await age(sessions, org_id, claimed_until=past)
    await claim(sessions, org_id, uuid4(), key=cache_key(input=1))

    assert await sweep_answers(sessions) == 1  # one claim is new again, one is stored
    await age(sessions, org_id, claimed_until=past)
    assert await sweep_answers(sessions) == 1


async def test_of_thirty_at_once_exactly_one_leads(
    committing: SessionFactory, lone_org_id: UUID
) -> None:
    outcomes: list[CacheHit | Lead | Follow] = []

    async def ask() -> None:
        outcomes.append(await claim(committing, lone_org_id, uuid4()))

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(ask())

    followed = {each for each in outcomes if isinstance(each, Follow)}
    assert sum(isinstance(each, Lead) for each in outcomes) == 1
    assert len(followed) == 1


def test_a_label_of_a_stored_answer_says_so() -> None:
    label = AnswerLabel(engine="model", model="large", network=True, at=now())

    again = label.cached()

    assert (again.from_cache, again.network) == (True, False)
    assert again.model == "large"
