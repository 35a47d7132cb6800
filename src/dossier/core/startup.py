"""From settings to a database that can be used: started, migrated, connected.

Web, worker and commands all use `opened_database`.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import make_url, text

from dossier.core.database import (
    SERVING_LOGIN,
    DatabaseEngine,
    SessionFactory,
    asyncpg_url,
    make_engine,
    make_sessions,
)
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.online import STATEMENTS
from dossier.core.revision import DatabaseNotReadyError, is_at_head, reaching
from dossier.core.settings import Settings

logger = logging.getLogger(__name__)

SUPERUSER_REMEDY = (
    "Let DOSSIER_DATABASE__URL name a log-in without rights of its own and "
    "DOSSIER_DATABASE__OWNER_URL the present one; `dossier migrate` makes the former. "
    "The next release refuses to serve as a superuser."
)
REQUEST_STATEMENT_S = 10
REQUEST_POOL_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Database:
    """A database in use; `url` is what the bare driver takes."""

    url: str
    engine: DatabaseEngine
    sessions: SessionFactory


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Yield the URL of the configured database, or of the embedded one, running."""
    if settings.database.url:
        yield asyncpg_url(settings.database.url)
        return
    async with embedded_postgres(
        settings.home, durable=settings.database.durable
    ) as url:
        yield url


@asynccontextmanager
async def opened_database(
    settings: Settings, *, for_requests: bool = False
) -> AsyncIterator[Database]:
    """Yield the database at its newest revision, with a pool of connections.

    A person waits for a request: its statements and its wait for a connection have
    shorter limits than those of jobs and commands.
    """
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings))
        serving = serving_url(settings, url)
        if settings.database.migrate_on_start:
            await bring_up(settings.database.owner_url or url, serving)
        engine = configured_engine(settings, serving, for_requests=for_requests)
        stack.push_async_callback(engine.dispose)
        await refuse_unsafe_role(engine)
        yield Database(serving, engine, make_sessions(engine))


def serving_url(settings: Settings, url: str) -> str:
    """Return the URL that web and workers use; the embedded one is its superuser's."""
    if settings.database.url:
        return url
    serving = make_url(url).set(username=SERVING_LOGIN)
    return serving.render_as_string(hide_password=False)


def configured_engine(
    settings: Settings,
    url: str,
    *,
    pool_size: int | None = None,
    for_requests: bool = False,
) -> DatabaseEngine:
    """Return an engine with the pool and the time limit that the settings name."""
    pool_size = pool_size or settings.database.pool_size
    limit_s = settings.database.statement_timeout_s
    if not for_requests:
        return make_engine(url, pool_size=pool_size, statement_timeout_s=limit_s)
    return make_engine(
        url,
        pool_size=pool_size,
        pool_timeout_s=REQUEST_POOL_TIMEOUT_S,
        statement_timeout_s=min(limit_s, REQUEST_STATEMENT_S),
    )


async def bring_up(url: str, serving: str | None = None) -> None:
    """Apply missing migrations; without any, a start costs one query.

    The log-in of the URL `serving` is made too, unless it is the one that migrates.
    """
    login = make_url(serving or url).username
    if STATEMENTS or not await is_at_head(url, login=login):
        # Alembic takes a tenth of a second to import, and most starts need none.
        from dossier.core import migrate  # noqa: PLC0415

        await migrate.upgrade(url, serving_url=serving)


async def refuse_unsafe_role(engine: DatabaseEngine) -> None:
    """Refuse to serve through a role that row-level security does not bind.

    A superuser's log-in is warned of: `reset role` would give it every right.
    """
    query = text(
        "select rolname = current_user as is_role, rolsuper, rolbypassrls"
        " from pg_roles where rolname in (current_user, session_user)"
    )
    with reaching():
        async with engine.connect() as connection:
            rows = (await connection.execute(query)).all()
    if any(row.is_role and (row.rolsuper or row.rolbypassrls) for row in rows):
        message = "The serving role bypasses row-level security."
        raise DatabaseNotReadyError(message)
    if any(row.rolsuper for row in rows):
        logger.warning("database.superuser_login", extra={"mend": SUPERUSER_REMEDY})
