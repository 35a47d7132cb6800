"""Reads the tables of a sheet, and decides which of them are parts of one formula."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dossier.products.formula_import.amounts import AmountTable, read_amounts
from dossier.products.formula_import.columns import Column, standing
from dossier.products.formula_import.explosion import Explosion, explode
from dossier.products.formula_import.header import find_tables
from dossier.products.formula_import.labels import is_other_table, names_part
from dossier.products.formula_import.numbers import folded
from dossier.products.formula_import.rows import TableRows, read_rows
from dossier.products.formula_import.totals import BLOCKING_BEYOND, Total, total_of
from dossier.products.formula_import.types import HUNDRED, FormulaTable, Grid

_WHOLE_MARGIN: Final = 1


class TableStanding(StrEnum):
    """What a further table of a sheet is to the formula.

    `PART` belongs to it. `ASIDE` is another kind of table or a copy; `OTHER` changes
    nothing, because the formula is complete without it. `UNREAD` may be a part of it.
    """

    PART = "part"
    ASIDE = "aside"
    OTHER = "other"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """One table, stage by stage."""

    table: FormulaTable
    read: TableRows
    amounts: AmountTable
    explosion: Explosion
    total: Total

    @property
    def names(self) -> set[str]:
        """Return the folded names of its ingredients."""
        texts = (
            row.text(Column.INCI)
            or row.text(Column.NAME)
            or row.text(Column.TRADE_NAME)
            for row in self.read.rows
        )
        return {folded(text) for text in texts if text}

    @property
    def content(self) -> dict[tuple[str, str], object]:
        """Return the quantities by name and column, to compare two tables."""
        return {
            (
                folded(row.text(Column.INCI) or row.text(Column.NAME) or ""),
                column,
            ): amount.quantity
            for row in self.read.rows
            for (key, column), amount in self.amounts.amounts.items()
            if key == row.key
        }

    @property
    def is_whole(self) -> bool:
        """Return whether it makes a formula by itself."""
        if self.total.rest is not None:
            return self.total.deficit == 0
        return self.total.known.distance(HUNDRED) <= _WHOLE_MARGIN


@dataclass(frozen=True, slots=True)
class SheetReading:
    """The tables of a sheet: the best one first, and what the others are to it."""

    grid: Grid
    tables: tuple[TableReading, ...]
    standings: tuple[TableStanding, ...]

    @property
    def main(self) -> TableReading:
        """Return the best table."""
        return self.tables[0]

    @property
    def parts(self) -> list[TableReading]:
        """Return the tables that make the formula."""
        pairs = zip(self.tables, self.standings, strict=True)
        parts = [table for table, standing in pairs if standing is TableStanding.PART]
        return sorted(parts, key=lambda each: each.table.header_rows)

    @property
    def total(self) -> Total:
        """Return the total of all parts."""
        return total_of([p for each in self.parts for p in each.explosion.portions])

    @property
    def is_whole(self) -> bool:
        """Return whether the parts make a formula."""
        total = self.total
        if total.rest is not None:
            return total.deficit == 0
        return total.known.distance(HUNDRED) <= _WHOLE_MARGIN

    @property
    def names(self) -> set[str]:
        """Return the folded names of the ingredients of all parts."""
        return {name for each in self.parts for name in each.names}


def read_sheet(grid: Grid, wanted_column: str | None = None) -> SheetReading | None:
    """Return the tables of a sheet, `None` where it has no formula."""
    if not grid.rows:
        return None
    found = [
        table
        for table in find_tables(grid, wanted_column)
        if table.states_quantities or table.index == 0
    ]
    # A column that the caller names and the table lacks is reported by the caller.
    if not found or (wanted_column is None and not found[0].states_quantities):
        return None
    is_alone = len(found) == 1
    tables = [read_table(table, is_alone=is_alone) for table in found]
    tables = [each for each in tables if each.read.kinds or each is tables[0]]
    return SheetReading(grid, tuple(tables), tuple(_standings(tables)))


def read_table(table: FormulaTable, *, is_alone: bool) -> TableReading:
    """Return the rows, amounts and portions of a table."""
    read = read_rows(table)
    return evaluated(table, read, is_alone=is_alone)


def evaluated(table: FormulaTable, read: TableRows, *, is_alone: bool) -> TableReading:
    """Return the amounts and portions of rows that were read."""
    amounts = read_amounts(read.rows, table.units, is_alone=is_alone)
    columns = frozenset(table.columns)
    if {Column.MIN, Column.MAX} & columns:
        columns = (columns - {Column.MIN, Column.MAX}) | {Column.PERCENT}
    explosion = explode(read.rows, amounts, columns)
    return TableReading(
        table=table,
        read=read,
        amounts=amounts,
        explosion=explosion,
        total=total_of(explosion.portions),
    )


def _standings(tables: Sequence[TableReading]) -> list[TableStanding]:
    main, others = tables[0], tables[1:]
    found = {id(main): TableStanding.PART}
    open_tables: list[TableReading] = []
    for table in others:
        if not table.read.rows or _is_aside(table, main):
            found[id(table)] = TableStanding.ASIDE
        else:
            open_tables.append(table)
    together = [main, *open_tables]
    is_divided = bool(open_tables) and not any(
        each.total.rest is not None or each.total.is_closed for each in together
    )
    # Tables without a rest may make 100 together, and not one by one.
    if is_divided and _total_of_tables(together).is_closed:
        found |= dict.fromkeys(map(id, open_tables), TableStanding.PART)
        open_tables = []
    parts = [main]
    for table in open_tables:
        if _is_named_part(table, parts):
            found[id(table)] = TableStanding.PART
            parts.append(table)
        elif main.total.is_closed:
            found[id(table)] = TableStanding.OTHER
        else:
            found[id(table)] = TableStanding.UNREAD
    return [found[id(each)] for each in tables]


def _is_aside(table: TableReading, main: TableReading) -> bool:
    """Return whether a table is of another kind, out of date, or repeats the main."""
    title = table.table.title
    own = {each.header for each in table.table.headers.values()}
    known = {each.header for each in main.table.headers.values()}
    if (
        is_other_table(title)
        or standing(title) < 0
        or any(map(is_other_table, own - known))
    ):
        return True
    repeated = table.content.items()
    return bool(repeated) and repeated <= main.content.items()


def _total_of_tables(tables: Iterable[TableReading]) -> Total:
    return total_of([p for table in tables for p in table.explosion.portions])


def _is_named_part(table: TableReading, parts: Sequence[TableReading]) -> bool:
    """Return whether a title says "part" or "phase", and the sums allow it."""
    if not names_part(table.table.title):
        return False
    together = _total_of_tables((*parts, table))
    fillers = [each for each in (*parts, table) if each.total.rest is not None]
    return len(fillers) <= 1 and together.known.lower <= HUNDRED + BLOCKING_BEYOND
