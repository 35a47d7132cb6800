"""Value objects of documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from dossier.documents.constants import TextState
from dossier.documents.models import Document, DocumentText
from dossier.jobs.models import Job


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """An uploaded file: its bytes are stored, its row is not written yet."""

    filename: str
    media_type: str
    is_misnamed: bool
    blob_key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Conditions of a list of documents; `None` means any."""

    q: str | None = None
    sha256: str | None = None
    text_state: TextState | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of an upload."""

    document: Document
    job: Job | None
    """Reads the text; `None` for bytes that the organisation has already.

    Then `discard_duplicate` follows, once the transaction has ended.
    """

    @property
    def duplicate(self) -> bool:
        """Return whether the organisation had these bytes already."""
        return self.job is None


@dataclass(frozen=True, slots=True)
class TextSlice:
    """Some parts of a text; `next_cursor` is the position of the last one."""

    items: Sequence[DocumentText]
    next_cursor: str | None
