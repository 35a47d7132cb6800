"""Errors of regulations."""

from dossier.core.errors import InvalidError, NotFoundError


class AnnexNotReadableError(InvalidError):
    """The file is not the export of a list that the importer knows."""

    title = "List not readable"


class DataSetNotFoundError(NotFoundError):
    """There is no such data set."""

    title = "Data set not found"


class DateOutsideDataError(InvalidError):
    """The data set says nothing about that day."""

    title = "Date outside the data"


class ProductFactsInvalidError(InvalidError):
    """What is said of the product contradicts itself or names no known value."""

    title = "Product facts invalid"
