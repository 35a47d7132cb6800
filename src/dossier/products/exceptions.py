"""Errors of products, formulas and linked documents."""

from collections.abc import Sequence
from uuid import UUID

from dossier.core.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    TooLargeError,
)


class ProductNotFoundError(NotFoundError):
    """No such product in this organisation."""

    title = "Product not found"


class ProductExistsError(ConflictError):
    """Another product of the organisation has the same identity."""

    title = "Product exists already"

    def __init__(self, identity: str) -> None:
        super().__init__(f"Another product of yours has {identity}.")


class ProductArchivedError(ConflictError):
    """The product is archived; restore it before it is changed."""

    title = "Product archived"

    def __init__(self, product_id: UUID) -> None:
        super().__init__(
            f"Product {product_id} is archived and cannot be changed. Restore it first:"
            f" POST /api/v1/products/{product_id}/restore"
        )


class ProductInUseError(ConflictError):
    """Versions, reports or rooms name the product: it can only be archived."""

    title = "Product in use"

    def __init__(self, product_id: UUID) -> None:
        super().__init__(
            f"Formula or file versions, reports or chat rooms name product"
            f" {product_id}, and are kept. Send `?archive=true` to archive it."
        )


class CategoryUnknownError(InvalidError):
    """The category is not in the table of categories."""

    title = "Unknown category"


class ProductNameMissingError(InvalidError):
    """A product needs a Chinese or an English name."""

    title = "Product name missing"


class LinkNotFoundError(NotFoundError):
    """The product has no such link to a document."""

    title = "Document link not found"


class LinkExistsError(ConflictError):
    """The document is already linked to this item of the product."""

    title = "Document linked already"


class RequirementUnknownError(InvalidError):
    """The code does not name a requirement of this item."""

    title = "Unknown requirement"


class NoFormulaFoundError(InvalidError):
    """No sheet has a header that names ingredients and quantities."""

    title = "No formula found"

    def __init__(self, filename: str, sheets: Sequence[str]) -> None:
        searched = ", ".join(repr(name) for name in sheets) or "none"
        super().__init__(
            f"{filename}: no table with ingredient names and quantities;"
            f" sheets: {searched}; name both columns in a header row"
        )


class FormulaSheetNotFoundError(InvalidError):
    """The file has no sheet of this name."""

    title = "Sheet not found"

    def __init__(self, filename: str, sheet: str, sheets: Sequence[str]) -> None:
        known = ", ".join(repr(name) for name in sheets)
        super().__init__(f"{filename}: no sheet {sheet!r}; name one of {known}")


class FormulaColumnNotFoundError(InvalidError):
    """The table of the formula has no column of this header or letter."""

    title = "Column not found"

    def __init__(self, filename: str, column: str, columns: Sequence[str]) -> None:
        known = ", ".join(repr(name) for name in columns)
        super().__init__(f"{filename}: no column {column!r}; name one of {known}")


class FormulaUndecidedError(InvalidError):
    """Only a person can say which sheet, column or rows are the formula."""

    title = "Formula undecided"

    def __init__(self, filename: str, reasons: Sequence[str]) -> None:
        super().__init__(f"{filename}: {' '.join(reasons)}")


class FormulaTooLongError(TooLargeError):
    """The table has more lines than a formula has."""

    title = "Formula too long"

    def __init__(self, filename: str, line_count: int, max_lines: int) -> None:
        super().__init__(
            f"{filename}: the formula has {line_count} lines;"
            f" at most {max_lines} are read"
        )


class FormulaNotFoundError(NotFoundError):
    """The product has no such formula version."""

    title = "Formula version not found"
