"""Errors of the file, its decisions and its versions."""

from dossier.core.errors import ConflictError, InvalidError, NotFoundError


class DecisionNotAllowedError(InvalidError):
    """The item can be neither waived nor declared in this way."""

    title = "Decision not allowed for this item"


class DecisionNotFoundError(NotFoundError):
    """The item has no such waiver or declaration."""

    title = "Decision not found"

    def __init__(self, kind: str, item: int) -> None:
        super().__init__(f"of the kind {kind} for item {item}")


class ConfirmationNotAllowedError(ConflictError):
    """The document cannot be confirmed; `detail` says why and what would do."""

    title = "Confirmation not possible"


class ConfirmationNotFoundError(NotFoundError):
    """The requirement has no confirmation."""

    title = "Confirmation not found"


class VersionNotFoundError(NotFoundError):
    """The product has no version with this number."""

    title = "Version not found"
