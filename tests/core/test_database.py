"""The tenant is bound in every transaction, and only the edge commits."""

import socket
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dossier.activity.service import ActivityService
from dossier.core.database import (
    Session,
    SessionFactory,
    after_commit,
    make_engine,
    make_sessions,
    raw_rows,
    system_transaction,
    tenant_transaction,
)
from dossier.core.problems import is_database_away
from dossier.core.tenancy import Actor

COUNT = text("select count(*) from activity_events")


@pytest.fixture
async def one_connection(fresh_database: str) -> AsyncIterator[SessionFactory]:
    engine = make_engine(fresh_database, pool_size=1)
    yield make_sessions(engine)
    await engine.dispose()


async def record(sessions: SessionFactory, org_id: UUID) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        await ActivityService(session, Actor.system(org_id)).record("other", "x", 1)


async def count(session: Session) -> int:
    return await session.scalar(COUNT) or 0


async def test_a_pooled_connection_does_not_carry_the_tenant_over(
    one_connection: SessionFactory,
) -> None:
    mine, theirs = uuid4(), uuid4()
    await record(one_connection, mine)

    async with tenant_transaction(one_connection, theirs) as session:
        seen_by_others = await count(session)
    async with tenant_transaction(one_connection, mine) as session:
        seen_by_owner = await count(session)
    async with one_connection() as session:
        seen_by_nobody = await count(session)
    async with system_transaction(one_connection) as session:
        seen_by_system = await count(session)

    assert (seen_by_others, seen_by_owner, seen_by_nobody, seen_by_system) == (
        0,
        1,
        0,
        1,
    )


async def test_a_savepoint_keeps_the_tenant(one_connection: SessionFactory) -> None:
    org_id = uuid4()
    await record(one_connection, org_id)

    async with tenant_transaction(one_connection, org_id) as session:
        async with session.begin_nested():
            inside = await count(session)
        after = await count(session)

    assert (inside, after) == (1, 1)


async def test_writing_for_another_organisation_is_refused(
    one_connection: SessionFactory,
) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with tenant_transaction(one_connection, uuid4()) as session:
            await ActivityService(session, Actor.system(uuid4())).record(
                "other", "x", 1
            )


async def test_only_the_edge_commits(one_connection: SessionFactory) -> None:
    async with tenant_transaction(one_connection, uuid4()) as session:
        with pytest.raises(RuntimeError, match="the edge commits"):
            await session.commit()


async def test_an_error_rolls_the_transaction_back(
    one_connection: SessionFactory,
) -> None:
    org_id = uuid4()

    async def fail() -> None:
        async with tenant_transaction(one_connection, org_id) as session:
            await ActivityService(session, Actor.system(org_id)).record("other", "x", 1)
            await session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    async with tenant_transaction(one_connection, org_id) as session:
        assert await count(session) == 0


async def test_a_dead_pooled_connection_is_replaced_once(
    one_connection: SessionFactory, fresh_database: str
) -> None:
    org_id = uuid4()
    async with tenant_transaction(one_connection, org_id) as session:
        [row] = await raw_rows(session, "select pg_backend_pid() as pid")
    killer = await asyncpg.connect(fresh_database)
    await killer.execute("select pg_terminate_backend($1, 5000)", row["pid"])
    await killer.close()

    async with tenant_transaction(one_connection, org_id) as session:
        [after] = await raw_rows(session, "select pg_backend_pid() as pid")

    assert after["pid"] != row["pid"]


async def test_raw_reads_are_bound_to_the_tenant_too(
    one_connection: SessionFactory,
) -> None:
    await record(one_connection, uuid4())

    async with tenant_transaction(one_connection, uuid4()) as session:
        rows = await raw_rows(session, "select id from activity_events")

    assert rows == []


async def test_an_action_after_a_commit_does_not_run_at_a_savepoint(
    one_connection: SessionFactory,
) -> None:
    ran: list[str] = []

    async with tenant_transaction(one_connection, uuid4()) as session:
        after_commit(session, lambda: ran.append("action"))
        async with session.begin_nested():
            pass
        before = list(ran)

    assert (before, ran) == ([], ["action"])


async def test_statement_that_the_server_does_not_end_is_a_lost_connection(
    fresh_database: str,
) -> None:
    engine = make_engine(fresh_database, pool_size=1, statement_timeout_s=1)
    started_s = time.monotonic()
    async with engine.connect() as connection:
        # As a server that hangs: its own limit does not count.
        await connection.execute(text("set statement_timeout = 0"))
        with pytest.raises(asyncpg.ConnectionDoesNotExistError) as failure:
            await connection.execute(text("select pg_sleep(60)"))
    waited_s = time.monotonic() - started_s
    async with engine.connect() as connection:
        one = await connection.scalar(text("select 1"))
    await engine.dispose()

    assert is_database_away(failure.value)
    assert waited_s < 30
    assert one == 1


async def test_server_that_accepts_and_gives_no_answer_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the kernel accepts
        port = server.getsockname()[1]
        engine = make_engine(
            f"postgresql://mei@127.0.0.1:{port}/nowhere", connect_timeout_s=0.2
        )
        with pytest.raises(DBAPIError) as failure:
            await engine.connect()

    assert is_database_away(failure.value)
