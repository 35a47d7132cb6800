"""`GET /search` and the passages of one document."""

from time import perf_counter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dossier.core.pagination import DEFAULT_LIMIT, MAX_LIMIT
from dossier.knowledge.dependencies import Indexing, Question, Search
from dossier.knowledge.responses import search_response
from dossier.knowledge.schemas import ChunkPageResponse, SearchResponse
from dossier.knowledge.types import ChunkPage

router = APIRouter()


@router.get(
    "/documents/{document_id}/chunks",
    response_model=ChunkPageResponse,
    tags=["knowledge"],
)
async def list_document_chunks(
    document_id: UUID,
    indexing: Indexing,
    cursor: Annotated[str, Query(pattern="^[0-9]{1,9}$")] = "0",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> ChunkPage:
    """Show a document's passages in reading order; none until it is indexed."""
    return await indexing.page_of_chunks(document_id, int(cursor), limit)


@router.get("/search", tags=["search"])
async def search_documents(question: Question, search: Search) -> SearchResponse:
    """Search the organisation's documents, by words and, where set, by meaning."""
    started_at = perf_counter()
    result = await search.search(question)
    return search_response(question.text, result, (perf_counter() - started_at) * 1000)
