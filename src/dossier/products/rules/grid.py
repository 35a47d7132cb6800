"""The spreadsheet as the rules need it: cells by position, merged cells resolved."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol


class GridCell(Protocol):
    """One cell that says something, or that a merged range covers."""

    @property
    def row(self) -> int:
        """Row, counted from 1."""
        ...

    @property
    def column(self) -> int:
        """Column, counted from 1."""
        ...

    @property
    def address(self) -> str:
        """Address such as `B7`."""
        ...

    @property
    def text(self) -> str:
        """What the cell says."""
        ...

    @property
    def number(self) -> Decimal | None:
        """Its value, already multiplied by `factor`."""
        ...

    @property
    def number_format(self) -> str | None:
        """The format of a number."""
        ...

    @property
    def factor(self) -> int:
        """What the stored value was multiplied by because of its format."""
        ...

    @property
    def formula(self) -> str | None:
        """The formula that computes it."""
        ...

    @property
    def merged_from(self) -> str | None:
        """The address of the anchor whose value this covered cell shows."""
        ...


class GridSheet(Protocol):
    """One sheet."""

    @property
    def name(self) -> str:
        """The sheet's name, empty for text files."""
        ...

    @property
    def is_hidden(self) -> bool:
        """Whether people see it."""
        ...

    @property
    def cells(self) -> Sequence[GridCell]:
        """Cells ordered by row, then column."""
        ...

    @property
    def hidden_rows(self) -> Sequence[int]:
        """Rows that people do not see."""
        ...


class GridWorkbook(Protocol):
    """A file."""

    @property
    def sheets(self) -> Sequence[GridSheet]:
        """Its sheets, in order."""
        ...

    @property
    def encoding(self) -> str | None:
        """The encoding of a text file."""
        ...


class Grid:
    """A sheet indexed by position."""

    def __init__(self, sheet: GridSheet) -> None:
        self.sheet = sheet
        self._cells = {(cell.row, cell.column): cell for cell in sheet.cells}
        self._anchors = {cell.address: cell for cell in sheet.cells}
        self._columns: dict[int, list[int]] = {}
        for cell in sheet.cells:
            self._columns.setdefault(cell.row, []).append(cell.column)
        self.rows = sorted(self._columns)

    def columns(self, row: int) -> list[int]:
        """Return the columns of a row that hold or are covered by something."""
        return self._columns.get(row, [])

    def at(self, row: int, column: int) -> GridCell | None:
        """Return the cell that stands there itself; covered cells do not."""
        cell = self._cells.get((row, column))
        return None if cell is None or cell.merged_from else cell

    def seen(self, row: int, column: int) -> GridCell | None:
        """Return the cell that a person sees there, the anchor of a merged range."""
        cell = self._cells.get((row, column))
        if cell is None or cell.merged_from is None:
            return cell
        return self._anchors.get(cell.merged_from)

    def own(self, row: int) -> list[GridCell]:
        """Return the cells of a row that say something themselves."""
        cells = (self.at(row, column) for column in self.columns(row))
        return [cell for cell in cells if cell is not None and cell.text]
