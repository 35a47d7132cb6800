"""Errors of documents."""

from collections.abc import Iterable
from uuid import UUID

from dossier.core.errors import ConflictError, NotFoundError


class DocumentNotFoundError(NotFoundError):
    """No such document in this organisation."""

    title = "Document not found"


class DocumentCitedError(ConflictError):
    """A version cites the document, so it can be archived but not deleted."""

    title = "Document is cited"

    def __init__(self, filename: str, citing: Iterable[str]) -> None:
        super().__init__(
            f"{filename} is cited by {', '.join(citing)}, and was left as it is."
            " Send `?archive=true` to archive it: it is then neither listed nor"
            " searched, and no evidence."
        )


class DocumentArchivedError(ConflictError):
    """The document is archived; restore it before it is linked or imported."""

    title = "Document archived"

    def __init__(self, document_id: UUID, filename: str) -> None:
        super().__init__(
            f"{filename} is archived and is no evidence. Restore it first:"
            f" POST /api/v1/documents/{document_id}/restore"
        )
