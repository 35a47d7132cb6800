"""Errors of rendering a PDF."""

from typing import ClassVar

from dossier.core.errors import InternalServerError, UnavailableError


class NoCjkFontError(InternalServerError):
    """No font with Chinese glyphs was found."""

    title: ClassVar[str] = "No Chinese font"


class TypesettingError(InternalServerError):
    """The typesetter refused the document."""

    title: ClassVar[str] = "The file could not be typeset"


class TypesettingTimeoutError(UnavailableError):
    """The typesetter took too long and was killed."""

    title: ClassVar[str] = "Typesetting took too long"
