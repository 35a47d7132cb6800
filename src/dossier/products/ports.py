"""What products need from outside: stored files."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class FileStore(Protocol):
    """The store of uploaded files."""

    def as_file(self, key: str, /) -> AbstractAsyncContextManager[Path]:
        """Provide a stored file as a local path."""
        ...
