"""What the store says of the bytes that it keeps."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WrittenBlob:
    """Bytes that are safely stored; the key names the content, not the upload."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One entry of a listing."""

    key: str
    size_bytes: int
    modified_at: datetime
