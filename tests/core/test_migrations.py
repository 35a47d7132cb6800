"""Migrations go up, down and up again, and agree with the models."""

import logging

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dossier.core import migrate
from dossier.core.database import sqlalchemy_url
from dossier.core.online import (
    OnlineStatement,
    OnlineStatementFailedError,
    run_online,
)


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

    with pytest.raises(migrate.DatabaseNotReadyError, match="row-level security"):
        await migrate.refuse_unsafe_role(engine)
    await engine.dispose()
