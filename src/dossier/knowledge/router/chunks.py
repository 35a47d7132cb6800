"""The passages of one document, as they are indexed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dossier.core.pagination import DEFAULT_LIMIT, MAX_LIMIT
from dossier.knowledge.dependencies import Indexing
from dossier.knowledge.schemas.chunks import ChunkPageResponse
from dossier.knowledge.service import ChunkPage

router = APIRouter(prefix="/documents", tags=["knowledge"])


@router.get("/{document_id}/chunks", response_model=ChunkPageResponse)
async def list_document_chunks(
    document_id: UUID,
    indexing: Indexing,
    cursor: Annotated[str, Query(pattern="^[0-9]{1,9}$")] = "0",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> ChunkPage:
    """Show a document's passages in reading order; none until it is indexed."""
    return await indexing.page_of_chunks(document_id, int(cursor), limit)
