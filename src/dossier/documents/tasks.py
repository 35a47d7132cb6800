"""Jobs of documents: reading the text, deleting bytes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.tenancy import Actor
from dossier.documents import gateway
from dossier.documents.constants import REREAD_BATCH, TextState
from dossier.documents.exceptions import DocumentNotFoundError
from dossier.documents.facts.record import read_record
from dossier.documents.facts.types import PageText
from dossier.documents.service import DocumentsService, record_reading
from dossier.integrations.parsing.types import ExtractedText
from dossier.integrations.storage.client import ObjectStore
from dossier.jobs.context import JobContext

ReadFile: TypeAlias = Callable[[Path, str], Awaitable[ExtractedText]]
"""Returns what was read of a file, given its path and name."""


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
    async with store.as_file(document.blob_key) as path:
        found = await read_file(path, document.filename)
    warnings = [asdict(each) for each in found.warnings]
    pages = [PageText(page.number, page.text) for page in found.usable_pages]
    # A report of 1,000 pages takes seconds: beside the event loop, not in it.
    record = await asyncio.to_thread(read_record, pages)
    async with tenant_transaction(ctx.sessions, org_id) as session:
        documents = DocumentsService(session, ctx.actor)
        if await documents.hold_document(document_id) is None:
            return  # deleted while it was read
        had_text = await gateway.delete_texts_for_org(session, org_id, document_id)
        if found.reason is not None:
            await gateway.mark_unreadable_for_org(
                session,
                org_id,
                document_id,
                reason=found.reason,
                detail=found.detail,
                warnings=warnings,
            )
            await record_reading(session, ctx.actor, document, found.reason)
        else:
            rows = _text_rows(org_id, document_id, found)
            await gateway.add_texts(session, rows)
            await gateway.mark_read_for_org(
                session,
                org_id,
                document_id,
                state=TextState(found.state),
                page_count=found.page_count,
                encoding=found.encoding,
                warnings=warnings,
                record=record,
            )
            await record_reading(
                session, ctx.actor, document, None, TextState(found.state)
            )
        if had_text or found.reason is None:
            await documents.request_indexing([document_id])
        await ctx.finish(session, result_path=f"/api/v1/documents/{document_id}/text")


def _text_rows(
    org_id: UUID, document_id: UUID, found: ExtractedText
) -> list[dict[str, Any]]:
    """Return the rows of `document_texts`, one for each page."""
    return [
        {
            "org_id": org_id,
            "document_id": document_id,
            "position": page.position,
            "label": page.label,
            "text": page.text,
            "has_text_layer": page.has_text_layer,
        }
        for page in found.pages
    ]


async def read_again(sessions: SessionFactory) -> int:
    """Enqueue the reading of documents whose kind and facts were never read.

    Until then they are evidence of nothing. A bounded number at a time, so that uploads
    do not wait behind all documents of an installation.
    """
    async with system_transaction(sessions) as session:
        found = await gateway.list_without_record_for_system(session, REREAD_BATCH)
    for org_id, document_id in found:
        async with tenant_transaction(sessions, org_id) as session:
            documents = DocumentsService(session, Actor.system(org_id))
            with suppress(DocumentNotFoundError):  # deleted in the meantime
                await documents.request_reading(document_id)
    return len(found)


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
