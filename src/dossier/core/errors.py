"""Base classes of errors; domains subclass them, `core/problems.py` renders them.

`status` is a class attribute, so that a business error can never become a 500 by
being left unmarked. `title` is constant and for people, `detail` may name values;
without one it is the first line of the class's docstring.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import getdoc
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault inside a rejected input.

    `pointer` is a JSON Pointer (`#/cas`) into the body, or the name of a parameter.
    """

    pointer: str
    detail: str
    code: str


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest known word; empty if none is near."""
    # Comparing costs the product of both lengths, and the word comes from outside.
    near = get_close_matches(word[:100].casefold(), list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class AppError(Exception):
    """A failure with a name that clients can branch on."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: object = "",
        *,
        faults: tuple[Fault, ...] = (),
        retry_after_s: int | None = None,
        limit: Mapping[str, str | int | None] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = str(detail) or self.description()
        self.faults = faults
        self.retry_after_s = retry_after_s
        self.limit = limit

    @classmethod
    def code(cls) -> str:
        """Return the machine word: the class name without `Error`, in snake case."""
        name = cls.__name__.removesuffix("Error")
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()

    @classmethod
    def slug(cls) -> str:
        """Return the last part of the problem's `type`, in kebab case."""
        return cls.code().replace("_", "-")

    @classmethod
    def description(cls) -> str:
        """Return the first line of the docstring, which says when this happens."""
        return (getdoc(cls) or cls.title).partition("\n")[0]


class InvalidError(AppError):
    """The input is well formed but cannot be accepted."""

    status = 422
    title = "Invalid input"


class BadRequestError(AppError):
    """The request itself cannot be understood."""

    status = 400
    title = "Bad request"


class UnauthenticatedError(AppError):
    """The request has no credentials, or none that are valid."""

    status = 401
    title = "Authentication required"


class PaymentRequiredError(AppError):
    """A budget is used up."""

    status = 402
    title = "Budget exhausted"


class ForbiddenError(AppError):
    """A known member lacks the permission."""

    status = 403
    title = "Not permitted"


class NotFoundError(AppError):
    """There is no such thing in this organisation.

    `which` is its id, or what else it was asked for by; the detail names it with the
    kind of thing, which is what `title` begins with.
    """

    status = 404
    title = "Not found"

    def __init__(self, which: object = "", *, faults: tuple[Fault, ...] = ()) -> None:
        kind = self.title.removesuffix(" not found")
        detail = which
        if kind != self.title and str(which):
            # "API key" keeps its capitals within the sentence, "User" does not.
            is_acronym = kind[:2].isupper() and kind[1:2].isalpha()
            noun = kind if is_acronym else f"{kind[:1].lower()}{kind[1:]}"
            detail = f"There is no {noun} {which}."
        super().__init__(detail, faults=faults)


class MethodNotAllowedError(AppError):
    """The route exists, the method does not."""

    status = 405
    title = "Method not allowed"


class ConflictError(AppError):
    """The present state does not allow it."""

    status = 409
    title = "Conflict"


class TooLargeError(AppError):
    """The input is above a limit."""

    status = 413
    title = "Too large"


class UnsupportedMediaTypeError(AppError):
    """The kind of content is not one that is read here."""

    status = 415
    title = "Unsupported media type"


class RateLimitedError(AppError):
    """Too many requests; `retry_after_s` says when to try again."""

    status = 429
    title = "Too many requests"


class InternalServerError(AppError):
    """A fault of ours; the log holds the reason under the request id."""

    status = 500
    title = "Internal error"


class UpstreamError(AppError):
    """An outside system failed; retrying may help."""

    status = 502
    title = "Upstream failure"


class UnavailableError(AppError):
    """Something that the request needs cannot be reached for the moment."""

    status = 503
    title = "Temporarily unavailable"
