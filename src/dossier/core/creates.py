"""Hot creates: all new rows of a request in one statement, which is its transaction.

The statement binds the tenant itself, like those of `core/reads.py`, so that row
security checks each row and the connection has nothing to carry over. It is sent by the
edge, after the endpoint and before the answer.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import JSON, Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from dossier.core.database import SessionFactory, raw_rows, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.models import Base, TenantOwned
from dossier.core.reads import BIND, run_once
from dossier.core.tenancy import Actor

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call] # the library's own


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
        condition = condition or Condition("", ())
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
        return bool(rows)

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
    return f"{BIND}, held as ({held}), {', '.join(inserts)} select 1 from held"  # noqa: S608 - names of ours


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
) -> list[tuple[str, Callable[[Any], Any]]]:
    return [
        (column.key, _as_json if isinstance(column.type, JSON) else _as_it_is)
        for column in _given(kind, computed)
    ]


def _values(row: TenantOwned, computed: frozenset[tuple[str, str]]) -> list[Any]:
    members = vars(row)  # without what nobody set: that the class knows
    return [
        read(members[name] if name in members else getattr(row, name))
        for name, read in _readers(type(row), computed)
    ]


def _as_it_is(value: Any) -> Any:
    return value


def _as_json(value: Any) -> str:
    return orjson.dumps(value).decode()
