"""What can go wrong with knowledge."""

from dossier.core.errors import InvalidError


class CollectionInvalidError(InvalidError):
    """A file of a judged collection cannot be used; the detail names the line."""

    title = "The collection cannot be used"
