"""Dependencies of the routes; `main.py` puts the `Searchers` on `app.state`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from dossier.core.web import CurrentActor, RequestSession, Sessions
from dossier.knowledge.constants import DEFAULT_HITS, MAX_HITS
from dossier.knowledge.schemas import DocumentType, QuestionText
from dossier.knowledge.service.assembly import Searchers
from dossier.knowledge.service.indexing import IndexingService
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import DocumentScope, SearchQuery
from dossier.products.constants import ITEM_COUNT


async def get_indexing_service(
    session: RequestSession, actor: CurrentActor
) -> IndexingService:
    """Build the service from the request's transaction and actor."""
    return IndexingService(session, actor)


Indexing = Annotated[IndexingService, Depends(get_indexing_service)]


async def get_search_service(
    request: Request, sessions: Sessions, actor: CurrentActor
) -> SearchService:
    """Build the service; it opens its own transactions."""
    searchers: Searchers = request.app.state.searchers
    return searchers.searcher(sessions, actor, asks_central=True)


Search = Annotated[SearchService, Depends(get_search_service)]


async def search_scope(
    *,
    product_id: UUID | None = None,
    item: Annotated[int | None, Query(ge=1, le=ITEM_COUNT)] = None,
    document_type: Annotated[
        DocumentType | None,
        Query(
            description="A requirement, such as `tw-11.stability`, or a media type.",
        ),
    ] = None,
) -> DocumentScope:
    """Return the documents that a request restricts the search to."""
    return DocumentScope(product_id, item, document_type)


async def search_query(
    *,
    q: Annotated[QuestionText, Query(examples=["How long is the shelf life?"])],
    limit: Annotated[int, Query(ge=1, le=MAX_HITS)] = DEFAULT_HITS,
    language: Annotated[str | None, Query(pattern="^(zh|en|other)$")] = None,
    scope: Annotated[DocumentScope, Depends(search_scope)],
) -> SearchQuery:
    """Return the question of a request, with its restrictions."""
    return SearchQuery(
        q, limit, scope.product_id, scope.item, scope.document_type, language
    )


Question = Annotated[SearchQuery, Depends(search_query)]
