"""`GET /search`: the passages that may answer a question, with their places."""

from time import perf_counter

from fastapi import APIRouter

from dossier.knowledge.dependencies import Question, Search
from dossier.knowledge.schemas.search import SearchResponse
from dossier.knowledge.service import search_response

router = APIRouter(tags=["search"])


@router.get("/search")
async def search_documents(question: Question, search: Search) -> SearchResponse:
    """Search the organisation's documents, by words and, where set, by meaning."""
    started_at = perf_counter()
    result = await search.search(question)
    return search_response(question.text, result, (perf_counter() - started_at) * 1000)
