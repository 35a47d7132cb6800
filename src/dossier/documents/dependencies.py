"""Dependencies of documents; a file is stored here, before a transaction is open."""

from typing import Annotated

from fastapi import Depends, Query, Request

from dossier.core.schemas import StorableText
from dossier.core.uploads import MultipartUpload
from dossier.core.web import AppSettings, CurrentActor, RequestSession
from dossier.documents.blobs import store_upload
from dossier.documents.constants import UPLOAD_ROLES, TextState
from dossier.documents.service import DocumentsService
from dossier.documents.types import DocumentFilter, ReceivedFile
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.jobs.dependencies import Jobs


async def get_store(settings: AppSettings) -> ObjectStore:
    """Return the object store."""
    return open_store(settings.storage.url, settings.home)


Store = Annotated[ObjectStore, Depends(get_store)]


async def get_documents_service(
    session: RequestSession, actor: CurrentActor, jobs: Jobs
) -> DocumentsService:
    """Build the service from the request's transaction and actor."""
    return DocumentsService(session, actor, jobs)


Documents = Annotated[DocumentsService, Depends(get_documents_service)]


async def receive_file(
    actor: CurrentActor, request: Request, settings: AppSettings, store: Store
) -> ReceivedFile:
    """Stream the request's file into the store, once the actor's role is checked."""
    actor.require(*UPLOAD_ROLES)
    upload = MultipartUpload(request, settings.limits.max_upload_mib * 1024**2)
    return await store_upload(
        store, actor.org_id, upload.pieces(), lambda: upload.filename
    )


Received = Annotated[ReceivedFile, Depends(receive_file)]
"""Stands before `Documents` in a signature: dependencies are resolved in that order, so
the transaction opens when the last byte is stored."""


async def document_filter(
    *,
    q: Annotated[
        StorableText | None, Query(max_length=255, description="Part of the file name.")
    ] = None,
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    text_state: TextState | None = None,
    archived: Annotated[
        bool, Query(description="Those that are archived; by default the others.")
    ] = False,
) -> DocumentFilter:
    """Return the conditions of a list from the query."""
    return DocumentFilter(q, sha256, text_state, archived)


DocumentFilterQuery = Annotated[DocumentFilter, Depends(document_filter)]
