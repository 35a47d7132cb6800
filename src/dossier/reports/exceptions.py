"""Errors of reports."""

from typing import ClassVar

from dossier.core.errors import ConflictError, InternalServerError, NotFoundError


class ReportNotFoundError(NotFoundError):
    """No such report in this organisation."""

    title: ClassVar[str] = "Report not found"


class ReportNotReadyError(ConflictError):
    """The report's job has not made its files."""

    title: ClassVar[str] = "Report not ready"


class OriginalChangedError(InternalServerError):
    """A stored original no longer has the digest that the version cites."""

    title: ClassVar[str] = "A stored original has changed"
