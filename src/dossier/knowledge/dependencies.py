"""Wiring of knowledge."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import CurrentActor, RequestSession
from dossier.knowledge.service import IndexingService


async def get_indexing_service(
    session: RequestSession, actor: CurrentActor
) -> IndexingService:
    """Build the service from the request's transaction and actor."""
    return IndexingService(session, actor)


Indexing = Annotated[IndexingService, Depends(get_indexing_service)]
