"""Reads of one organisation: one statement, which binds the tenant and selects columns.

It runs on a pooled connection in AUTOCOMMIT, so it is a transaction of its own and the
connection keeps nothing of it. Statements are built once, as constants: building one
costs more than running it.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    Result,
    Select,
    String,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.sql import visitors

from dossier.core.database import Session, SessionFactory
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor

Row: TypeAlias = dict[str, Any]
"""Selected columns by their names; a response model validates them."""

ORG_ID: Final = bindparam("org_id", type_=Uuid())
"""The organisation, in the conditions of every table of a statement."""

_ORG_TEXT = cast(ORG_ID, String)
_BOUND = (
    select(
        func.set_config(
            literal_column("'app.org_id'"), _ORG_TEXT, literal_column("true")
        ).label("org_id")
    )
    .cte("bound")
    .prefix_with("MATERIALIZED")
)


class TenantSelect:
    """A `select` that binds the tenant before it reads a row.

    Row security reads the setting when the first row is fetched. The rows depend on
    `bound.org_id`, which is known only after the setting is made, and `offset 0` keeps
    the planner from merging the two. Read too early, the setting is empty: no rows.
    """

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        """Raise `ValueError` for a query that does not name the organisation."""
        if all(element is not ORG_ID for element in visitors.iterate(query)):
            message = "a tenant's statement names `ORG_ID`"
            raise ValueError(message)
        fence = (
            select(query.subquery("inside"))
            .where(_BOUND.c.org_id == _ORG_TEXT)
            .offset(literal_column("0"))
            .correlate(_BOUND)
            .lateral("fenced")
        )
        self.statement = select(fence).select_from(_BOUND.join(fence, true()))


class TenantPage(TenantSelect):
    """A list: one page of an ordered query, which selects `id`, and its total."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        """Take the query without limit and offset."""
        some = (
            query.order_by(None)
            .with_only_columns(literal_column("1"), maintain_column_froms=True)
            .limit(bindparam("counted_up_to"))
            .subquery("some")
        )
        counted = select(func.count().label("total")).select_from(some).subquery()
        page = query.limit(bindparam("limit")).offset(bindparam("offset"))
        shown = page.subquery("page")
        super().__init__(
            select(counted.c.total, shown).select_from(counted.outerjoin(shown, true()))
        )


class TenantReader:
    """Reads rows of an actor's organisation, one statement each.

    Over a session it reads within that transaction, else on a connection of its own.
    """

    def __init__(self, source: SessionFactory | Session, actor: Actor) -> None:
        self._source = source
        self.actor = actor

    @property
    def org_id(self) -> UUID:
        """The organisation whose rows are read."""
        return self.actor.org_id

    async def rows(
        self, wanted: TenantSelect, org_id: UUID, **values: Any
    ) -> list[Row]:
        """Return the selected rows of the organisation that reads."""
        if org_id != self.org_id:
            message = "this reader is bound to another organisation"
            raise PermissionError(message)
        values["org_id"] = org_id
        statement, source = wanted.statement, self._source
        if isinstance(source, AsyncSession):
            return _as_rows(await source.execute(statement, values))
        engine: AsyncEngine = source.kw["bind"]
        try:
            return await _autocommitted(engine, statement, values)
        except DBAPIError as exc:
            if not exc.connection_invalidated:
                raise
            # The pool held a connection that had died.
            return await _autocommitted(engine, statement, values)

    async def row(
        self, wanted: TenantSelect, org_id: UUID, **values: Any
    ) -> Row | None:
        """Return the first of the rows, or `None`."""
        rows = await self.rows(wanted, org_id, **values)
        return rows[0] if rows else None

    async def page(
        self, wanted: TenantPage, org_id: UUID, page: PageParams, **values: Any
    ) -> Slice[Row]:
        """Return one page of a list with its total."""
        rows = await self.rows(
            wanted,
            org_id,
            limit=page.limit,
            offset=page.offset,
            counted_up_to=page.counted_up_to,
            **values,
        )
        total = page.total_of(rows[0]["total"])
        items = [row for row in rows if row["id"] is not None]
        return Slice(items, total, page.limit, page.offset)


async def _autocommitted(
    engine: AsyncEngine,
    statement: Select[*tuple[Any, ...]],
    values: Mapping[str, Any],
) -> list[Row]:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return _as_rows(await connection.execute(statement, values))


def _as_rows(result: Result[*tuple[Any, ...]]) -> list[Row]:
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.all()]
