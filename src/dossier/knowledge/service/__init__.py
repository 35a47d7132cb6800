"""Use cases of knowledge. Commits nothing."""

from dossier.knowledge.service.indexing import ChunkPage as ChunkPage
from dossier.knowledge.service.indexing import IndexingService as IndexingService
from dossier.knowledge.service.indexing import Source as Source
