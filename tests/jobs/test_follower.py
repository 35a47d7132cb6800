"""The one reader of a web process: its connection, its waits, its outages."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from tests.conftest import ORG_ID
from tests.factories.jobs import (
    STREAM_KIND,
    get_job,
    make_job,
    make_toy,
    read_stream,
)

from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    system_transaction,
    tenant_transaction,
)
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.follower import JobFollower
from dossier.jobs.gateway import rows
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
LISTENING = text(
    "select count(*) from pg_stat_activity where query ilike '%listen%' "
    "and datname = current_database() and pid <> pg_backend_pid()"
)
CUT = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture
def sessions(worker_database: Database) -> SessionFactory:
    return worker_database.sessions


async def cancel(sessions: SessionFactory, job: Job, kind: str) -> None:
    async with tenant_transaction(sessions, ORG_ID) as session:
        jobs = JobsService(session, Actor.system(ORG_ID))
        await jobs.cancel_job_of_kind(job.id, kind)


async def test_many_waits_share_one_connection_and_end_with_the_job(
    sessions: SessionFactory, follower: JobFollower
) -> None:
    job = await make_job(sessions, ORG_ID)

    async with asyncio.TaskGroup() as group:
        waits = [
            group.create_task(follower.wait(ORG_ID, job.id, 10)) for _ in range(20)
        ]
        async with system_transaction(sessions) as session:
            listening = await session.scalar(LISTENING)
        await cancel(sessions, job, "tests.act")

    assert listening <= 1
    assert [wait.result() for wait in waits] == [True] * 20


async def test_a_wait_ends_when_the_time_is_over(
    sessions: SessionFactory, follower: JobFollower
) -> None:
    job = await make_job(sessions, ORG_ID)

    assert not await follower.wait(ORG_ID, job.id, 0.02)


async def test_a_wait_while_the_database_is_away_ends_in_time() -> None:
    engine = make_engine(NOWHERE)
    async with JobFollower(make_sessions(engine), NOWHERE) as follower:
        waits = [await follower.wait(ORG_ID, ORG_ID, 0.05) for _ in range(2)]
    await engine.dispose()

    assert waits == [False, False]


async def test_a_stream_goes_on_after_its_connections_were_cut(
    sessions: SessionFactory, worker_database: Database, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read_stream(follower, job))
        connection = await asyncpg.connect(worker_database.url)
        await connection.execute(CUT)
        await connection.close()
        await cancel(sessions, job, STREAM_KIND)

    assert [event.sequence_number for event in reading.result()] == [1, 2]


async def test_a_long_log_is_read_in_pages(
    sessions: SessionFactory, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    async with tenant_transaction(sessions, ORG_ID) as session:
        held = await rows.lock_job_for_org(session, ORG_ID, job.id)
        assert held is not None
        for _ in range(120):
            await JobEventLog(session, held).append("toy.said", {})
    await cancel(sessions, job, STREAM_KIND)

    events = await read_stream(follower, job)

    assert [event.sequence_number for event in events] == list(range(1, 123))


@pytest.mark.parametrize("on_disconnect", ["cancel", "continue"])
async def test_last_read_at_is_set_at_once_when_a_job_is_followed(
    sessions: SessionFactory, follower: JobFollower, on_disconnect: str
) -> None:
    job = await make_toy(sessions, ORG_ID, on_disconnect=on_disconnect)
    other = await make_toy(sessions, ORG_ID, on_disconnect="cancel")

    with (
        follower.following(ORG_ID, job.id, cancels=True),
        follower.following(ORG_ID, other.id, cancels=True),
    ):
        async with asyncio.timeout(1.5):  # less than the interval
            while (await get_job(sessions, other)).last_read_at is None:  # noqa: ASYNC110 - a row has no event to wait for
                await asyncio.sleep(0.01)

    is_noted = (await get_job(sessions, job)).last_read_at is not None
    assert is_noted == (on_disconnect == "cancel")


async def test_a_wait_ends_without_any_notification(sessions: SessionFactory) -> None:
    job = await make_job(sessions, ORG_ID)

    async with (
        JobFollower(sessions, NOWHERE, look_interval_s=0.05) as follower,
        asyncio.TaskGroup() as group,
    ):
        wait = group.create_task(follower.wait(ORG_ID, job.id, 10))
        await cancel(sessions, job, "tests.act")

    assert wait.result()
