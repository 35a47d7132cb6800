"""New rows that are cheap to make, and what a statement fills in."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from dossier.chat.models import ChatMessage, ChatProfile
from dossier.core.creates import COMPUTED, Condition, create_for, fresh
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.reads import fenced
from dossier.core.tenancy import Actor
from dossier.jobs.models import Job

GIVEN: dict[str, Any] = {
    "org_id": uuid4(),
    "kind": "a.b",
    "actor_name": "Lin",
    "actor_role": "owner",
    "engine_id": 1,
}


def members_of(job: Job) -> dict[str, object]:
    names = [column.key for column in Job.__table__.columns]
    return {name: getattr(job, name) for name in names}


def test_fresh_row_is_what_its_constructor_makes() -> None:
    usual = Job(**GIVEN, attempts=3)
    given = {**GIVEN, "id": usual.id, "created_at": usual.created_at}

    assert members_of(fresh(Job, **given, attempts=3)) == members_of(usual)


def test_fresh_rows_share_nothing() -> None:
    one, other = (fresh(Job, **GIVEN) for _ in range(2))
    one.args["question"] = "?"

    assert one.id != other.id
    assert other.args == {}


@pytest.mark.parametrize("wrong", [{"org_id": uuid4()}, {**GIVEN, "knd": "a.b"}])
def test_row_without_what_it_needs_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="argument"):
        fresh(Job, **wrong)


async def test_statement_fills_in_what_it_reads(
    sessions: SessionFactory, org_id: UUID
) -> None:
    actor = Actor.system(org_id)
    creates = create_for(sessions, actor)
    row = fresh(ChatProfile, org_id=org_id, user_id=None, display_name=COMPUTED)
    creates.add(row, computed={"display_name": "held.name"})
    named = fenced(
        "select org.id as org_id, org.name from organisations org "
        "where org.id = bound.org_id"
    )

    held = await creates.read_and_store(Condition(named, ()))

    async with tenant_transaction(sessions, org_id) as session:
        [stored] = await session.scalars(select(ChatProfile))
    assert held is not None
    assert (stored.id, stored.display_name) == (row.id, held["name"])


async def test_nothing_is_stored_where_the_condition_reads_nothing(
    sessions: SessionFactory, org_id: UUID
) -> None:
    creates = create_for(sessions, Actor.system(org_id))
    creates.add(fresh(ChatProfile, org_id=org_id, user_id=None, display_name="Lin"))
    nobody = fenced(
        "select org.id as org_id from organisations org "
        "where org.id = bound.org_id and false"
    )

    assert await creates.read_and_store(Condition(nobody, ())) is None

    async with tenant_transaction(sessions, org_id) as session:
        assert not list(await session.scalars(select(ChatProfile)))
        assert not list(await session.scalars(select(ChatMessage)))
