"""A reader sees one organisation's rows and leaves nothing on the connection."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import func, literal_column, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from dossier.activity.models import ActivityEvent
from dossier.activity.service import ActivityService
from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    system_transaction,
    tenant_transaction,
)
from dossier.core.pagination import PageParams
from dossier.core.reads import ORG_ID, TenantPage, TenantReader, TenantSelect
from dossier.core.tenancy import Actor

EVENTS = TenantSelect(select(ActivityEvent.id).where(ActivityEvent.org_id == ORG_ID))
# What it would be if a gateway forgot its own condition: only row security is left.
ALL_EVENTS = TenantSelect(select(ActivityEvent.id, ORG_ID.label("asked_by")))
PAGE = TenantPage(
    select(ActivityEvent.id, ActivityEvent.details)
    .where(ActivityEvent.org_id == ORG_ID)
    .order_by(ActivityEvent.id)
)
PID = TenantSelect(select(func.pg_backend_pid().label("pid"), ORG_ID.label("asked_by")))
SETTING = "select current_setting('app.org_id', true) as org, current_user::text as me"


@pytest.fixture
async def one_connection(fresh_database: str) -> AsyncIterator[SessionFactory]:
    engine = make_engine(fresh_database, pool_size=1)
    yield make_sessions(engine)
    await engine.dispose()


def reader_of(sessions: SessionFactory, org_id: UUID) -> TenantReader:
    return TenantReader(sessions, Actor.system(org_id))


async def recorded(sessions: SessionFactory, org_id: UUID, **details: object) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        activity = ActivityService(session, Actor.system(org_id))
        await activity.record("other", "x", 1, details=details)


async def left_behind(sessions: SessionFactory) -> tuple[str, str]:
    """Return tenant and role of the pool's connection, outside of any binding."""
    engine: AsyncEngine = sessions.kw["bind"]
    async with engine.connect() as connection:
        row = (await connection.execute(text(SETTING))).one()
    return row.org or "", row.me


async def test_reader_sees_one_organisation_and_leaves_nothing(
    one_connection: SessionFactory,
) -> None:
    mine, theirs = uuid4(), uuid4()
    await recorded(one_connection, mine)
    async with system_transaction(one_connection):
        pass  # the role of this one must not stay either

    seen = [
        len(await reader_of(one_connection, org_id).rows(statement, org_id))
        for org_id in (mine, theirs, mine)
        for statement in (EVENTS, ALL_EVENTS)
    ]

    assert seen == [1, 1, 0, 0, 1, 1]
    assert await left_behind(one_connection) == ("", "dossier_app")


async def test_plan_of_the_server_binds_before_it_reads(
    one_connection: SessionFactory,
) -> None:
    mine = uuid4()
    await recorded(one_connection, mine)

    # After five runs the server plans for all values at once.
    seen = [
        len(await reader_of(one_connection, org_id).rows(ALL_EVENTS, org_id))
        for _ in range(8)
        for org_id in (mine, uuid4())
    ]

    assert seen == [1, 0] * 8


async def test_failed_read_leaves_nothing(one_connection: SessionFactory) -> None:
    org_id = uuid4()
    broken = TenantSelect(
        select(literal_column("1 / 0").label("x"), ORG_ID.label("asked_by"))
    )

    with pytest.raises(DBAPIError, match="division by zero"):
        await reader_of(one_connection, org_id).rows(broken, org_id)

    assert await left_behind(one_connection) == ("", "dossier_app")


async def test_reader_refuses_another_organisation(
    one_connection: SessionFactory,
) -> None:
    with pytest.raises(PermissionError):
        await reader_of(one_connection, uuid4()).rows(EVENTS, uuid4())


async def test_dead_pooled_connection_is_replaced(
    one_connection: SessionFactory, fresh_database: str
) -> None:
    org_id = uuid4()
    reader = reader_of(one_connection, org_id)
    [before] = await reader.rows(PID, org_id)
    killer = await asyncpg.connect(fresh_database)
    await killer.execute("select pg_terminate_backend($1, 5000)", before["pid"])
    await killer.close()

    [after] = await reader.rows(PID, org_id)

    assert after["pid"] != before["pid"]


async def test_reader_over_a_session_sees_what_is_not_committed(
    one_connection: SessionFactory,
) -> None:
    org_id = uuid4()
    async with tenant_transaction(one_connection, org_id) as session:
        actor = Actor.system(org_id)
        await ActivityService(session, actor).record("other", "x", 1)

        assert len(await TenantReader(session, actor).rows(EVENTS, org_id)) == 1


async def test_page_beyond_the_end_has_the_total(
    one_connection: SessionFactory,
) -> None:
    org_id = uuid4()
    await recorded(one_connection, org_id)
    reader = reader_of(one_connection, org_id)

    beyond = await reader.page(PAGE, org_id, PageParams(offset=5))

    assert (beyond.items, beyond.total) == ([], 1)


async def test_numbers_in_json_keep_all_their_digits(
    one_connection: SessionFactory,
) -> None:
    org_id = uuid4()
    await recorded(one_connection, org_id, count=2**70)
    reader = reader_of(one_connection, org_id)

    page = await reader.page(PAGE, org_id, PageParams())

    assert page.items[0]["details"] == {"count": 2**70}


def test_statement_that_names_no_organisation_is_refused() -> None:
    with pytest.raises(ValueError, match="ORG_ID"):
        TenantSelect(select(ActivityEvent.id))
