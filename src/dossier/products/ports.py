"""What products need from outside: stored bytes, and a reader of spreadsheets."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from dossier.core.spreadsheets import Workbook


class FileStore(Protocol):
    """Where the bytes of papers lie."""

    def as_file(self, key: str, /) -> AbstractAsyncContextManager[Path]:
        """Give stored bytes as a local file."""
        ...


class SpreadsheetReader(Protocol):
    """Anything that gives the cells of a spreadsheet."""

    async def read_workbook(self, path: Path, filename: str, /) -> Workbook:
        """Return the cells, or raise why the file cannot be read."""
        ...
