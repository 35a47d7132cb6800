"""What the spreadsheet formats share: size limits, exact numbers, merged ranges."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

from dossier.core.spreadsheets import Cell, address_of
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

# More than any formula has.
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 256
MAX_CELLS: Final = 400_000
MAX_SHEETS: Final = 64
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')

Position = tuple[int, int]
"""Row and column."""


def check_size(sheet: str, rows: int, columns: int) -> None:
    """Refuse a sheet whose used area is larger than any formula's."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        detail = (
            f"sheet {sheet!r} has {rows} rows and {columns} columns; at most "
            f"{MAX_ROWS} rows, {MAX_COLUMNS} columns and {MAX_CELLS} cells are read"
        )
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)


def check_sheet_count(count: int) -> None:
    """Refuse a workbook with more sheets than any formula's."""
    if count > MAX_SHEETS:
        detail = f"the workbook has {count} sheets; at most {MAX_SHEETS} are read"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)


@contextmanager
def corrupt_on(*errors: type[Exception]) -> Iterator[None]:
    """Turn a library's own errors into the reason `corrupt`."""
    try:
        yield
    except UnreadableFileError:
        raise
    except errors as error:
        detail = f"the file is damaged: {error}"[:300]
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error


def exact_decimal(stored: float) -> Decimal:
    """Return the decimal that a person typed into a cell.

    Spreadsheets keep 15 significant digits of what is typed, and show no more; what a
    double holds beyond them (0.1 + 0.2) is an artefact of computing.
    """
    return plain(Decimal(f"{stored:.15g}"))


def plain(value: Decimal) -> Decimal:
    """Return the value without exponent and without zeros after the last digit."""
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Decimal(0) if digits in {"-0", ""} else Decimal(digits)


def percent_factor(number_format: str | None) -> int:
    """Return 100 for a format that shows a fraction as per cent, else 1."""
    if number_format is None:
        return 1
    return 100 if "%" in _QUOTED.sub("", number_format) else 1


def number_text(value: Decimal, factor: int) -> str:
    """Return the text of a number as the cell shows it, unrounded."""
    return f"{value:f}%" if factor != 1 else f"{value:f}"


def typed_cell(
    position: Position, value: object, number_format: str | None, formula: str | None
) -> Cell:
    """Return a cell from what a library read: a number, a text, a date or a boolean."""
    row, column = position
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = "" if value is None else str(value).strip()
        return Cell(row=row, column=column, text=text, formula=formula)
    factor = percent_factor(number_format)
    number = plain(exact_decimal(value) * factor)
    return Cell(
        row=row,
        column=column,
        text=number_text(number, factor),
        number=number,
        number_format=number_format,
        factor=factor,
        formula=formula,
    )


def covered_cells(
    merged: list[tuple[Position, Position]], filled: set[Position]
) -> dict[Position, Cell]:
    """Return the cells that merged ranges hide, each naming its anchor.

    Ranges count from 0 and include both corners. A range without content is skipped.
    """
    covered: dict[Position, Cell] = {}
    for (top, left), (bottom, right) in merged:
        anchor = (top + 1, left + 1)
        if anchor not in filled:
            continue
        check_size("merged range", bottom - top + 1, right - left + 1)
        for row in range(top + 1, bottom + 2):
            for column in range(left + 1, right + 2):
                if (row, column) != anchor:
                    covered[row, column] = Cell(
                        row=row, column=column, merged_from=address_of(*anchor)
                    )
    return covered
