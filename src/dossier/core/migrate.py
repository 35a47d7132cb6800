"""Brings a database up to date: roles, migrations, then the online track.

Migrations run under an advisory lock, so that processes that start together apply
them once. They act as `dossier_owner`; nobody serves as that role.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from dossier.core.database import (
    APP_ROLE,
    OWNER_ROLE,
    SYSTEM_ROLE,
    sqlalchemy_url,
)
from dossier.core.online import run_online
from dossier.core.revision import (
    MAY_ACT_AS,
    ROLES,
    DatabaseNotReadyError,
    migrations_folder,
)
from dossier.core.settings import Settings

logger = logging.getLogger(__name__)

LOCK_KEY = 0x0D0551E4
"""Any constant will do, as long as all versions of Dossier use the same."""

_ROLES = f"""
do $$ declare name text; begin
  foreach name in array array{list(ROLES)} loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin nosuperuser nobypassrls', name);
    end if;
    if not {MAY_ACT_AS.format(role="name")} then
      execute format('grant %I to %I', name, session_user);
    end if;
  end loop;
  execute format('grant connect, create, temporary on database %I to {OWNER_ROLE}',
                 current_database());
  execute format('grant connect, temporary on database %I to {APP_ROLE}, {SYSTEM_ROLE}',
                 current_database());
end $$
"""

_MAKE_LOGIN = text(
    "select format('create role %I login nosuperuser noinherit nobypassrls"
    " nocreatedb nocreaterole', cast(:name as text))"
    " || coalesce(format(' password %L', cast(:password as text)), '')"
    " where not exists (select from pg_roles where rolname = :name)"
)
_GRANT_LOGIN = text(
    f"select format('grant {APP_ROLE}, {SYSTEM_ROLE} to %I', cast(:name as text))"
    f" where not pg_has_role(:name, '{APP_ROLE}', 'member')"
    f" or not pg_has_role(:name, '{SYSTEM_ROLE}', 'member')"
)


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, bound to a connection where one is given."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@asynccontextmanager
async def owner_engine(settings: Settings, url: str) -> AsyncIterator[AsyncEngine]:
    """Yield an engine that may create roles and tables."""
    target = settings.database.owner_url or url
    engine = create_async_engine(sqlalchemy_url(target), poolclass=NullPool)
    try:
        yield engine
    finally:
        await engine.dispose()


async def upgrade(
    url: str, revision: str = "head", *, serving_url: str | None = None
) -> None:
    """Make the roles, apply the migrations up to `revision`, run the online track.

    `serving_url` names the log-in of web and workers, which is made if it is missing.
    """
    async with _locked(url) as engine:
        async with engine.connect() as connection:
            await _prepare(connection)
            serving = make_url(serving_url or url)
            if serving.username != make_url(url).username:
                await _make_login(connection, serving)
            await connection.run_sync(_alembic, command.upgrade, revision)
            await connection.commit()
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text(f"set role {OWNER_ROLE}"))
            await run_online(connection)


async def downgrade(url: str, revision: str) -> None:
    """Take migrations back down to `revision`."""
    async with _locked(url) as engine, engine.connect() as connection:
        await connection.run_sync(_alembic, command.downgrade, revision)
        await connection.commit()


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[AsyncEngine]:
    """Yield an engine while no other process migrates this database."""
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as guard:
            await guard.execution_options(isolation_level="AUTOCOMMIT")
            await guard.execute(text("select pg_advisory_lock(:k)"), {"k": LOCK_KEY})
            yield engine
    finally:
        await engine.dispose()


def _alembic(connection: Connection, verb: Any, revision: str) -> None:
    try:
        verb(alembic_config(connection), revision)
    except CommandError as exc:
        message = f"{exc}. Is the database of a newer version of Dossier?"
        raise DatabaseNotReadyError(message) from exc


async def _prepare(connection: AsyncConnection) -> None:
    """Make what only a privileged log-in can make; harmless when it is there."""
    try:
        await connection.execute(text(_ROLES))
        await connection.execute(text("create extension if not exists vector"))
        await connection.execute(
            text(f"grant create, usage on schema public to {OWNER_ROLE}")
        )
        await connection.commit()
    except DBAPIError as exc:
        message = (
            f"This log-in cannot prepare the database ({exc.orig}). Set "
            "DOSSIER_DATABASE__OWNER_URL to one that may create roles and extensions."
        )
        raise DatabaseNotReadyError(message) from exc


async def _make_login(connection: AsyncConnection, serving: URL) -> None:
    """Make the serving log-in, which may only act as the two serving roles."""
    values = {"name": serving.username, "password": serving.password}
    try:
        for query in (_MAKE_LOGIN, _GRANT_LOGIN):
            statement = await connection.scalar(query, values)
            if statement is not None:
                await connection.exec_driver_sql(statement)
        await connection.commit()
    except DBAPIError as exc:
        message = (
            f"This log-in cannot make {serving.username}, the log-in of DOSSIER_"
            f"DATABASE__URL ({exc.orig}): docs/operations.md has the statements."
        )
        raise DatabaseNotReadyError(message) from exc


async def current_revision(connection: AsyncConnection) -> str | None:
    """Return the revision that the database is at, or `None` where it is empty."""

    def read(sync: Connection) -> str | None:
        return MigrationContext.configure(sync).get_current_revision()

    return await connection.run_sync(read)
