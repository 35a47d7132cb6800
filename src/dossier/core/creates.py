"""Reads and inserts on the bare driver. Nothing new uses this module.

Chat, runs and the ledger of model calls still do; with their last use it is deleted,
and with it what `core/reads.py` passes on from here.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import MISSING, fields
from functools import cache, partial
from typing import Any, NamedTuple, NewType, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import JSON, Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import class_mapper
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from dossier.core.database import SessionFactory, raw_rows, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.models import Base, TenantOwned
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

    def _refuse_others(self, org_id: UUID) -> None:
        if org_id != self._org_id:
            message = "these reads are bound to another organisation"
            raise PermissionError(message)


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
    pooled, driver = await _alive(engine)
    return await _fetch(pooled, driver, sql, *args)


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


_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call] # the library's own

COMPUTED: Any = None
"""Stands in a new row for what the database works out."""

P = ParamSpec("P")
R = TypeVar("R")


def fresh(kind: Callable[P, R], /, *_: P.args, **values: P.kwargs) -> R:
    """Return a new row for a hot create: `kind(**values)` at a fifth of its price.

    It keeps no record of what was set, so it is nothing for a session.
    """
    blank = _blank(kind)
    if not blank.required <= values.keys() <= blank.names:
        return kind(**values)  # type: ignore[call-arg] # which says what is wrong
    row = blank.new()
    members = vars(row)
    members.update(blank.defaults)
    members.update(values)
    for name, make in blank.factories:
        if name not in values:
            members[name] = make()
    return cast("R", row)


class _Blank(NamedTuple):
    """What rows of one kind begin with."""

    new: Callable[[], object]
    names: frozenset[str]
    required: frozenset[str]
    defaults: Mapping[str, object]
    factories: tuple[tuple[str, Callable[[], object]], ...]


@cache
def _blank(kind: Any) -> _Blank:
    new = class_mapper(kind).class_manager.new_instance
    told = fields(kind)
    made = {f.name: f.default_factory for f in told if f.default_factory is not MISSING}
    required = {
        f.name for f in told if f.default is MISSING and f.default_factory is MISSING
    }
    names = frozenset(f.name for f in told)
    bare = new()  # what nobody sets, the class knows
    defaults = {name: getattr(bare, name) for name in names - required - made.keys()}
    return _Blank(new, names, frozenset(required), defaults, tuple(made.items()))


class Condition(NamedTuple):
    """What has to hold for rows to be stored.

    `sql` takes its rows from `bound`, its parameters begin at `$2`, and it returns one
    row with `org_id` where it holds.
    """

    sql: str
    args: tuple[Any, ...]


class Creates:
    """New rows of one organisation that stand or fall together."""

    def __init__(self, sessions: SessionFactory, org_id: UUID) -> None:
        self._sessions = sessions
        self._org_id = org_id
        self._rows: list[TenantOwned] = []
        self._computed: list[frozenset[tuple[str, str]]] = []
        self._conflicts: dict[str, AppError] = {}

    def add(
        self,
        row: TenantOwned,
        conflicts: Mapping[str, AppError] | None = None,
        *,
        computed: Mapping[str, str] | None = None,
    ) -> None:
        """Take a row along; `conflicts` says what a violated constraint means.

        `computed` names columns that the database works out, each with its SQL.
        """
        if row.org_id != self._org_id:
            message = "these rows are bound to another organisation"
            raise PermissionError(message)
        self._rows.append(row)
        self._computed.append(frozenset((computed or {}).items()))
        self._conflicts.update(conflicts or {})

    async def store(self, condition: Condition | None = None) -> bool:
        """Insert and commit what was added, all of it or nothing.

        `False`: the condition did not hold, and nothing was stored.
        """
        if not self._rows:
            return True
        return await self.read_and_store(condition or Condition("", ())) is not None

    async def read_and_store(self, condition: Condition) -> asyncpg.Record | None:
        """Do the same, and return the row of the condition, `held` in computed SQL."""
        kinds = zip(map(type, self._rows), self._computed, strict=True)
        statement = _statement(tuple(kinds), condition.sql, len(condition.args))
        args = [
            value
            for row in zip(self._rows, self._computed, strict=True)
            for value in _values(*row)
        ]
        try:
            rows = await self._run(statement, *condition.args, *args)
        except asyncpg.IntegrityConstraintViolationError as exc:
            meaning = self._conflicts.get(str(exc.constraint_name))
            if meaning is None:
                raise
            raise meaning from exc
        return rows[0] if rows else None

    async def _run(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        bind = self._sessions.kw["bind"]
        if isinstance(bind, AsyncEngine):
            return await run_once(bind, statement, self._org_id, *args)
        # Several sessions share one connection and one outer transaction.
        async with tenant_transaction(self._sessions, self._org_id) as session:
            return await raw_rows(session, statement, self._org_id, *args)


def create_for(sessions: SessionFactory, actor: Actor) -> Creates:
    """Return the hot creates of an actor's organisation."""
    return Creates(sessions, actor.org_id)


_Kind = tuple[type[TenantOwned], frozenset[tuple[str, str]]]


@cache
def _statement(kinds: tuple[_Kind, ...], condition: str, condition_args: int) -> str:
    inserts, first = [], 2 + condition_args
    for number, (kind, computed) in enumerate(kinds):
        given = _given(kind, computed)
        worked_out = sorted(computed)
        names = [column.name for column in given] + [name for name, _ in worked_out]
        places = [
            f"${place}::{column.type.compile(_DIALECT)}"
            for place, column in enumerate(given, first)
        ] + [sql for _, sql in worked_out]
        # Rows come from `bound`, so the tenant is set before any of them is checked.
        select = f"select {', '.join(places)} from held"  # noqa: S608 - names of ours
        into = f"insert into {_table(kind).name} ({', '.join(names)}) {select}"
        inserts.append(f"row_{number} as ({into})")
        first += len(given)
    held = condition or "select org_id from bound"
    return f"{BIND}, held as ({held}), {', '.join(inserts)} select * from held"  # noqa: S608 - names of ours


def _table(kind: type[TenantOwned]) -> Table:
    return cast("Table", cast("type[Base]", kind).__table__)


@cache
def _columns(kind: type[TenantOwned]) -> list[Column[Any]]:
    return list(_table(kind).columns)


@cache
def _given(
    kind: type[TenantOwned], computed: frozenset[tuple[str, str]]
) -> list[Column[Any]]:
    names = {name for name, _ in computed}
    return [column for column in _columns(kind) if column.name not in names]


@cache
def _readers(
    kind: type[TenantOwned], computed: frozenset[tuple[str, str]]
) -> tuple[list[str], list[int]]:
    """Return the attributes in the order of their places, and which are JSON."""
    given = _given(kind, computed)
    as_json = [i for i, column in enumerate(given) if isinstance(column.type, JSON)]
    return [column.key for column in given], as_json


def _values(row: TenantOwned, computed: frozenset[tuple[str, str]]) -> list[Any]:
    names, as_json = _readers(type(row), computed)
    members = vars(row)  # without what nobody set: that the class knows
    values = [
        members[name] if name in members else getattr(row, name) for name in names
    ]
    for place in as_json:
        values[place] = orjson.dumps(values[place]).decode()
    return values
