"""Errors of outside sources."""

from typing import ClassVar

from dossier.core.errors import UpstreamError


class SourceAnswerTooLargeError(UpstreamError):
    """An outside source answered with more bytes than are stored."""

    title: ClassVar[str] = "Answer of a source too large"
