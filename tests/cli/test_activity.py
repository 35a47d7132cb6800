"""`dossier activity` against a database of its own."""

import asyncio
from pathlib import Path

import asyncpg
import orjson
import pytest
from tests.conftest import ORG_ID, OTHER_ORG_ID
from typer.testing import CliRunner, Result

from dossier.activity.service import ActivityService
from dossier.activity.tasks import seal_all
from dossier.cli import app
from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from dossier.core.tenancy import Actor


async def record(sessions: SessionFactory) -> None:
    """Seal two events of each of two organisations."""
    for org_id in (ORG_ID, OTHER_ORG_ID):
        async with tenant_transaction(sessions, org_id) as session:
            for number in range(2):
                activity = ActivityService(session, Actor.system(org_id))
                await activity.record("create", "product", number)
    await seal_all(sessions)


@pytest.fixture
async def logged_database(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)
    engine = make_engine(fresh_database)
    await record(make_sessions(engine))
    await engine.dispose()
    return fresh_database


async def verify(*arguments: str) -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["activity", "verify", *arguments]
    )


@pytest.mark.usefixtures("logged_database")
async def test_log_of_every_organisation_is_verified() -> None:
    result = await verify()

    lines = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert {line["organisation_id"] for line in lines} == {
        str(ORG_ID),
        str(OTHER_ORG_ID),
    }
    for line in lines:
        assert (line["checked"], line["unsealed"], line["first_broken"]) == (2, 0, None)


async def test_changed_log_ends_with_exit_code_one(logged_database: str) -> None:
    head = orjson.loads((await verify("--org", str(ORG_ID))).stdout)["head"]
    connection = await asyncpg.connect(logged_database)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("delete from activity_seals where position = 2")
    await connection.close()

    exported = f"{head['position']}:{head['chain_hash']}"
    result = await verify("--org", str(ORG_ID), "--head", exported)

    [line] = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert line["first_broken"]["fault"] == "tail_cut"


async def test_head_is_read_from_a_file_of_an_earlier_run(
    logged_database: str, tmp_path: Path
) -> None:
    exported = tmp_path / "heads"
    exported.write_text((await verify()).stdout)
    arguments = ("--org", str(ORG_ID), "--head", str(exported))
    unchanged = await verify(*arguments)
    connection = await asyncpg.connect(logged_database)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("delete from activity_seals where position = 2")
    await connection.close()

    result = await verify(*arguments)

    assert unchanged.exit_code == 0
    assert result.exit_code == 1
    assert orjson.loads(result.stdout)["first_broken"]["fault"] == "tail_cut"


@pytest.mark.parametrize("head", ["abc", "1", "x:abc", "1:"])
async def test_malformed_head_is_refused(head: str) -> None:
    result = await verify("--org", str(ORG_ID), "--head", head)

    assert result.exit_code == 2
    assert "POSITION:CHAIN_HASH" in result.stderr
