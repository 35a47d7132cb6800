"""Errors of the central retrieval service."""

from typing import ClassVar

from dossier.core.errors import UnavailableError, UpstreamError


class CentralUnavailableError(UnavailableError):
    """The central retrieval service cannot be reached, or asks to retry later."""

    title: ClassVar[str] = "Central retrieval unavailable"


class CentralRefusedError(UpstreamError):
    """The central retrieval service rejects the request or its key."""

    title: ClassVar[str] = "Central retrieval refused"


class CentralMalformedError(UpstreamError):
    """The central retrieval service answered outside its contract."""

    title: ClassVar[str] = "Central retrieval malformed"
