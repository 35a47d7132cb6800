"""Constants of documents."""

from enum import StrEnum
from typing import Final


class TextState(StrEnum):
    """The state of the reading of a document.

    The words for them in all texts: not read yet (尚未讀取), read (已讀取), read partly
    (部分讀取) and cannot be read (無法讀取).
    """

    PENDING = "pending"
    READ = "read"
    READ_PARTLY = "read_partly"
    UNREADABLE = "unreadable"


WITH_TEXT: Final = frozenset({TextState.READ, TextState.READ_PARTLY})
"""States of documents whose text is stored."""


class CitationKind(StrEnum):
    """What can cite a document."""

    PIF_VERSION = "pif_version"
    FORMULA = "formula"


REMOVERS: Final = ("owner", "admin", "editor")
"""Roles that may delete."""

UPLOAD_ROLES: Final = ("owner", "admin", "editor", "assessor")
"""Roles that may upload."""

BLOB_FOLDER: Final = "documents"
"""Folder in the store; each organisation has its own below it."""

READ_TASK: Final = "documents.read_text"
"""Name of the job that reads a document's text."""

INDEX_TASK: Final = "knowledge.index_document"
"""Name of the job that indexes a document; it is another domain's, further up."""

DELETE_BLOB_TASK: Final = "documents.delete_blob"
"""Name of the job that deletes the bytes of a deleted document."""

MAX_FILENAME_BYTES: Final = 255

REREAD_BATCH: Final = 200
"""Documents of an earlier version that are read again at a time."""
