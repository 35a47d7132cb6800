"""Bytes of documents in the object store: uploads, duplicates, bytes without a row."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dossier.core.clock import now
from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.documents import gateway
from dossier.documents.constants import BLOB_FOLDER
from dossier.documents.models import Document
from dossier.documents.rules import safe_filename
from dossier.documents.types import ReceivedFile
from dossier.integrations.parsing.kinds import Sniffer
from dossier.integrations.storage.client import ObjectStore
from dossier.integrations.storage.exceptions import StorageUnavailableError

ORPHAN_AGE: Final = timedelta(days=1)
"""Bytes are stored before their row is written; younger ones may still get theirs."""
_BATCH_KEYS: Final = 500


async def store_upload(
    store: ObjectStore,
    org_id: UUID,
    pieces: AsyncIterator[bytes],
    stated_name: Callable[[], str],
) -> ReceivedFile:
    """Stream a file into the store, before any transaction is open.

    `stated_name` is called after the last piece: a form may send the name after it.
    """
    sniffer = Sniffer()

    async def sniffed() -> AsyncIterator[bytes]:
        async for piece in pieces:
            sniffer.feed(piece)
            yield piece

    blob = await store.write_apart(f"{BLOB_FOLDER}/{org_id}", sniffed())
    filename = safe_filename(stated_name())
    detected = sniffer.detect(filename)
    return ReceivedFile(
        filename=filename,
        media_type=detected.media_type,
        is_misnamed=detected.is_misnamed,
        blob_key=blob.key,
        sha256=blob.sha256,
        size_bytes=blob.size_bytes,
    )


async def discard_duplicate(
    sessions: SessionFactory, store: ObjectStore, document: Document, received_key: str
) -> None:
    """Delete the bytes of a file that was uploaded again, or repair the document.

    Runs after the upload's transaction. The bytes are the same; where the document's
    own are missing or cut off, its row names the new ones. An error of the store is in
    its log, and `sweep_blobs` deletes what is left.
    """
    try:
        if await store.size_of(document.blob_key) == document.size_bytes:
            await store.delete(received_key)
            return
    except StorageUnavailableError:
        return
    async with tenant_transaction(sessions, document.org_id) as session:
        await gateway.exchange_blob_for_org(
            session,
            document.org_id,
            document.id,
            old_key=document.blob_key,
            new_key=received_key,
        )


async def sweep_blobs(sessions: SessionFactory, store: ObjectStore) -> None:
    """Delete bytes that are a day old or older and that no document names."""
    before = now() - ORPHAN_AGE
    await store.sweep_passing(before)
    async for key in orphan_blobs(sessions, store, before):
        await store.delete(key)


async def orphan_blobs(
    sessions: SessionFactory, store: ObjectStore, before: datetime
) -> AsyncIterator[str]:
    """Yield the keys of bytes older than an instant that no document names."""
    keys: list[str] = []
    async for each in store.list_keys(BLOB_FOLDER):
        if each.modified_at < before:
            keys.append(each.key)
        if len(keys) == _BATCH_KEYS:
            for key in await _without_document(sessions, keys):
                yield key
            keys = []
    for key in await _without_document(sessions, keys):
        yield key


async def _without_document(sessions: SessionFactory, keys: Sequence[str]) -> set[str]:
    async with system_transaction(sessions) as session:
        known = await gateway.list_known_blob_keys_for_system(session, keys)
    return set(keys) - known
