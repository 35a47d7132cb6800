"""Value objects that several stages of the formula import use."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from dossier.core.spreadsheets import Cell, Sheet
from dossier.products.formula_import.columns import QUANTITIES, Column

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)

RowKey = tuple[int, int, int]
"""The table, the row of the sheet, and the ingredient's place within that row."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from `lower` to `upper`."""

    lower: Decimal
    upper: Decimal

    @classmethod
    def exactly(cls, value: Decimal) -> Self:
        """Return the interval of one value."""
        return cls(value, value)

    @classmethod
    def sum(cls, intervals: Iterable["Interval"]) -> "Interval":
        """Return the range of the sum of one value from each interval."""
        every = list(intervals)
        return cls(
            sum((each.lower for each in every), ZERO),
            sum((each.upper for each in every), ZERO),
        )

    def contains(self, value: Decimal) -> bool:
        """Return whether the value lies inside."""
        return self.lower <= value <= self.upper

    def distance(self, value: Decimal) -> Decimal:
        """Return how far outside the value lies; 0 when inside."""
        return max(self.lower - value, value - self.upper, ZERO)

    def times(self, other: "Interval") -> "Interval":
        """Return the product of two intervals that are not negative."""
        return Interval(self.lower * other.lower, self.upper * other.upper)

    def scaled(self, factor: Decimal) -> "Interval":
        """Return the interval multiplied by a factor that is not negative."""
        return Interval(self.lower * factor, self.upper * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaSource:
    """The file that a formula is read from."""

    filename: str
    sha256: str
    document_id: str | None = None


class Grid:
    """A sheet indexed by position."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._cells = {(cell.row, cell.column): cell for cell in sheet.cells}
        self._anchors = {cell.address: cell for cell in sheet.cells}
        self._columns: dict[int, list[int]] = {}
        self._covered: dict[tuple[str, int], list[int]] = {}
        self._texts: dict[int, list[Cell]] = {}
        for cell in sheet.cells:
            self._columns.setdefault(cell.row, []).append(cell.column)
            if cell.text and not cell.merged_from:
                self._texts.setdefault(cell.row, []).append(cell)
            if cell.merged_from:
                key = (cell.merged_from, cell.column)
                self._covered.setdefault(key, []).append(cell.row)
        self.rows = sorted(self._columns)

    def label_of(self, row: int) -> str:
        """Return the first text of a row that is no number."""
        cells = self.cells_of(row)
        return next((cell.text for cell in cells if cell.number is None), "")

    def columns_of(self, row: int) -> list[int]:
        """Return the columns of a row with a cell, its own or a covered one."""
        return self._columns.get(row, [])

    def at(self, row: int, column: int) -> Cell | None:
        """Return the cell of this position, `None` where a merged range covers it."""
        cell = self._cells.get((row, column))
        return None if cell is None or cell.merged_from else cell

    def shown_at(self, row: int, column: int) -> Cell | None:
        """Return the cell that is shown here: the anchor of a merged range."""
        cell = self._cells.get((row, column))
        if cell is None or cell.merged_from is None:
            return cell
        return self._anchors.get(cell.merged_from)

    def cells_of(self, row: int) -> list[Cell]:
        """Return the cells of a row with a text of their own."""
        return self._texts.get(row, [])

    def covered_rows(self, anchor: Cell, column: int) -> list[int]:
        """Return the further rows of a column that the merged cell covers."""
        return self._covered.get((anchor.address, column), [])

    def contents(self) -> list[Cell]:
        """Return every cell with content: a text, a formula or crossed-out text."""
        return [
            cell
            for cell in self.sheet.cells
            if cell.merged_from is None
            and (cell.text or cell.formula or cell.struck_text)
        ]


@dataclass(frozen=True, slots=True)
class QuantityColumn:
    """A column with its header; the address is that of its lowest header cell."""

    number: int
    header: str
    address: str
    is_hidden: bool = False

    @property
    def shown(self) -> str:
        """Return address and header as a message names them."""
        return f"{self.address} {self.header}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaTable:
    """The position of a formula in a file: its sheet, columns and rows.

    `columns`, `units` and `header` hold the number, the unit and the header of each
    column that is read; `headers` holds those of every column. `rivals` are quantity
    columns that are as plausible as the one taken, `left_out` those that are less.
    `bounds` are the first and the last column of the table, `last_row` is its last.
    """

    grid: Grid
    index: int
    columns: Mapping[Column, int]
    units: Mapping[Column, str | None]
    header: Mapping[Column, QuantityColumn]
    headers: Mapping[int, QuantityColumn]
    roles: Mapping[int, Column | None]
    header_rows: tuple[int, int]
    last_row: int
    bounds: tuple[int, int]
    is_quantity_inferred: bool
    title: str = ""
    title_rows: tuple[int, ...] = ()
    rivals: tuple[QuantityColumn, ...] = ()
    left_out: tuple[QuantityColumn, ...] = ()

    @property
    def sheet(self) -> str:
        """Return the name of the sheet."""
        return self.grid.sheet.name

    @property
    def states_quantities(self) -> bool:
        """Return whether a column of quantities was found."""
        return bool(QUANTITIES & self.columns.keys())

    @property
    def first_row(self) -> int:
        """Return the first row below the header."""
        return self.header_rows[1] + 1

    def rows(self) -> list[int]:
        """Return the rows below the header that have a cell within the bounds."""
        start = bisect_left(self.grid.rows, self.first_row)
        end = bisect_right(self.grid.rows, self.last_row)
        return [row for row in self.grid.rows[start:end] if self.cells_of(row)]

    def cells_of(self, row: int) -> list[Cell]:
        """Return the cells of a row with a text, within the bounds of the table."""
        first, last = self.bounds
        cells = self.grid.cells_of(row)
        return [cell for cell in cells if first <= cell.column <= last]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCell:
    """A quantity cell before it is parsed."""

    address: str
    text: str
    number: Decimal | None
    number_format: str | None
    factor: int
    formula: str | None
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTotal:
    """The total that the sheet itself states in one column."""

    cell: StatedCell
    column: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One ingredient row of the table, merged cells resolved, nothing computed yet.

    `starts_material`: the row names a raw material itself; otherwise it continues the
    one above. `index_in_row` counts the ingredients that one sheet row lists in cells
    of several lines.
    """

    table: int
    row: int
    phase: str | None
    texts: dict[Column, str]
    quantities: dict[Column, StatedCell]
    cells: dict[Column, str]
    starts_material: bool
    is_hidden: bool = False
    index_in_row: int = 0

    @property
    def key(self) -> RowKey:
        """Return the key that is unique within the table."""
        return (self.table, self.row, self.index_in_row)

    def text(self, column: Column) -> str | None:
        """Return the text of a column, `None` where it is empty."""
        return self.texts.get(column) or None
