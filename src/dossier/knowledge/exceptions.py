"""What can go wrong with knowledge."""

from dossier.core.errors import InvalidError


class QuestionInvalidError(InvalidError):
    """A question is empty, too long or holds characters that steer a screen."""

    title = "The question cannot be searched for"


class CollectionInvalidError(InvalidError):
    """A file of a judged collection cannot be used; the detail names the line."""

    title = "The collection cannot be used"
