"""People who talk at the same time; transactions here really commit."""

import asyncio
from uuid import UUID

from tests.factories.accounts import make_organisation
from tests.factories.chat import make_message, make_room, make_virtual_user

from dossier.chat.gateway import messages as gateway
from dossier.core.database import make_engine, make_sessions, tenant_transaction
from dossier.core.models import new_id

SPEAKERS = 6


async def test_concurrent_messages_stay_on_one_branch(
    fresh_database: str,
) -> None:
    engine = make_engine(fresh_database, pool_size=SPEAKERS)
    sessions = make_sessions(engine)
    org_id = await make_organisation(sessions, id=new_id(), name="Rose Maison")
    room = await make_room(sessions, org_id)

    async with asyncio.TaskGroup() as group:
        said = [
            group.create_task(make_message(sessions, org_id, room_id=room.id))
            for _ in range(SPEAKERS)
        ]

    async with tenant_transaction(sessions, org_id) as session:
        newest = await gateway.get_newest_message_for_org(session, org_id, room.id)
        assert newest is not None
        path = await gateway.list_path_for_org(
            session, org_id, room.id, newest.id, SPEAKERS + 1
        )
    await engine.dispose()
    assert {each.id for each in path} == {task.result().id for task in said}


async def test_first_uses_at_once_make_one_profile_and_one_assistant(
    fresh_database: str,
) -> None:
    engine = make_engine(fresh_database, pool_size=SPEAKERS)
    sessions = make_sessions(engine)
    org_id: UUID = await make_organisation(sessions, id=new_id(), name="Lily House")

    async with asyncio.TaskGroup() as group:
        made = [
            group.create_task(make_virtual_user(sessions, org_id))
            for _ in range(SPEAKERS)
        ]

    await engine.dispose()
    assert len({task.result().id for task in made}) == 1
