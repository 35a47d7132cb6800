"""Object store: a local folder or an S3-compatible bucket, read and written in streams.

Bytes are written under a temporary key and renamed to their final key when they are
complete and, on a local disk, synced. So the bytes of a key always match its digest,
and writing the same bytes again is harmless. Bytes that are deleted one by one are
written by `write_apart`, under a key that no other write shares (ADR 0022).
"""

import asyncio
import errno
import logging
import os
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url
from obstore.store import ObjectStore as AnyStore

from dossier.core.models import new_id
from dossier.integrations.storage.exceptions import (
    BlobMissingError,
    StorageUnavailableError,
)

PASSING: Final = "passing"
"""The folder of uploads that are not complete yet."""

# S3 takes no parts below 5 MiB; two in flight bound the memory of one upload. A local
# folder takes any: many uploads that stall hold little.
_PART_BYTES: Final = 5 * 1024 * 1024
_PARTS_IN_FLIGHT: Final = 2
_PIECE_BYTES: Final = 256 * 1024

_DISK_FULL: Final = os.strerror(errno.ENOSPC)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WrittenBlob:
    """The key, digest and size of bytes that were written."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One entry of a listing."""

    key: str
    size_bytes: int
    modified_at: datetime


@lru_cache(maxsize=8)
def open_store(url: str | None, home: Path) -> "ObjectStore":
    """Return the store of the settings; a process holds one per address."""
    return ObjectStore.remote(url) if url else ObjectStore.local(home / "blobs")


class ObjectStore:
    """A folder of blobs, local or remote."""

    def __init__(self, store: AnyStore, folder: Path | None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def local(cls, folder: Path) -> Self:
        """Return a store over a local folder, which is created where it is missing."""
        with _translated():
            # Formulas are trade secrets: no other user of the machine reads them.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder), folder)

    @classmethod
    def remote(cls, url: str) -> Self:
        """Return a store over a bucket such as `s3://bucket/prefix`."""
        with _translated():
            return cls(from_url(url), None)

    async def write(self, folder: str, pieces: AsyncIterable[bytes]) -> WrittenBlob:
        """Store a stream; its key is made of the folder and its SHA-256."""
        return await self._write(folder, pieces, "")

    async def write_apart(
        self, folder: str, pieces: AsyncIterable[bytes]
    ) -> WrittenBlob:
        """Store a stream under a key that is never used for another write."""
        return await self._write(folder, pieces, f"-{new_id().hex}")

    async def _write(
        self, folder: str, pieces: AsyncIterable[bytes], ending: str
    ) -> WrittenBlob:
        passing = f"{PASSING}/{new_id()}"
        try:
            digest, size_bytes = await self._receive(passing, pieces)
            key = f"{folder}/{digest[:2]}/{digest}{ending}"
            with _translated():
                if self._folder is None:
                    await obstore.rename_async(self._store, passing, key)
                else:
                    await asyncio.to_thread(
                        _rename_synced, self._folder / passing, self._folder / key
                    )
        except BaseException:
            # An error of this deletion would hide the first one; `sweep_passing`
            # deletes what is left.
            with suppress(BaseError, OSError):
                await obstore.delete_async(self._store, passing)
            raise
        return WrittenBlob(key, digest, size_bytes)

    async def read(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to, not including, `end`."""
        with _translated():
            size_bytes = (await obstore.head_async(self._store, key))["size"]
            end = size_bytes if end is None else min(end, size_bytes)
            if start >= end:  # an empty range is an error below
                return
            found = await obstore.get_async(
                self._store, key, options={"range": (start, end)}
            )
            async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    async def has(self, key: str) -> bool:
        """Return whether a blob exists."""
        return await self.size_of(key) is not None

    async def size_of(self, key: str) -> int | None:
        """Return the size of a blob in bytes, or `None` if it does not exist."""
        with _translated():
            try:
                size_bytes: int = (await obstore.head_async(self._store, key))["size"]
            except FileNotFoundError:
                return None
        return size_bytes

    async def delete(self, key: str) -> None:
        """Delete a blob; a missing one is no error."""
        with _translated(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def list_keys(self, folder: str) -> AsyncIterator[StoredKey]:
        """Yield the keys under a folder, in no order."""
        with _translated():
            async for batch in obstore.list(self._store, folder):
                for each in batch:
                    yield StoredKey(each["path"], each["size"], each["last_modified"])

    async def sweep_passing(self, before: datetime) -> None:
        """Delete incomplete uploads that began before an instant."""
        if self._folder is not None:
            passing = self._folder / PASSING
            await asyncio.to_thread(_delete_older, passing, before.timestamp())
            return
        async for each in self.list_keys(PASSING):
            if each.modified_at < before:
                await self.delete(each.key)

    async def check_writable(self) -> None:
        """Write and delete a few bytes, or raise `StorageUnavailableError`."""
        key = f"{PASSING}/{new_id()}"
        with _translated():
            await obstore.put_async(self._store, key, b"dossier")
            await obstore.delete_async(self._store, key)

    @asynccontextmanager
    async def as_file(self, key: str) -> AsyncIterator[Path]:
        """Provide a blob as a local file."""
        if self._folder is not None:
            path = self._folder / key
            if not await asyncio.to_thread(path.is_file):
                raise BlobMissingError
            yield path
            return
        with tempfile.NamedTemporaryFile(prefix="dossier-") as copy:
            async for piece in self.read(key):
                await asyncio.to_thread(copy.write, piece)
            copy.flush()
            yield Path(copy.name)

    async def _receive(
        self, passing: str, pieces: AsyncIterable[bytes]
    ) -> tuple[str, int]:
        digest, size_bytes = sha256(), 0
        out = obstore.open_writer_async(
            self._store,
            passing,
            buffer_size=_PART_BYTES if self._folder is None else _PIECE_BYTES,
            max_concurrency=_PARTS_IN_FLIGHT,
        )
        try:
            async for piece in pieces:  # an error of the sender is not translated
                digest.update(piece)
                size_bytes += len(piece)
                with _translated():
                    await out.write(piece)
        finally:
            with _translated():
                await out.close()
        return digest.hexdigest(), size_bytes


def _rename_synced(passing: Path, final: Path) -> None:
    """Rename a file; its bytes and the new entry are on the disk afterwards."""
    final.parent.mkdir(parents=True, exist_ok=True)
    _sync(passing)
    passing.replace(final)
    _sync(final.parent)


def _delete_older(passing: Path, before_s: float) -> None:
    # Not by the library's list: it hides the partial files of interrupted uploads.
    for path in passing.rglob("*") if passing.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < before_s:
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        logger.warning("storage.blob.missing", extra={"reason": str(error)})
        raise BlobMissingError from error
    except (BaseError, OSError) as error:
        # The library's message names folders and hosts: it is for the log alone.
        logger.exception("storage.failed")
        is_full = _DISK_FULL in str(error)
        raise StorageUnavailableError("The disk is full." if is_full else "") from error
