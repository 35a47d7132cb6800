"""Errors of the object store."""

from dossier.core.errors import InternalServerError, UnavailableError


class StorageUnavailableError(UnavailableError):
    """The store cannot be written or read."""

    title = "Storage unavailable"


class BlobMissingError(InternalServerError):
    """The bytes of this file are no longer in the storage."""

    title = "Stored bytes are missing"
