"""Reads the text of documents; removes bytes that no document names."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.documents import gateway
from dossier.documents.constants import BLOB_FOLDER
from dossier.documents.models import Document
from dossier.documents.ports import BlobStore, PaperReader, PaperText
from dossier.documents.service import DocumentsService, record_reading
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.storage.exceptions import StorageUnavailableError
from dossier.jobs.context import JobContext

ORPHAN_AGE: Final = timedelta(days=1)
"""Bytes come before their row; younger ones may still be waiting for it."""
_BATCH_KEYS: Final = 500


async def read_text(
    ctx: JobContext, document_id: UUID, *, store: BlobStore, reader: PaperReader
) -> None:
    """Fill one document's text. No transaction is open while it is being read.

    Safe to repeat: the texts are replaced whole, with the state and the receipt.
    """
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        document = await gateway.get_document_for_org(session, ctx.org_id, document_id)
    if document is None:
        return  # deleted since
    found = await _found(document, store, reader)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        documents = DocumentsService(session, ctx.actor)
        if await documents.hold_document(document_id) is None:
            return  # deleted while it was read
        had_text = await _settle(session, document, found)
        reason = found.reason if isinstance(found, UnreadableFileError) else None
        await record_reading(session, ctx.actor, document, reason)
        if had_text or reason is None:
            await documents.request_indexing([document_id])
        await ctx.finish(session, result_path=f"/api/v1/documents/{document_id}/text")


async def delete_blob(ctx: JobContext, blob_key: str, *, store: BlobStore) -> None:
    """Delete the bytes of a deleted document.

    Safe to repeat: a blob that is gone is no error. Safe beside uploads, without a lock
    that would be held while the store is waited for: no upload writes under a key that
    there was before, so nobody can come to name this one between look and deletion.
    """
    async with system_transaction(ctx.sessions) as session:
        known = await gateway.list_known_blob_keys_for_system(session, [blob_key])
    if not known:
        await store.delete(blob_key)


async def put_away(
    sessions: SessionFactory, store: BlobStore, document: Document, received_key: str
) -> None:
    """Delete what was sent again, or mend the document with it.

    After the upload's transaction. The bytes are the same; where the document's own
    are missing or cut off it takes the new ones. Whatever fails is in the store's log,
    and what stays behind is swept.
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


async def _found(
    document: Document, store: BlobStore, reader: PaperReader
) -> PaperText | UnreadableFileError:
    async with store.as_file(document.blob_key) as path:
        try:
            return await reader.read_text(path, document.filename)
        except UnreadableFileError as error:
            return error


async def _settle(
    session: Session, document: Document, found: PaperText | UnreadableFileError
) -> bool:
    """Write what was found; tell whether an earlier reading had found a text."""
    org_id, document_id = document.org_id, document.id
    had_text = await gateway.delete_texts_for_org(session, org_id, document_id)
    if isinstance(found, UnreadableFileError):
        await gateway.settle_unreadable_for_org(
            session, org_id, document_id, reason=found.reason, detail=found.detail
        )
        return had_text
    await gateway.add_texts(session, _rows(document, found))
    await gateway.settle_read_for_org(
        session,
        org_id,
        document_id,
        page_count=found.page_count,
        encoding=found.encoding,
    )
    return had_text


def _rows(document: Document, found: PaperText) -> list[dict[str, Any]]:
    return [
        {
            "org_id": document.org_id,
            "document_id": document.id,
            "position": part.position,
            "label": part.label,
            "text": part.text,
            "has_text_layer": part.has_text_layer,
        }
        for part in found.parts
    ]


async def sweep_blobs(sessions: SessionFactory, store: BlobStore) -> None:
    """Delete bytes that came a day ago or more and that no document names."""
    before = now() - ORPHAN_AGE
    await store.sweep_passing(before)
    async for key in orphan_blobs(sessions, store, before):
        await store.delete(key)


async def orphan_blobs(
    sessions: SessionFactory, store: BlobStore, before: datetime
) -> AsyncIterator[str]:
    """Yield the keys of bytes older than an instant that no document names."""
    async for keys in _old_keys(store, before):
        for key in await _unknown(sessions, keys):
            yield key


async def _old_keys(store: BlobStore, before: datetime) -> AsyncIterator[list[str]]:
    keys: list[str] = []
    async for each in store.list_keys(BLOB_FOLDER):
        if each.modified_at < before:
            keys.append(each.key)
        if len(keys) == _BATCH_KEYS:
            yield keys
            keys = []
    yield keys


async def _unknown(sessions: SessionFactory, keys: Sequence[str]) -> set[str]:
    async with system_transaction(sessions) as session:
        known = await gateway.list_known_blob_keys_for_system(session, keys)
    return set(keys) - known
