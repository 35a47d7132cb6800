"""What can go wrong between data and a PDF."""

from typing import ClassVar

from dossier.core.errors import AppError, UnavailableError


class NoCjkFontError(AppError):
    """No font with Chinese glyphs was found."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "No Chinese font"


class TypesettingError(AppError):
    """The typesetter refused the document."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "The file could not be typeset"


class TypesettingTimeoutError(UnavailableError):
    """The typesetter took too long and was ended."""

    title: ClassVar[str] = "Typesetting took too long"
