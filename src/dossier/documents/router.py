"""Routes of documents: upload, list, download, text, deletion."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response, status

from dossier.core.downloads import DOWNLOAD_RESPONSES, Content, download
from dossier.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Paging, Slice
from dossier.core.prefer import PreferRoute
from dossier.core.problems import PROBLEM_CONTENT
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.uploads import UPLOAD_BODY
from dossier.core.web import UPLOAD, Reader, Sessions
from dossier.documents import service
from dossier.documents.blobs import discard_duplicate
from dossier.documents.dependencies import (
    DocumentFilterQuery,
    Documents,
    Received,
    Store,
)
from dossier.documents.models import Document
from dossier.documents.schemas import (
    DocumentResponse,
    TextPageResponse,
    UploadResponse,
)
from dossier.documents.types import TextSlice
from dossier.jobs.dependencies import LocationOfJob
from dossier.jobs.models import Job
from dossier.jobs.schemas import JobResponse

router = APIRouter(prefix="/documents", tags=["documents"], route_class=PreferRoute)

_DUPLICATE: dict[int | str, dict[str, Any]] = {
    status.HTTP_200_OK: {
        "model": UploadResponse,
        "description": "The organisation has these bytes already.",
    }
}

_CITED: dict[int | str, dict[str, Any]] = {
    status.HTTP_409_CONFLICT: {
        "description": "A version cites the document; `archive=true` archives it.",
        "content": PROBLEM_CONTENT,
    }
}


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=_DUPLICATE,
    openapi_extra={**UPLOAD, **UPLOAD_BODY},
)
async def upload_document(
    *,
    received: Received,
    documents: Documents,
    sessions: Sessions,
    store: Store,
    after_response: BackgroundTasks,
    response: Response,
) -> UploadResponse:
    """Store a file unchanged, and have its text read; the same bytes count once."""
    receipt = await documents.receive(received)
    response.headers["Location"] = f"/api/v1/documents/{receipt.document.id}"
    if receipt.duplicate:
        response.status_code = status.HTTP_200_OK
        after_response.add_task(
            discard_duplicate, sessions, store, receipt.document, received.blob_key
        )
    return UploadResponse.of(receipt.document, receipt.job)


@router.get("", response_model=Page[DocumentResponse])
async def list_documents(
    reader: Reader, wanted: DocumentFilterQuery, paging: Paging
) -> Slice[Row]:
    """List the organisation's documents, the newest first."""
    return await service.list_documents(reader, wanted, paging)


@router.get("/{document_id}", response_model=DocumentResponse)
async def get_document(document_id: UUID, reader: Reader) -> Row:
    """Return one document with the state of its text."""
    return await service.read_document(reader, document_id)


@router.delete(
    "/{document_id}", status_code=status.HTTP_204_NO_CONTENT, responses=_CITED
)
async def delete_document(
    document_id: UUID,
    documents: Documents,
    *,
    archive: Annotated[
        bool,
        Query(description="Archive it instead: not listed, searched or evidence."),
    ] = False,
) -> None:
    """Delete a document, its passages and its bytes, or archive it."""
    if archive:
        await documents.archive_document(document_id)
    else:
        await documents.remove_document(document_id)


@router.post("/{document_id}/restore", response_model=DocumentResponse)
async def restore_document(document_id: UUID, documents: Documents) -> Document:
    """Undo archiving; a document that is not archived stays as it is."""
    return await documents.restore_document(document_id)


@router.get(
    "/{document_id}/content",
    response_class=Response,
    responses=DOWNLOAD_RESPONSES,
)
async def get_document_content(
    document_id: UUID, request: Request, documents: Documents, store: Store
) -> Response:
    """Download the file unchanged; ranges are answered."""
    document = await documents.view_content(document_id)
    content = Content(
        read=partial(store.read, document.blob_key),
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        filename=document.filename,
        media_type=document.media_type,
    )
    return download(request, content)


@router.get("/{document_id}/text", response_model=TextPageResponse)
async def get_document_text(
    document_id: UUID,
    documents: Documents,
    cursor: Annotated[str, Query(pattern="^[0-9]{1,9}$")] = "0",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> TextSlice:
    """Return the text that was read, part by part; empty while there is none."""
    return await documents.page_of_text(document_id, int(cursor), limit)


@router.post(
    "/{document_id}/read",
    response_model=JobResponse,
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[LocationOfJob],
)
async def read_document(document_id: UUID, documents: Documents) -> Job:
    """Read the text once more."""
    return await documents.request_reading(document_id)
