"""Errors of the object store."""

from dossier.core.errors import InternalServerError, UnavailableError


class StorageUnavailableError(UnavailableError):
    """The store cannot be written or read."""

    title = "Storage unavailable"


class BlobMissingError(InternalServerError):
    """A row names bytes that the store does not have."""

    title = "Stored bytes are missing"
