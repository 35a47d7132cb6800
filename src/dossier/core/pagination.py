"""Limit and offset lists: 20 a page, 50 at most, a stable order."""

from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Depends, Query
from sqlalchemy import Select, func, select

from dossier.core.database import Session

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 50
MAX_OFFSET = 2**63 - 1
"""The largest `bigint`."""
EXACT_COUNT_ROWS = 10_000
"""Above this many rows a total is given only when it is asked for."""


@dataclass(frozen=True, slots=True)
class PageParams:
    """The page of a list that a request asks for."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    include_total: bool = False

    @property
    def counted_up_to(self) -> int | None:
        """How far to count; `None` is to the end."""
        return None if self.include_total else EXACT_COUNT_ROWS + 1

    def total_of(self, counted: int) -> int | None:
        """Return the total, or `None` where counting stopped at the limit."""
        return None if counted == self.counted_up_to else counted


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of rows; it has the members of the `Page` schema."""

    items: list[T]
    total: int | None
    limit: int
    offset: int


async def page_params(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    include: Annotated[
        Literal["total"] | None, Query(description="Count however many there are.")
    ] = None,
) -> PageParams:
    """Return the page that a request asks for; a larger limit is refused."""
    return PageParams(limit, offset, include == "total")


Paging = Annotated[PageParams, Depends(page_params)]


async def paginate(session: Session, query: Select[T], page: PageParams) -> Slice[T]:
    """Return one page of an ordered query with its total."""
    rows = await session.scalars(query.limit(page.limit).offset(page.offset))
    counted = query.order_by(None).limit(page.counted_up_to).subquery()
    total = await session.scalar(select(func.count()).select_from(counted))
    return Slice(list(rows), page.total_of(total or 0), page.limit, page.offset)
