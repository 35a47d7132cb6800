"""Use cases of knowledge."""

from dossier.knowledge.schemas.search import Hit as Hit
from dossier.knowledge.schemas.search import NotReady as NotReady
from dossier.knowledge.schemas.search import SearchQuery as SearchQuery
from dossier.knowledge.schemas.search import SearchResult as SearchResult
from dossier.knowledge.service.search import SearchService as SearchService
from dossier.knowledge.service.search_response import (
    search_response as search_response,
)
