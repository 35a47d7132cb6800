"""What reports need from outside."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol


class StoredBlob(Protocol):
    """What is known of bytes once they are stored."""

    @property
    def key(self) -> str:
        """Where they lie."""
        ...

    @property
    def sha256(self) -> str:
        """Their digest, in hexadecimal digits."""
        ...

    @property
    def size_bytes(self) -> int:
        """How many they are."""
        ...


class BlobStore(Protocol):
    """Keeps bytes by key, in streams."""

    async def write(self, folder: str, pieces: AsyncIterator[bytes], /) -> StoredBlob:
        """Store a stream under a folder; the same bytes get the same key."""
        ...

    def read(self, key: str, start: int, end: int, /) -> AsyncIterator[bytes]:
        """Yield bytes from `start` up to, not including, `end`."""
        ...


class Typesetter(Protocol):
    """Turns a template and data into a PDF."""

    async def describe(self) -> dict[str, str]:
        """Return what, beside the data, decides the bytes."""
        ...

    async def typeset(
        self,
        template: Path,
        target: Path,
        *,
        inputs: dict[str, Any],
        timestamp: datetime,
        identifier: str,
    ) -> int:
        """Write the PDF and return its number of pages.

        `inputs` reach the template by name: texts as they are, all else as JSON.
        """
        ...
