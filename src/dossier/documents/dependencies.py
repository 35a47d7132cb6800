"""Wiring of documents; a file is received here, before any transaction is open."""

from functools import partial
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Query, Request

from dossier.core.downloads import Content
from dossier.core.schemas import StorableText
from dossier.core.uploads import MultipartUpload
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions
from dossier.documents.constants import (
    CHANGERS,
    DocumentFilter,
    ReceivedFile,
    TextState,
)
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService, take_in
from dossier.documents.tasks import put_away
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.jobs.dependencies import Jobs


async def get_store(settings: AppSettings) -> ObjectStore:
    """Return where the bytes lie."""
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
    """Stream the request's file into the store; the actor is known before a byte."""
    actor.require(*CHANGERS)
    upload = MultipartUpload(request, settings.limits.max_upload_mib * 1024**2)
    return await take_in(store, actor.org_id, upload.pieces(), lambda: upload.filename)


Received = Annotated[ReceivedFile, Depends(receive_file)]
"""Stands before `Documents` in a signature: parts are resolved in that order, so the
transaction opens when the last byte is there."""


class Leftovers:
    """Bytes that were sent again, seen to once the request's transaction has ended."""

    def __init__(
        self, sessions: Sessions, store: Store, afterwards: BackgroundTasks
    ) -> None:
        self._put_away = partial(put_away, sessions, store)
        self._afterwards = afterwards

    def put_away(self, document: Document, received_key: str) -> None:
        """Have them deleted, or the document mended with them."""
        self._afterwards.add_task(self._put_away, document, received_key)


SentAgain = Annotated[Leftovers, Depends()]


async def document_filter(
    *,
    q: Annotated[
        StorableText | None, Query(max_length=255, description="Part of the file name.")
    ] = None,
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    text_state: TextState | None = None,
    archived: Annotated[
        bool, Query(description="Those that were archived instead of deleted.")
    ] = False,
) -> DocumentFilter:
    """Return which documents a request asks for."""
    return DocumentFilter(q, sha256, text_state, archived)


Wanted = Annotated[DocumentFilter, Depends(document_filter)]


def content_of(document: Document, store: ObjectStore) -> Content:
    """Return a document's bytes as an answer takes them."""
    return Content(
        read=partial(store.read, document.blob_key),
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        filename=document.filename,
        media_type=document.media_type,
    )
