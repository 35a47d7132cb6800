"""Jobs of documents: reading the text, deleting bytes."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from dossier.core.database import system_transaction, tenant_transaction
from dossier.documents import gateway
from dossier.documents.service import DocumentsService, record_reading
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.types import DocumentText
from dossier.integrations.storage.client import ObjectStore
from dossier.jobs.context import JobContext

ReadFile: TypeAlias = Callable[[Path, str], Awaitable[DocumentText]]
"""Returns the text of a file by its path and name, or raises `UnreadableFileError`."""


async def read_text(
    ctx: JobContext, document_id: UUID, *, store: ObjectStore, read_file: ReadFile
) -> None:
    """Store one document's text. No transaction is open while the file is read.

    Safe to repeat: the texts are replaced whole, with the state and the receipt.
    """
    org_id = ctx.org_id
    async with tenant_transaction(ctx.sessions, org_id) as session:
        document = await gateway.get_document_for_org(session, org_id, document_id)
    if document is None:
        return  # deleted before the job ran
    found: DocumentText | UnreadableFileError
    async with store.as_file(document.blob_key) as path:
        try:
            found = await read_file(path, document.filename)
        except UnreadableFileError as error:
            found = error
    async with tenant_transaction(ctx.sessions, org_id) as session:
        documents = DocumentsService(session, ctx.actor)
        if await documents.hold_document(document_id) is None:
            return  # deleted while it was read
        had_text = await gateway.delete_texts_for_org(session, org_id, document_id)
        if isinstance(found, UnreadableFileError):
            await gateway.mark_unreadable_for_org(
                session, org_id, document_id, reason=found.reason, detail=found.detail
            )
            await record_reading(session, ctx.actor, document, found.reason)
        else:
            rows = [
                {
                    "org_id": org_id,
                    "document_id": document_id,
                    "position": part.position,
                    "label": part.label,
                    "text": part.text,
                    "has_text_layer": part.has_text_layer,
                }
                for part in found.parts
            ]
            await gateway.add_texts(session, rows)
            await gateway.mark_read_for_org(
                session,
                org_id,
                document_id,
                page_count=found.page_count,
                encoding=found.encoding,
            )
            await record_reading(session, ctx.actor, document, None)
        if had_text or not isinstance(found, UnreadableFileError):
            await documents.request_indexing([document_id])
        await ctx.finish(session, result_path=f"/api/v1/documents/{document_id}/text")


async def delete_blob(ctx: JobContext, blob_key: str, *, store: ObjectStore) -> None:
    """Delete the bytes of a deleted document.

    Safe to repeat: a blob that is gone is no error. Safe beside uploads without a lock
    during the call to the store: each upload writes under a new key, so no row can
    come to name this one between the query and the deletion.
    """
    async with system_transaction(ctx.sessions) as session:
        known = await gateway.list_known_blob_keys_for_system(session, [blob_key])
    if not known:
        await store.delete(blob_key)
