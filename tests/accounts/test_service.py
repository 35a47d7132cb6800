import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.accounts.conftest import PASSWORD, KnownHash
from tests.factories.accounts import make_user

from dossier.accounts.constants import LOCAL_ORG_ID, OrganisationKind, Role
from dossier.accounts.models import User
from dossier.accounts.schemas import UserUpdate
from dossier.accounts.service import rights
from dossier.accounts.service.members import AccountsService
from dossier.accounts.service.organisations import OrganisationsService
from dossier.activity.service import ActivityService
from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from dossier.core.tenancy import Actor, RoleRequiredError


@pytest.fixture
async def committed(fresh_database: str) -> AsyncIterator[SessionFactory]:
    """Sessions that really commit, each on a connection of its own."""
    engine = make_engine(fresh_database)
    yield make_sessions(engine)
    await engine.dispose()


async def demoted(sessions: SessionFactory, actor: Actor, user_id: UUID) -> bool:
    try:
        async with tenant_transaction(sessions, actor.org_id) as session:
            actor = await rights.confirm(session, actor)
            activity = ActivityService(session, actor)
            service = AccountsService(session, actor, activity)
            await service.update_user(user_id, UserUpdate(role=Role.VIEWER))
    except RoleRequiredError:  # the other one was faster
        return False
    return True


async def test_two_owners_who_demote_each_other_leave_one(
    committed: SessionFactory,
) -> None:
    organisations = OrganisationsService(committed)
    org = await organisations.create_organisation("Rose", OrganisationKind.BRAND)
    mei, lin = [
        (await make_user(committed, org.id, email=f"{n}@example.com", role=Role.OWNER))
        for n in ("mei", "lin")
    ]
    actor = Actor(org_id=org.id, user_id=mei.id, role="owner", name="Mei")

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(demoted(committed, actor, lin.id)),
            group.create_task(
                demoted(committed, replace(actor, user_id=lin.id), mei.id)
            ),
        ]

    assert sorted(task.result() for task in tasks) == [False, True]


async def test_local_organisation_is_made_once(committed: SessionFactory) -> None:
    organisations = OrganisationsService(committed)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(organisations.ensure_local()) for _ in range(4)]

    assert {task.result().org_id for task in tasks} == {LOCAL_ORG_ID}
    async with tenant_transaction(committed, LOCAL_ORG_ID) as session:
        assert await session.scalar(text("select count(*) from memberships")) == 1


async def test_making_people_is_recorded(
    sessions: SessionFactory, password_hash: str
) -> None:
    organisations = OrganisationsService(sessions)
    org = await organisations.create_organisation("Rose", OrganisationKind.OEM)
    await organisations.create_user(
        org.id,
        User(email="mei@example.com", name="Mei", password_hash=None),
        Role.OWNER,
        password=PASSWORD,
        passwords=KnownHash(password_hash),
    )

    async with tenant_transaction(sessions, org.id) as session:
        rows = await session.execute(
            text("select action, entity_type from activity_events order by id")
        )

    assert [tuple(row) for row in rows] == [
        ("create", "organisation"),
        ("create", "user"),
    ]


async def test_tenant_sees_its_own_people_alone(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    await make_user(sessions, org_id, email="mei@example.com")
    await make_user(sessions, other_org_id, email="lily@example.com")

    async with tenant_transaction(sessions, org_id) as session:
        people = list(await session.scalars(text("select email from users")))
        houses = list(await session.scalars(text("select id from organisations")))
        changed = await session.execute(
            text("update users set name = 'x' returning id")
        )

    assert people == ["mei@example.com"]
    assert houses == [org_id]
    assert len(changed.all()) == 1
