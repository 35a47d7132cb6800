"""Use cases of knowledge. Commits nothing."""

from dossier.knowledge.schemas.search import Hit as Hit
from dossier.knowledge.schemas.search import NotReady as NotReady
from dossier.knowledge.schemas.search import Parts as Parts
from dossier.knowledge.schemas.search import SearchQuery as SearchQuery
from dossier.knowledge.schemas.search import SearchResult as SearchResult
from dossier.knowledge.service.indexing import ChunkPage as ChunkPage
from dossier.knowledge.service.indexing import IndexingService as IndexingService
from dossier.knowledge.service.indexing import Source as Source
from dossier.knowledge.service.search import SearchService as SearchService
from dossier.knowledge.service.search_response import (
    search_response as search_response,
)
