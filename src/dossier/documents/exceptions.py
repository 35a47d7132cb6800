"""Errors of documents."""

from dossier.core.errors import ConflictError, NotFoundError


class DocumentNotFoundError(NotFoundError):
    """No such document in this organisation."""

    title = "Document not found"


class DocumentCitedError(ConflictError):
    """A version cites the document: it is archived instead of deleted."""

    title = "Document is cited, and archived instead"
