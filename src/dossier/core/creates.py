"""Hot creates: all new rows of a request in one statement, which is its transaction.

The statement binds the tenant itself, like those of `core/reads.py`, so that row
security checks each row and the connection has nothing to carry over. It is sent by the
edge, after the endpoint and before the answer.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast
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


class Creates:
    """New rows of one organisation that stand or fall together."""

    def __init__(self, sessions: SessionFactory, org_id: UUID) -> None:
        self._sessions = sessions
        self._org_id = org_id
        self._rows: list[TenantOwned] = []
        self._conflicts: dict[str, AppError] = {}

    def add(
        self, row: TenantOwned, conflicts: Mapping[str, AppError] | None = None
    ) -> None:
        """Take a row along; `conflicts` says what a violated constraint means."""
        if row.org_id != self._org_id:
            message = "these rows are bound to another organisation"
            raise PermissionError(message)
        self._rows.append(row)
        self._conflicts.update(conflicts or {})

    async def store(self) -> None:
        """Insert and commit what was added, all of it or nothing."""
        if not self._rows:
            return
        statement = _statement(tuple(type(row) for row in self._rows))
        args = [value for row in self._rows for value in _values(row)]
        try:
            await self._run(statement, *args)
        except asyncpg.IntegrityConstraintViolationError as exc:
            meaning = self._conflicts.get(str(exc.constraint_name))
            if meaning is None:
                raise
            raise meaning from exc

    async def _run(self, statement: str, *args: Any) -> None:
        bind = self._sessions.kw["bind"]
        if isinstance(bind, AsyncEngine):
            await run_once(bind, statement, self._org_id, *args)
            return
        # Several sessions share one connection and one outer transaction.
        async with tenant_transaction(self._sessions, self._org_id) as session:
            await raw_rows(session, statement, self._org_id, *args)


def create_for(sessions: SessionFactory, actor: Actor) -> Creates:
    """Return the hot creates of an actor's organisation."""
    return Creates(sessions, actor.org_id)


@cache
def _statement(kinds: tuple[type[TenantOwned], ...]) -> str:
    inserts, first = [], 2
    for number, kind in enumerate(kinds):
        columns = _columns(kind)
        names = ", ".join(column.name for column in columns)
        places = (
            f"${place}::{column.type.compile(_DIALECT)}"
            for place, column in enumerate(columns, first)
        )
        # Rows come from `bound`, so the tenant is set before any of them is checked.
        select = f"select {', '.join(places)} from bound"  # noqa: S608 - names of ours
        into = f"insert into {_table(kind).name} ({names}) {select}"
        inserts.append(f"row_{number} as ({into})")
        first += len(columns)
    return f"{BIND}, {', '.join(inserts)} select 1"


def _table(kind: type[TenantOwned]) -> Table:
    return cast("Table", cast("type[Base]", kind).__table__)


@cache
def _columns(kind: type[TenantOwned]) -> list[Column[Any]]:
    return list(_table(kind).columns)


@cache
def _readers(kind: type[TenantOwned]) -> list[tuple[str, Callable[[Any], Any]]]:
    return [
        (column.key, _as_json if isinstance(column.type, JSON) else _as_it_is)
        for column in _columns(kind)
    ]


def _values(row: TenantOwned) -> list[Any]:
    members = vars(row)
    return [read(members[name]) for name, read in _readers(type(row))]


def _as_it_is(value: Any) -> Any:
    return value


def _as_json(value: Any) -> str:
    return orjson.dumps(value).decode()
