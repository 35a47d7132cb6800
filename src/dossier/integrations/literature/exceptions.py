"""Errors of outside sources."""

from typing import ClassVar

from dossier.core.errors import UnavailableError, UpstreamError


class SourceUnavailableError(UnavailableError):
    """A source cannot be reached, or asks to come back later."""

    title: ClassVar[str] = "Source unavailable"


class SourceRefusedError(UpstreamError):
    """A source rejects the request, or its key, or leads elsewhere."""

    title: ClassVar[str] = "Source refused"


class SourceMalformedError(UpstreamError):
    """A source answered in another form than the agreed one, or too much."""

    title: ClassVar[str] = "Source malformed"
