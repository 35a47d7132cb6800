"""Words of the documents domain."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TextState(StrEnum):
    """How far the reading of a document has come."""

    PENDING = "pending"
    READ = "read"
    UNREADABLE = "unreadable"


CHANGERS: Final = ("owner", "admin", "editor", "assessor")
"""Roles that may upload."""

BLOB_FOLDER: Final = "documents"
"""Folder in the store; each organisation has its own below it."""

READ_TASK: Final = "documents.read_text"
"""Name of the job that reads a document's text."""

MAX_FILENAME_BYTES: Final = 255


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file whose bytes are stored, but which no row knows yet."""

    filename: str
    media_type: str
    is_misnamed: bool
    blob_key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents are wanted; `None` means any."""

    q: str | None = None
    sha256: str | None = None
    text_state: TextState | None = None
