"""Why a file could not be read, in one vocabulary for every parser."""

from enum import StrEnum
from typing import Final

from dossier.core.errors import InvalidError

PASSWORD_DETAIL: Final = "it is protected by a password; save it without one"  # noqa: S105 - a message

MEMORY_DETAIL: Final = (
    "it is too large or too complex: reading needs more memory than allowed;"
    " split it or save it smaller"
)


class UnreadableReason(StrEnum):
    """The reasons that a person can act upon."""

    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    ZIP_BOMB = "zip_bomb"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    UNSUPPORTED = "unsupported"
    UNDECODABLE = "undecodable"
    NO_TEXT_LAYER = "no_text_layer"


class UnreadableFileError(InvalidError):
    """A file is kept, but nothing can be read from it.

    `zh` says in Chinese what `detail` says, where the sentence of the reason does not.
    """

    title = "File cannot be read"

    def __init__(self, reason: UnreadableReason, detail: str, zh: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.zh = zh
