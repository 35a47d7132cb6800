"""Hot reads: one statement, one round trip, a transaction of its own.

The statement binds the tenant itself, for its own duration, so that a pooled
connection has nothing to carry over. ADR 0015 lists the routes that read so.
"""

from typing import Any, NewType
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
_GONE = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


def bound(select: str) -> BoundStatement:
    """Return a `select` that sees one organisation's rows: those of `bound.org_id`.

    That is the condition of every table in it; its own parameters begin at `$2`.
    """
    if "bound.org_id" not in select:
        message = "a bound statement names `bound.org_id`"
        raise ValueError(message)
    return BoundStatement(BIND + _FENCED.format(select))


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
        if org_id != self._org_id:
            message = "these reads are bound to another organisation"
            raise PermissionError(message)
        bind = self._sessions.kw["bind"]
        if isinstance(bind, AsyncEngine):
            return await _rows(bind, statement, org_id, *args)
        # Several sessions share one connection and one outer transaction.
        async with tenant_transaction(self._sessions, self._org_id) as session:
            return await raw_rows(session, statement, org_id, *args)


def read_for(sessions: SessionFactory, actor: Actor) -> Reads:
    """Return the hot reads of an actor's organisation."""
    return Reads(sessions, actor.org_id)


async def _rows(engine: AsyncEngine, sql: str, *args: Any) -> list[asyncpg.Record]:
    """Read, and once more where the connection died under it."""
    try:
        return await run_once(engine, sql, *args)
    except (*_GONE, asyncpg.ConnectionDoesNotExistError):
        return await run_once(engine, sql, *args)


async def run_once(engine: AsyncEngine, sql: str, *args: Any) -> list[asyncpg.Record]:
    """Run one statement, a transaction of its own, on a connection of the pool."""
    pooled, driver = await _checked_out(engine)
    while driver.is_closed():  # died in the pool
        pooled.invalidate()
        pooled, driver = await _checked_out(engine)
    return await _fetch(pooled, driver, sql, *args)


async def _checked_out(engine: AsyncEngine) -> tuple[PoolProxiedConnection, Any]:
    pooled = await greenlet_spawn(engine.sync_engine.pool.connect)
    return pooled, pooled.driver_connection


async def _fetch(
    pooled: PoolProxiedConnection, driver: Any, sql: str, *args: Any
) -> list[asyncpg.Record]:
    is_whole = False
    try:
        rows: list[asyncpg.Record] = await driver.fetch(sql, *args)
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
