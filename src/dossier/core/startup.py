"""From settings to a database that can be used: started, migrated, connected.

Web, worker and commands all use `opened_database`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text

from dossier.core.database import (
    Engine,
    SessionFactory,
    asyncpg_url,
    make_engine,
    make_sessions,
)
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.online import STATEMENTS
from dossier.core.revision import DatabaseNotReadyError, is_at_head, reaching
from dossier.core.settings import Settings

REQUEST_STATEMENT_S = 10
REQUEST_POOL_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Database:
    """A database in use; `url` is what the bare driver takes."""

    url: str
    engine: Engine
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
        if settings.database.migrate_on_start:
            await bring_up(settings.database.owner_url or url)
        engine = configured_engine(settings, url, for_requests=for_requests)
        stack.push_async_callback(engine.dispose)
        await refuse_unsafe_role(engine)
        yield Database(url, engine, make_sessions(engine))


def configured_engine(
    settings: Settings,
    url: str,
    *,
    pool_size: int | None = None,
    for_requests: bool = False,
) -> Engine:
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


async def bring_up(url: str) -> None:
    """Apply missing migrations; without any, a start costs one query."""
    if STATEMENTS or not await is_at_head(url):
        # Alembic takes a tenth of a second to import, and most starts need none.
        from dossier.core import migrate  # noqa: PLC0415

        await migrate.upgrade(url)


async def refuse_unsafe_role(engine: Engine) -> None:
    """Refuse to serve through a role that row-level security does not bind."""
    query = text(
        "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
    )
    with reaching():
        async with engine.connect() as connection:
            is_unsafe = await connection.scalar(query)
    if is_unsafe:
        message = "The serving role bypasses row-level security."
        raise DatabaseNotReadyError(message)
