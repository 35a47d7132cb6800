"""Engine, sessions and transactions; the tenant is bound in each transaction.

The edge (`core/web.py`, tasks, commands) opens and commits transactions through the
two context managers here. Nobody else commits.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
from pydantic_core import from_json
from sqlalchemy import Connection, ExceptionContext, event, make_url
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
SERVING_LOGIN = "dossier_web"
"""Log-in of web and workers in the embedded database; it has no right of its own."""

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


NO_ANSWER_MARGIN_S = 1
"""How long after the server's own limit the client waits for the server's error."""


def make_engine(
    url: str,
    *,
    pool_size: int = 10,
    pool_timeout_s: int = 30,
    statement_timeout_s: int = 30,
    connect_timeout_s: float = 5,
) -> AsyncEngine:
    """Return an engine whose connections act as the application's role.

    The server ends a statement after `statement_timeout_s`. A server that hangs does
    not, so the client gives up a moment later and drops the connection: the error is
    the one of a connection that was lost.
    """
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        # A quarter of the time of `json.loads`, and as exact: integers of any length.
        json_deserializer=from_json,
        # Each connection has its own cache of prepared statements: with LIFO a few busy
        # connections fill theirs, instead of all of them in turn.
        pool_use_lifo=True,
        async_creator=partial(
            _connect,
            asyncpg_url(url),
            timeout=connect_timeout_s,
            command_timeout=statement_timeout_s + NO_ANSWER_MARGIN_S,
            server_settings={
                "role": APP_ROLE,
                "application_name": "dossier",
                "statement_timeout": f"{statement_timeout_s}s",
            },
        ),
    )
    event.listen(engine.sync_engine, "handle_error", _lost_when_silent)
    return engine


async def _connect(url: str, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(url, **options)
    except TimeoutError as exc:
        raise _no_answer() from exc


def _no_answer() -> asyncpg.ConnectionDoesNotExistError:
    return asyncpg.ConnectionDoesNotExistError("the database did not answer in time")


def _lost_when_silent(context: ExceptionContext) -> BaseException | None:
    """Treat a time-out of the driver as a lost connection: no rollback is sent."""
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    # One silent connection says nothing of the others: each has its own time-out.
    context.invalidate_pool_on_disconnect = False
    return _no_answer()


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
