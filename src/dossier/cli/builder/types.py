"""Values and errors that several steps of a build share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

FORMULA_ITEM: Final = 3
"""The item of the file that the formula is evidence for."""


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file that may be evidence; `name` is its path inside the folder."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was not used, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with its document; `job_id` is the job that reads it, if one runs."""

    file: FolderFile
    document_id: UUID
    is_spreadsheet: bool
    is_duplicate: bool
    is_misnamed: bool
    job_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDocument:
    """A document after reading; `name` is the path of its file inside the folder.

    `actual_type` is the type of the content where the name says another one;
    `encoding` is that of a text file whose format does not fix it. `is_illegible`
    means that a person could not read it either, so not a scan without text.
    `warnings` say what was left out, not read, or read in a way worth knowing: code,
    message, place, is_gap.
    """

    name: str
    document_id: str
    is_duplicate: bool
    actual_type: str | None = None
    unreadable: str | None
    is_illegible: bool = False
    encoding: str | None = None
    is_read_partly: bool = False
    warnings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenFormula:
    """The file that was imported as the formula, or none, and what was decided.

    `notes` are those of the import; `refused` are spreadsheets that are no formula.
    """

    document_id: UUID | None = None
    name: str = ""
    notes: tuple[Mapping[str, Any], ...] = ()
    refused: tuple[RefusedFile, ...] = ()


class UnusableInputError(Exception):
    """The folder, the facts or the options cannot be used."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class JobFailedError(Exception):
    """A job that the build cannot do without has failed."""

    def __init__(self, kind: str, problem: dict[str, Any]) -> None:
        title = problem.get("title", "cancelled")
        super().__init__(f"{kind}: {title}: {problem.get('detail', '')}")
