"""What can go wrong with a server that reranks."""

from dossier.core.errors import UpstreamError


class RerankFailedError(UpstreamError):
    """The server gave no order; a search goes on with its own and says so."""

    title = "Reranking failed"
