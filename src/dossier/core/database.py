"""Engine, sessions and transactions; the tenant is bound in each transaction.

The edge (`core/web.py`, tasks, commands) opens and commits transactions through the
two context managers here. Nobody else commits.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
from pydantic_core import from_json
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.orm import SessionTransaction
from typing_extensions import override

from dossier.core.errors import AppError

Session = AsyncSession
SessionFactory = async_sessionmaker[AsyncSession]
DatabaseEngine = AsyncEngine

UNREACHABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Errors of the driver where a database cannot be reached or refuses the login."""

APP_ROLE = "dossier_app"
SYSTEM_ROLE = "dossier_system"
OWNER_ROLE = "dossier_owner"

# One statement binds both, so the price stays one round trip per transaction.
_BIND = "select set_config('app.org_id', $1, true), set_config('role', $2, true)"


class TenantSession(SyncSession):
    """A session whose every transaction is bound to one organisation."""

    @override
    def commit(self) -> NoReturn:
        """Refuse: a commit in a service would split the edge's transaction."""
        message = "the edge commits: use tenant_transaction()"
        raise RuntimeError(message)


@event.listens_for(TenantSession, "after_begin")
def _bind_tenant(
    session: SyncSession, _transaction: SessionTransaction, connection: Connection
) -> None:
    org_id = str(session.info.get("org_id", ""))  # "" sees no rows: fail closed
    role = session.info.get("role", APP_ROLE)
    connection.exec_driver_sql(_BIND, (org_id, role))


def sqlalchemy_url(url: str) -> str:
    """Return a PostgreSQL URL with the driver that the engine uses."""
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    parsed = make_url(plain).set(drivername="postgresql+asyncpg")
    return parsed.render_as_string(hide_password=False)


def asyncpg_url(url: str) -> str:
    """Return a PostgreSQL URL in the form that asyncpg itself takes."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)


def make_engine(
    url: str, *, pool_size: int = 10, statement_timeout_s: int = 30
) -> AsyncEngine:
    """Return an engine whose connections act as the application's role."""
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=0,
        # A quarter of the time of `json.loads`, and as exact: integers of any length.
        json_deserializer=from_json,
        # Each connection has its own cache of prepared statements: with LIFO a few busy
        # connections fill theirs, instead of all of them in turn.
        pool_use_lifo=True,
        connect_args={
            "server_settings": {
                "role": APP_ROLE,
                "application_name": "dossier",
                "statement_timeout": f"{statement_timeout_s}s",
            }
        },
    )


def make_sessions(bind: Any, **options: Any) -> SessionFactory:
    """Return the factory of tenant sessions over an engine or a connection."""
    return async_sessionmaker(
        bind,
        sync_session_class=TenantSession,
        expire_on_commit=False,
        **options,
    )


@asynccontextmanager
async def tenant_transaction(
    sessions: SessionFactory, org_id: UUID
) -> AsyncIterator[AsyncSession]:
    """Open a transaction that sees and writes one organisation's rows."""
    async with _transaction(sessions, {"org_id": org_id}) as session:
        yield session


@asynccontextmanager
async def system_transaction(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """Open a transaction across organisations: log-in, sweepers, operators only."""
    async with _transaction(sessions, {"role": SYSTEM_ROLE}) as session:
        yield session


@asynccontextmanager
async def _transaction(
    sessions: SessionFactory, info: dict[str, Any]
) -> AsyncIterator[AsyncSession]:
    session = sessions(info=info)
    try:
        await session.connection()
    except DBAPIError as exc:
        await session.close()
        if not exc.connection_invalidated:
            raise
        # The pool held a connection that had died: once more with another.
        session = sessions(info=info)
        await session.connection()
    try:
        yield session
        if transaction := session.get_transaction():
            await transaction.commit()
    finally:
        await session.close()  # rolls back what was not committed


def after_commit(session: AsyncSession, action: Callable[[], None]) -> None:
    """Run an action once the session's transaction has been committed, if it is."""
    actions = [action]

    def run(committed: SyncSession) -> None:
        # The event is sent at the release of a savepoint too.
        if actions and not committed.in_nested_transaction():
            actions.pop()()

    event.listen(session.sync_session, "after_commit", run)


@contextmanager
def conflict_on(constraint: str, error: AppError) -> Iterator[None]:
    """Raise `error` where this constraint, and no other, is violated."""
    try:
        yield
    except IntegrityError as exc:
        cause = getattr(exc.orig, "__cause__", None)
        if getattr(cause, "constraint_name", None) == constraint:
            raise error from exc
        raise


async def raw_rows(session: AsyncSession, sql: str, *args: Any) -> list[asyncpg.Record]:
    """Run one prepared statement on the session's own driver connection.

    For statements of many rows that take arrays (`unnest`), and for those that the
    driver must prepare as they are; see ADR 0023.
    """
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    if driver is None:
        message = "the pool gave a connection without a driver"
        raise RuntimeError(message)
    rows: list[asyncpg.Record] = await driver.fetch(sql, *args)
    return rows
