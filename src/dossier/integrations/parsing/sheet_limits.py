"""How large a sheet may be before it is no formula, and how a failure is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 256
MAX_CELLS: Final = 400_000
MAX_SHEETS: Final = 64


def check_size(sheet: str, rows: int, columns: int) -> None:
    """Refuse a sheet whose used area is larger than any formula's."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        detail = (
            f"sheet {sheet!r} has {rows} rows and {columns} columns; at most "
            f"{MAX_ROWS} rows, {MAX_COLUMNS} columns and {MAX_CELLS} cells are read"
        )
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)


def check_sheet_count(count: int) -> None:
    """Refuse a workbook with more sheets than anybody reads."""
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
