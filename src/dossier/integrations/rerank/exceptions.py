"""Errors of a reranking server."""

from dossier.core.errors import UpstreamError


class RerankFailedError(UpstreamError):
    """The reranking server returned no ranking; search keeps its order and says so."""

    title = "Reranking failed"
