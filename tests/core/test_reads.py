"""Hot reads and creates see and write one organisation's rows, and leave no trace."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dossier.activity.models import ActivityEvent
from dossier.activity.service import ActivityRecorder
from dossier.core.creates import Creates
from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    system_transaction,
)
from dossier.core.errors import ConflictError
from dossier.core.models import new_id
from dossier.core.reads import Reads, bound
from dossier.core.tenancy import Actor

EVENTS = bound("select id, org_id from activity_events where org_id = bound.org_id")
# What it would be if a gateway forgot its own condition: only row security is left.
ALL_EVENTS = bound(
    "select id, pg_backend_pid() as pid from activity_events"
    " where bound.org_id is not null"
)
PID = bound("select pg_backend_pid() as pid where bound.org_id is not null")
SETTING = "select current_setting('app.org_id', true) as org, current_user::text as me"


class TakenError(ConflictError):
    """The key is taken."""


@pytest.fixture
async def one_connection(fresh_database: str) -> AsyncIterator[SessionFactory]:
    engine = make_engine(fresh_database, pool_size=1)
    yield make_sessions(engine)
    await engine.dispose()


async def recorded(sessions: SessionFactory, org_id: UUID) -> None:
    creates = Creates(sessions, org_id)
    await ActivityRecorder(creates, Actor.system(org_id)).record("other", "x", 1)
    await creates.store()


async def left_behind(sessions: SessionFactory) -> tuple[str, str]:
    """Return tenant and role of the pool's connection, outside of any binding."""
    engine: AsyncEngine = sessions.kw["bind"]
    async with engine.connect() as connection:
        row = (await connection.execute(text(SETTING))).one()
    return row.org or "", row.me


async def test_reads_see_one_organisation_and_leave_nothing(
    one_connection: SessionFactory,
) -> None:
    mine, theirs = uuid4(), uuid4()
    await recorded(one_connection, mine)
    async with system_transaction(one_connection):
        pass  # the role of this one must not stay either

    seen = [
        len(await Reads(one_connection, org_id).rows(statement, org_id))
        for org_id in (mine, theirs, mine)
        for statement in (EVENTS, ALL_EVENTS)
    ]

    assert seen == [1, 1, 0, 0, 1, 1]
    assert await left_behind(one_connection) == ("", "dossier_app")


async def test_plan_of_the_server_does_not_turn_the_binding_round(
    one_connection: SessionFactory,
) -> None:
    mine = uuid4()
    await recorded(one_connection, mine)

    # After five runs the server plans for all values at once.
    seen = [
        len(await Reads(one_connection, org_id).rows(ALL_EVENTS, org_id))
        for _ in range(8)
        for org_id in (mine, uuid4())
    ]

    assert seen == [1, 0] * 8


async def test_failed_read_leaves_nothing(one_connection: SessionFactory) -> None:
    org_id = uuid4()
    broken = bound("select 1 / 0 as x where bound.org_id is not null")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await Reads(one_connection, org_id).rows(broken, org_id)

    assert await left_behind(one_connection) == ("", "dossier_app")


async def test_reads_and_creates_refuse_another_organisation(
    one_connection: SessionFactory,
) -> None:
    with pytest.raises(PermissionError):
        await Reads(one_connection, uuid4()).rows(EVENTS, uuid4())
    with pytest.raises(PermissionError):
        Creates(one_connection, uuid4()).add(event_of(uuid4()))


async def test_row_security_checks_what_is_created(
    one_connection: SessionFactory,
) -> None:
    creates = Creates(one_connection, uuid4())
    event = event_of(creates._org_id)  # noqa: SLF001 - to go past the first lock
    creates.add(event)
    event.org_id = uuid4()

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await creates.store()


async def test_rows_stand_or_fall_together(one_connection: SessionFactory) -> None:
    org_id = uuid4()
    event = event_of(org_id)
    creates = Creates(one_connection, org_id)
    creates.add(event)
    creates.add(event_of(org_id))
    await creates.store()

    again = Creates(one_connection, org_id)
    again.add(event_of(org_id))
    again.add(event, {"pk_activity_events": TakenError()})
    with pytest.raises(TakenError):
        await again.store()

    assert len(await Reads(one_connection, org_id).rows(EVENTS, org_id)) == 2
    assert await left_behind(one_connection) == ("", "dossier_app")


async def test_conflict_without_a_meaning_is_raised_as_it_is(
    one_connection: SessionFactory,
) -> None:
    event = event_of(uuid4())
    creates = Creates(one_connection, event.org_id)
    creates.add(event)
    creates.add(event)

    with pytest.raises(asyncpg.UniqueViolationError):
        await creates.store()


async def test_dead_pooled_connection_is_replaced(
    one_connection: SessionFactory, fresh_database: str
) -> None:
    org_id = uuid4()
    reads = Reads(one_connection, org_id)
    [before] = await reads.rows(PID, org_id)
    killer = await asyncpg.connect(fresh_database)
    await killer.execute("select pg_terminate_backend($1, 5000)", before["pid"])
    await killer.close()

    [after] = await reads.rows(PID, org_id)

    assert after["pid"] != before["pid"]


def test_statement_that_names_no_organisation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bound\.org_id"):
        bound("select id from activity_events")


def event_of(org_id: UUID) -> ActivityEvent:
    return ActivityEvent(
        id=new_id(),
        org_id=org_id,
        user_id=None,
        actor_name="Mei",
        action="other",  # type: ignore[arg-type] # a text like any action
        entity_type="x",
        entity_id=None,
        status="success",  # type: ignore[arg-type] # the same
        details={"a": [1, "ä"]},
        address=None,
        user_agent=None,
        request_id=None,
        row_hash="0" * 64,
    )
