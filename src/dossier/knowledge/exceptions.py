"""Errors of knowledge."""

from dossier.core.errors import InvalidError, UpstreamError


class CollectionInvalidError(InvalidError):
    """A file of a judged collection cannot be used; the detail names the line."""

    title = "The collection cannot be used"


class EmbeddingMalformedError(UpstreamError):
    """The embedder answered with vectors that cannot be stored."""

    title = "The embedder's vectors cannot be used"


class EmbedderUnreachableError(UpstreamError):
    """The embedder does not answer; search continues without it."""

    title = "The embedder does not answer"
