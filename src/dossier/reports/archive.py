"""The inspection archive: streamed to disk, the same bytes for the same version.

Entries are stored, not compressed: most documents are compressed already, and the
output of a compressor differs between builds of zlib.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3  # the maker in ZIP's "version made by": the mode is one of Unix
_READABLE = 0o100644 << 16
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One stored file of the archive."""

    path: str
    size_bytes: int
    sha256: str


class Archive:
    """Writes entries one after another; holds one chunk in memory."""

    def __init__(self, zipped: ZipFile) -> None:
        self._zip = zipped

    async def add(
        self, path: str, chunks: AsyncIterator[bytes], size_bytes: int
    ) -> ArchiveEntry:
        """Store a stream under a path, and measure its size and digest."""
        info = ZipInfo(path, date_time=_EPOCH)
        info.create_system = _UNIX
        info.external_attr = _READABLE
        info.file_size = size_bytes  # zipfile decides by it on 64-bit sizes
        digest = hashlib.sha256()
        written_bytes = 0
        with self._zip.open(info, "w") as entry:
            async for chunk in chunks:
                await asyncio.to_thread(entry.write, chunk)
                await asyncio.to_thread(digest.update, chunk)
                written_bytes += len(chunk)
        return ArchiveEntry(path, written_bytes, digest.hexdigest())

    async def add_bytes(self, path: str, content: bytes) -> ArchiveEntry:
        """Store bytes under a path."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return await self.add(path, chunks(), len(content))


@contextmanager
def new_archive(target: Path) -> Iterator[Archive]:
    """Open an archive that is complete when the block ends."""
    with ZipFile(target, "w", compression=ZIP_STORED, strict_timestamps=True) as zipped:
        yield Archive(zipped)


async def file_chunks(path: Path) -> AsyncIterator[bytes]:
    """Yield a local file piece by piece, off the event loop."""
    with path.open("rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, _CHUNK_BYTES):
            yield chunk
