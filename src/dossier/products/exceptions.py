"""What can go wrong with products and the papers linked to them."""

from dossier.core.errors import ConflictError, InvalidError, NotFoundError


class ProductNotFoundError(NotFoundError):
    """No such product in this organisation."""

    title = "Product not found"


class ProductExistsError(ConflictError):
    """Another product of the organisation has the same identity."""

    title = "Product exists already"


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
