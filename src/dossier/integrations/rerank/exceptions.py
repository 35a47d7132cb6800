"""Errors of a reranking server."""

from dossier.core.errors import UpstreamError


class RerankFailedError(UpstreamError):
    """The server returned no ranking; the search keeps its own order and says so."""

    title = "Reranking failed"
