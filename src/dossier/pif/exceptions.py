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


class ConfirmationNotAllowedError(InvalidError):
    """The requirement is no part of the item, or takes no documents."""

    title = "Confirmation not possible for this requirement"


class ConfirmationRefusedError(ConflictError):
    """The document is another product's, out of date, not linked, or counts already."""

    title = "Document cannot be confirmed"


class ConfirmationNotFoundError(NotFoundError):
    """The item has no such confirmation."""

    title = "Confirmation not found"

    def __init__(self, item: int) -> None:
        super().__init__(f"for item {item}")


class VersionNotFoundError(NotFoundError):
    """The product has no version with this number."""

    title = "Version not found"
