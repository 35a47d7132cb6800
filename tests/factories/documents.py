"""Documents for tests."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.constants import BLOB_FOLDER
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.documents.types import ReceivedFile
from dossier.integrations.storage.client import open_store


async def make_document(
    sessions: SessionFactory, org_id: UUID, content: bytes = b"INCI: Aqua", **over: Any
) -> Document:
    """Insert a document whose bytes nobody stored; enough for rows and links."""
    digest = sha256(content).hexdigest()
    values: dict[str, Any] = {
        "filename": "paper.txt",
        "media_type": "text/plain",
        "is_misnamed": False,
        "blob_key": f"{BLOB_FOLDER}/{org_id}/{digest[:2]}/{digest}",
        "sha256": digest,
        "size_bytes": len(content),
    }
    received = ReceivedFile(**values | over)
    async with tenant_transaction(sessions, org_id) as session:
        service = DocumentsService(session, Actor.system(org_id))
        return (await service.receive(received)).document


async def make_stored_document(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    content: bytes,
    **over: Any,
) -> Document:
    """Insert a document with its bytes in the store."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    store = open_store(settings.storage.url, settings.home)
    blob = await store.write_apart(f"{BLOB_FOLDER}/{org_id}", pieces())
    over = {"blob_key": blob.key} | over
    return await make_document(sessions, org_id, content, **over)
