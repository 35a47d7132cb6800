"""What can go wrong with outside sources."""

from typing import ClassVar

from dossier.core.errors import UpstreamError


class SourceAnswerTooLargeError(UpstreamError):
    """An outside source answered with more than is kept."""

    title: ClassVar[str] = "Answer of a source too large"
