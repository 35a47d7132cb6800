"""What documents need from outside."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol


class TextPart(Protocol):
    """One page, sheet or stretch of text."""

    @property
    def position(self) -> int:
        """Count from 1."""
        ...

    @property
    def label(self) -> str:
        """Say what the part is, such as `page 3`."""
        ...

    @property
    def text(self) -> str:
        """Return the text."""
        ...

    @property
    def has_text_layer(self) -> bool:
        """Tell whether the part can be relied on."""
        ...


class PaperText(Protocol):
    """The text of a paper."""

    @property
    def parts(self) -> Sequence[TextPart]:
        """Return the parts in reading order."""
        ...

    @property
    def encoding(self) -> str | None:
        """Name the encoding where the format does not fix it."""
        ...

    @property
    def page_count(self) -> int | None:
        """Count the pages of what has pages."""
        ...


class PaperReader(Protocol):
    """Anything that gives the text of a file."""

    async def read_text(self, path: Path, filename: str, /) -> PaperText:
        """Return the text, or raise `UnreadableFileError`."""
        ...


class StoredKey(Protocol):
    """One entry of a store's listing."""

    @property
    def key(self) -> str:
        """Name the bytes."""
        ...

    @property
    def modified_at(self) -> datetime:
        """Say when they were written."""
        ...


class WrittenBlob(Protocol):
    """Bytes that are safely stored."""

    @property
    def key(self) -> str:
        """Name the bytes."""
        ...

    @property
    def sha256(self) -> str:
        """Return their digest, in hexadecimal."""
        ...

    @property
    def size_bytes(self) -> int:
        """Count them."""
        ...


class BlobStore(Protocol):
    """Where the bytes lie."""

    async def write_apart(
        self, folder: str, pieces: AsyncIterator[bytes], /
    ) -> WrittenBlob:
        """Store a stream under a key that nothing had before or gets again."""
        ...

    async def size_of(self, key: str, /) -> int | None:
        """Return how many bytes a blob has; `None` for one that is not there."""
        ...

    def as_file(self, key: str, /) -> AbstractAsyncContextManager[Path]:
        """Give a blob as a local file."""
        ...

    def list_keys(self, folder: str, /) -> AsyncIterator[StoredKey]:
        """Yield what lies under a folder."""
        ...

    async def delete(self, key: str, /) -> None:
        """Delete a blob."""
        ...

    async def sweep_passing(self, before: datetime, /) -> None:
        """Delete uploads that were never completed."""
        ...
