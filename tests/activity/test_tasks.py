"""Sealing and verifying on a database where transactions really commit."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from dossier.activity.schemas import VerifyResponse
from dossier.activity.service import ActivityService
from dossier.activity.tasks import seal_all
from dossier.activity.types import ChainHead
from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from dossier.core.tenancy import Actor

ORG_ID = uuid4()
ACTOR = Actor.system(ORG_ID)


@pytest.fixture
async def committed(fresh_database: str) -> AsyncIterator[SessionFactory]:
    engine = make_engine(fresh_database, pool_size=3)
    sessions = make_sessions(engine)
    for number in range(4):
        async with tenant_transaction(sessions, ORG_ID) as session:
            await ActivityService(session, ACTOR).record(
                "create", "product", number, details={"name": f"玫瑰霜 {number}"}
            )
    yield sessions
    await engine.dispose()


async def verify(
    sessions: SessionFactory, head: ChainHead | None = None
) -> VerifyResponse:
    async with tenant_transaction(sessions, ORG_ID) as session:
        return await ActivityService(session, ACTOR).verify(head)


async def tamper(url: str, *statements: str) -> None:
    """Act as an intruder with every right in the database."""
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")  # no triggers
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def test_events_are_sealed_once_and_hold(committed: SessionFactory) -> None:
    before = await verify(committed)
    sealed = await seal_all(committed)
    again = await seal_all(committed)

    after = await verify(committed)

    assert (before.checked, before.unsealed) == (0, 4)
    assert (sealed, again) == (4, 0)
    assert (after.checked, after.unsealed, after.first_broken) == (4, 0, None)
    assert after.head.position == 4


SEAL = "activity_seals set position ="
NTH = "id = (select event_id from activity_seals where position = {})"


@pytest.mark.parametrize(
    ("statements", "position", "fault"),
    [
        pytest.param(
            ["update activity_events set details = '{}' where " + NTH.format(2)],  # noqa: S608 - own text
            2,
            "changed",
            id="a changed row",
        ),
        pytest.param(
            ["delete from activity_events where " + NTH.format(3)],  # noqa: S608 - own text
            3,
            "missing",
            id="a missing row",
        ),
        pytest.param(
            ["delete from activity_seals where position = 2"],
            2,
            "missing",
            id="a missing seal",
        ),
        pytest.param(
            ["delete from activity_seals where position = 1"],
            1,
            "missing",
            id="a missing first seal",
        ),
        pytest.param(
            [
                f"update {SEAL} 99 where position = 2",
                f"update {SEAL} 2 where position = 3",
                f"update {SEAL} 3 where position = 99",
            ],
            2,
            "reordered",
            id="reordered rows",
        ),
        pytest.param(
            ["update activity_seals set chain_hash = repeat('0', 64) where position=4"],
            4,
            "reordered",
            id="a forged chain",
        ),
    ],
)
async def test_tampering_is_named(
    committed: SessionFactory,
    fresh_database: str,
    statements: list[str],
    position: int,
    fault: str,
) -> None:
    await seal_all(committed)
    await tamper(fresh_database, *statements)

    verdict = await verify(committed)

    assert verdict.first_broken is not None
    assert verdict.first_broken.position == position
    assert verdict.first_broken.fault == fault


async def test_a_cut_tail_shows_against_an_exported_head(
    committed: SessionFactory, fresh_database: str
) -> None:
    await seal_all(committed)
    exported = (await verify(committed)).head
    await tamper(
        fresh_database,
        "delete from activity_seals where position > 2",
        "delete from activity_events where id not in "
        "(select event_id from activity_seals)",
    )

    blind = await verify(committed)
    seeing = await verify(committed, ChainHead(exported.position, exported.chain_hash))

    assert blind.first_broken is None
    assert seeing.first_broken is not None
    assert seeing.first_broken.fault == "tail_cut"
    assert seeing.first_broken.position == 3


async def test_a_rewritten_chain_differs_from_an_exported_head(
    committed: SessionFactory,
) -> None:
    await seal_all(committed)

    verdict = await verify(committed, ChainHead(3, "f" * 64))

    assert verdict.first_broken is not None
    assert verdict.first_broken.position == 3


@pytest.mark.parametrize(
    "statement",
    [
        "update activity_events set status = 'success'",
        "delete from activity_events",
        "truncate activity_events cascade",
        "update activity_seals set position = position + 1",
        "delete from activity_seals",
    ],
)
async def test_activity_rows_cannot_be_changed(
    committed: SessionFactory, fresh_database: str, statement: str
) -> None:
    await seal_all(committed)
    connection = await asyncpg.connect(fresh_database)

    async def as_role(role: str) -> None:
        async with connection.transaction():
            await connection.execute(f"set local role {role}")
            await connection.execute(statement)

    for role in ("dossier_app", "dossier_system", "dossier_owner"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_role(role)
    await connection.close()


async def test_an_event_goes_with_its_transaction(committed: SessionFactory) -> None:
    async def fail() -> None:
        async with tenant_transaction(committed, ORG_ID) as session:
            await ActivityService(session, ACTOR).record("update", "product", 1)
            await session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    assert (await verify(committed)).unsealed == 4


async def test_two_sealers_do_not_fork_the_chain(committed: SessionFactory) -> None:
    async with tenant_transaction(committed, ORG_ID) as first:
        sealed = await ActivityService(first, ACTOR).seal()
        await first.flush()
        async with tenant_transaction(committed, ORG_ID) as second:
            blocked = await ActivityService(second, ACTOR).seal()

    assert (sealed, blocked) == (4, 0)
    assert (await verify(committed)).first_broken is None
