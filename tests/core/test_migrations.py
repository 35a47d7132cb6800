"""Migrations go up, down and up again, and agree with the models."""

import logging
import os

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.conftest import named

from dossier.core import migrate
from dossier.core.database import sqlalchemy_url, system_transaction
from dossier.core.online import (
    OnlineStatement,
    OnlineStatementFailedError,
    run_online,
)
from dossier.core.revision import DatabaseNotReadyError, head_revision, is_at_head
from dossier.core.settings import Settings
from dossier.core.startup import bring_up, opened_database, refuse_unsafe_role


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "alembic")


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "select table_schema || '.' || table_name as name "
        "from information_schema.tables "
        "where table_schema not in ('pg_catalog', 'information_schema')"
    )
    await connection.close()
    return {row["name"] for row in rows}


@pytest.mark.slow  # every migration twice
async def test_migrations_go_down_and_up_again(fresh_database: str) -> None:
    before = await tables(fresh_database)

    await migrate.downgrade(fresh_database, "base")
    empty = await tables(fresh_database)
    await migrate.upgrade(fresh_database)

    assert empty == {"public.alembic_version"}
    assert await tables(fresh_database) == before


async def test_models_and_migrations_agree(database_url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(database_url), poolclass=NullPool)

    def check(connection: Connection) -> None:
        command.check(migrate.alembic_config(connection))

    async with engine.connect() as connection:
        await connection.run_sync(check)  # raises where they differ
    await engine.dispose()


async def test_upgrading_twice_changes_nothing(fresh_database: str) -> None:
    before = await tables(fresh_database)

    await migrate.upgrade(fresh_database)

    assert await tables(fresh_database) == before


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    scripts = ScriptDirectory.from_config(migrate.alembic_config())

    assert head_revision() == scripts.get_current_head()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_a_database_that_is_behind_is_brought_up(fresh_database: str) -> None:
    await migrate.downgrade(fresh_database, "pif")
    was_at_head = await is_at_head(fresh_database)

    await bring_up(fresh_database)

    assert not was_at_head
    assert await is_at_head(fresh_database)
    assert "public.reports" in await tables(fresh_database)


async def test_a_database_without_tables_is_not_at_the_newest_revision(
    cluster_url: str,
) -> None:
    assert not await is_at_head(named(cluster_url, "template1"))


async def test_a_database_of_a_newer_version_is_refused(fresh_database: str) -> None:
    await execute(fresh_database, "update alembic_version set version_num = 'later'")

    with pytest.raises(DatabaseNotReadyError, match="later"):
        await bring_up(fresh_database)


async def test_log_in_without_the_right_to_prepare_is_named(
    cluster_url: str, fresh_database: str
) -> None:
    await execute(cluster_url, "create role nobody_yet login")
    try:
        weak = make_url(fresh_database).set(username="nobody_yet")
        with pytest.raises(DatabaseNotReadyError, match="OWNER_URL"):
            await bring_up(weak.render_as_string(hide_password=False))
    finally:
        await execute(cluster_url, "drop role nobody_yet")


@pytest.mark.parametrize(
    "statement",
    [
        "select count(*) from users",
        "set role dossier_owner",
        "set session authorization postgres",
        "copy (select 1) to program 'true'",
        "create table public.mine (id int)",
        "select pg_read_file('/etc/hostname')",
        "create role another",
    ],
)
async def test_serving_log_in_has_no_right_of_its_own(
    cluster_url: str, fresh_database: str, statement: str
) -> None:
    login = f"web_{os.getpid()}"  # roles belong to the whole server
    serving = make_url(fresh_database).set(username=login, password="it's")
    settings = Settings.model_validate(
        {
            "database": {
                "url": serving.render_as_string(hide_password=False),
                "owner_url": fresh_database,
            }
        }
    )
    try:
        async with opened_database(settings) as database:
            async with database.engine.connect() as connection:
                assert await connection.scalar(text("select count(*) from users")) == 0
                await connection.execute(text("set role none"))
                with pytest.raises(DBAPIError, match=r"permission denied|must be"):
                    await connection.execute(text(statement))
            async with system_transaction(database.sessions) as session:
                assert await session.scalar(text("select current_user"))
    finally:
        await execute(fresh_database, f"drop owned by {login}")
        await execute(cluster_url, f"drop role {login}")


async def test_superusers_log_in_is_warned_of(
    fresh_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.model_validate({"database": {"url": fresh_database}})

    async with opened_database(settings):
        pass

    assert [record.message for record in caplog.records] == ["database.superuser_login"]


async def test_a_database_that_is_away_is_named_so() -> None:
    with pytest.raises(DatabaseNotReadyError, match="reached"):
        await bring_up("postgresql://nobody@127.0.0.1:1/nothing")


async def test_a_failing_online_statement_is_named(database_url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    statements = (
        OnlineStatement("analyse", "analyze alembic_version"),
        OnlineStatement("ix_broken", "create index on no_such_table (id)"),
    )

    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(OnlineStatementFailedError, match="ix_broken"):
            await run_online(connection, statements)
    await engine.dispose()


async def test_no_role_of_ours_escapes_row_level_security(database_url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(database_url), poolclass=NullPool)

    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select rolname, rolsuper or rolbypassrls or rolcanlogin as unsafe "
                "from pg_roles where rolname like 'dossier\\_%'"
            )
        )
        found = {row.rolname: row.unsafe for row in rows}
    await engine.dispose()

    assert found == {
        "dossier_app": False,
        "dossier_owner": False,
        "dossier_system": False,
    }


async def test_a_superuser_is_refused_as_serving_role(database_url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(database_url), poolclass=NullPool)

    with pytest.raises(DatabaseNotReadyError, match="row-level security"):
        await refuse_unsafe_role(engine)
    await engine.dispose()
