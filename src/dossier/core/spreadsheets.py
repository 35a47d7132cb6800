"""A spreadsheet as plain cells, the same for every file format.

Only cells with content are kept. Rows and columns count from 1, as spreadsheet programs
show them. `text` is what the cell shows, `number` its value where it holds one.
Superscript digits and letters are Unicode superscripts in every format.
"""

from dataclasses import dataclass, field
from decimal import Decimal

_LETTERS = 26


def column_letters(column: int) -> str:
    """Return the letters of a column that is counted from 1."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters


def address_of(row: int, column: int) -> str:
    """Return a cell's address such as `B7`."""
    return f"{column_letters(column)}{row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell.

    `factor` is what the stored number was multiplied by because of its format (100 for
    `0.00%`); `merged_from` names the anchor of the merged range that covers the cell.
    `struck_text` is what is crossed out in the cell and no part of `text`. A formula
    without text or number has no stored result. `in_text` marks the cells of delimited
    text, which have no column letters.
    """

    row: int
    column: int
    text: str = ""
    number: Decimal | None = None
    number_format: str | None = None
    factor: int = 1
    formula: str | None = None
    merged_from: str | None = None
    struck_text: str = ""
    in_text: bool = False

    @property
    def address(self) -> str:
        """Return the address such as `B7`, or `R7C2` in delimited text."""
        if self.in_text:
            return f"R{self.row}C{self.column}"
        return address_of(self.row, self.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet; cells are ordered by row, then column.

    `is_active`: the sheet that a program shows first. `row_widths` counts the fields of
    each row of delimited text, empty ones included; other formats have none.
    """

    name: str
    is_hidden: bool = False
    is_active: bool = False
    cells: list[Cell] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    row_widths: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """All sheets of a file; `encoding` and `delimiter` are set for text files.

    Without `has_formats`, a number that is shown as per cent is not multiplied by 100.
    """

    kind: str
    sheets: list[Sheet]
    has_formats: bool = True
    encoding: str | None = None
    delimiter: str | None = None
