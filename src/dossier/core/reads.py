"""Hot reads: one statement, one round trip, a transaction of its own.

The statement binds the tenant itself, for its own duration, so that a pooled
connection has nothing to carry over. ADR 0015 lists the routes that read so.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NewType, Protocol
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from dossier.core.database import SessionFactory, raw_rows, tenant_transaction
from dossier.core.tenancy import Actor

BoundStatement = NewType("BoundStatement", str)
"""A statement whose first parameter is the organisation that it is bound to."""

BIND = """
with bound as materialized (
  select set_config('app.org_id', $1::uuid::text, true)::uuid as org_id
)
"""
# Row security reads the setting when the first row is wanted, and rows are wanted by
# `bound.org_id`, which is not known before it is set; `offset 0` keeps the planner
# from turning this round. Read too early, the setting is empty and shows no rows.
_FENCED = """
select fenced.*
from bound cross join lateral (select * from ({}) inside offset 0) fenced
"""
_SET = "select set_config(name, value, true) from unnest($1::text[], $2::text[])"
_SET += " as setting (name, value)"
_GONE = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


def bound(select: str) -> BoundStatement:
    """Return a `select` that sees one organisation's rows: those of `bound.org_id`.

    That is the condition of every table in it; its own parameters begin at `$2`.
    """
    return BoundStatement(BIND + fenced(select))


def fenced(select: str) -> str:
    """Return the same as a part of a statement that begins with `BIND`."""
    if "bound.org_id" not in select:
        message = "a bound statement names `bound.org_id`"
        raise ValueError(message)
    return _FENCED.format(select)


def members_of(row: asyncpg.Record, *json_columns: str) -> dict[str, Any]:
    """Return a row as `orjson` writes it; JSON columns, read as text, pass unparsed."""
    members: dict[str, Any] = dict(row.items())
    for name in json_columns:
        if members[name] is not None:
            members[name] = orjson.Fragment(members[name])
    return members


class Reads:
    """What one organisation may read; each call is a transaction of its own."""

    __slots__ = ("_org_id", "_sessions")

    def __init__(self, sessions: SessionFactory, org_id: UUID) -> None:
        self._sessions = sessions
        self._org_id = org_id

    async def rows(
        self, statement: BoundStatement, org_id: UUID, *args: Any
    ) -> list[asyncpg.Record]:
        """Return the rows of a statement, of the organisation that reads."""
        self._refuse_others(org_id)
        bind = self._sessions.kw["bind"]
        if isinstance(bind, AsyncEngine):
            return await _rows(bind, statement, org_id, *args)
        # Several sessions share one connection and one outer transaction.
        async with tenant_transaction(self._sessions, self._org_id) as session:
            return await raw_rows(session, statement, org_id, *args)

    async def planned_rows(
        self, sql: str, org_id: UUID, *args: Any, settings: Mapping[str, str]
    ) -> list[asyncpg.Record]:
        """Return the rows of a `select` that the planner has to be told about.

        Its first parameter is the organisation; the settings hold for its transaction.
        """
        self._refuse_others(org_id)
        bind = self._sessions.kw["bind"]
        if isinstance(bind, AsyncEngine):
            opening = _opening({"app.org_id": str(org_id), **settings})
            return await _rows(bind, sql, org_id, *args, opening=opening)
        async with tenant_transaction(self._sessions, self._org_id) as session:
            await raw_rows(session, _SET, list(settings), list(settings.values()))
            return await raw_rows(session, sql, org_id, *args)

    def _refuse_others(self, org_id: UUID) -> None:
        if org_id != self._org_id:
            message = "these reads are bound to another organisation"
            raise PermissionError(message)


def read_for(sessions: SessionFactory, actor: Actor) -> Reads:
    """Return the hot reads of an actor's organisation."""
    return Reads(sessions, actor.org_id)


async def _rows(
    engine: AsyncEngine, sql: str, *args: Any, opening: str | None = None
) -> list[asyncpg.Record]:
    """Read, and once more where the connection died under it."""
    try:
        return await run_once(engine, sql, *args, opening=opening)
    except (*_GONE, asyncpg.ConnectionDoesNotExistError):
        return await run_once(engine, sql, *args, opening=opening)


async def run_once(
    engine: AsyncEngine, sql: str, *args: Any, opening: str | None = None
) -> list[asyncpg.Record]:
    """Run one statement, a transaction of its own, on a connection of the pool."""
    pooled, driver = await _alive(engine)
    return await _fetch(pooled, driver, sql, *args, opening=opening)


async def _begun(
    engine: AsyncEngine, opening: str
) -> tuple[PoolProxiedConnection, Any]:
    """Begin, and once more where the pool held a connection that had died."""
    try:
        return await _begun_once(engine, opening)
    except (*_GONE, asyncpg.ConnectionDoesNotExistError):
        return await _begun_once(engine, opening)


async def _begun_once(
    engine: AsyncEngine, opening: str
) -> tuple[PoolProxiedConnection, Any]:
    pooled, driver = await _alive(engine)
    try:
        await driver.execute(opening)
    except BaseException:  # whoever was cancelled half-way leaves nothing open either
        pooled.invalidate()
        raise
    return pooled, driver


async def _alive(engine: AsyncEngine) -> tuple[PoolProxiedConnection, Any]:
    pooled, driver = await _checked_out(engine)
    while driver.is_closed():  # died in the pool
        pooled.invalidate()
        pooled, driver = await _checked_out(engine)
    return pooled, driver


async def _checked_out(engine: AsyncEngine) -> tuple[PoolProxiedConnection, Any]:
    pooled = await greenlet_spawn(engine.sync_engine.pool.connect)
    return pooled, pooled.driver_connection


async def _fetch(
    pooled: PoolProxiedConnection,
    driver: Any,
    sql: str,
    *args: Any,
    opening: str | None = None,
) -> list[asyncpg.Record]:
    is_whole = False
    read = driver.fetch if opening is None else partial(_read_within, driver, opening)
    try:
        rows: list[asyncpg.Record] = await read(sql, *args)
        is_whole = True
    except asyncpg.PostgresError as exc:
        is_whole = not isinstance(exc, _GONE)
        raise
    finally:
        # Whoever was cancelled half-way leaves no connection behind for others.
        if is_whole:
            pooled.close()
        else:
            pooled.invalidate()
    return rows


async def _read_within(
    driver: Any, opening: str, sql: str, *args: Any
) -> list[asyncpg.Record]:
    await driver.execute(opening)
    try:
        rows: list[asyncpg.Record] = await driver.fetch(sql, *args)
    except asyncpg.PostgresError as exc:
        if not isinstance(exc, _GONE):
            await driver.execute("rollback")
        raise
    await driver.execute("commit")
    return rows


class Statements(Protocol):
    """Runs statements of one transaction, each in one round trip."""

    async def __call__(self, sql: str, /, *args: Any) -> list[asyncpg.Record]:
        """Return the rows of one."""
        ...


@asynccontextmanager
async def raw_transaction(
    sessions: SessionFactory, org_id: UUID
) -> AsyncIterator[Statements]:
    """Open a transaction of one organisation without a session: two round trips."""
    bind = sessions.kw["bind"]
    if not isinstance(bind, AsyncEngine):
        # Several sessions share one connection and one outer transaction.
        async with tenant_transaction(sessions, org_id) as session:
            yield partial(raw_rows, session)
        return
    pooled, driver = await _begun(bind, _opening({"app.org_id": str(org_id)}))
    is_whole = False
    try:
        yield driver.fetch
        await driver.execute("commit")
        is_whole = True
    finally:
        # Broken off half-way, the transaction ends with its connection.
        if is_whole:
            pooled.close()
        else:
            pooled.invalidate()


def _opening(settings: Mapping[str, str]) -> str:
    """Begin and set in one message; the values are ours, none is a client's."""
    set_each = (
        f"set_config({_quoted(name)}, {_quoted(value)}, true)"
        for name, value in settings.items()
    )
    return f"begin; select {', '.join(set_each)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
