"""What can go wrong with stored bytes."""

from dossier.core.errors import InternalServerError, UnavailableError


class StorageUnavailableError(UnavailableError):
    """The place where bytes are stored cannot be written or read."""

    title = "Storage unavailable"


class BlobMissingError(InternalServerError):
    """A row names bytes that are no longer there."""

    title = "Stored bytes are missing"
