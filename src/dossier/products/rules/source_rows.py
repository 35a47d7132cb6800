"""The lines of a formula's table as they stand, nothing computed yet."""

from dataclasses import dataclass
from decimal import Decimal

from dossier.products.rules.formula_words import Column

RowKey = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCell:
    """A quantity cell as it stands: its text, its number, its place."""

    address: str
    text: str
    number: Decimal | None
    number_format: str | None
    factor: int
    has_formula: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One line of the table, merged cells resolved, nothing computed yet.

    `opens` says that the row names its raw material itself, instead of continuing one.
    `part` counts the ingredients that one row lists in cells of several lines.
    """

    row: int
    phase: str | None
    words: dict[Column, str]
    quantities: dict[Column, StatedCell]
    cells: dict[Column, str]
    opens: bool
    is_hidden: bool = False
    part: int = 0

    @property
    def key(self) -> RowKey:
        """Return what tells this line from all others of the table."""
        return (self.row, self.part)

    def word(self, column: Column) -> str | None:
        """Return what the row says in a column, `None` where it says nothing."""
        return self.words.get(column) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTotal:
    """The total that the sheet itself states."""

    cell: StatedCell
    column: Column
