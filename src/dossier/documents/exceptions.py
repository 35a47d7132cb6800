"""What can go wrong with documents."""

from dossier.core.errors import NotFoundError


class DocumentNotFoundError(NotFoundError):
    """No such document in this organisation."""

    title = "Document not found"
