"""Reads spreadsheets in the sandbox: what the rest of the system calls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dossier.core.spreadsheets import Workbook
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.sandbox import Limits, run

_READ_WORKBOOK: Final = "dossier.integrations.parsing.spreadsheet:read_workbook"


@dataclass(frozen=True, slots=True)
class SandboxedBooks:
    """Gives the cells of spreadsheets."""

    limits: Limits

    async def read_workbook(self, path: Path, filename: str) -> Workbook:
        """Return the cells, or raise `UnreadableFileError` that names the file."""
        try:
            return await run(_READ_WORKBOOK, path, Workbook, limits=self.limits)
        except UnreadableFileError as error:
            detail = f"{filename}: {error.detail}"
            raise UnreadableFileError(error.reason, detail) from error
