"""Routes of the domains: written down at import, analysed where they are included.

FastAPI analyses the signature and the models of a route twice: when it is written
down, and again when its router is first asked for. The first time was a sixth of all
that a start imports, and nothing of it is used.
"""

from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Any, NoReturn

from fastapi import APIRouter
from fastapi.datastructures import Default
from fastapi.params import Depends
from fastapi.routing import APIRoute


class DeclaredRoute(APIRoute):
    """A route that serves through `include_router` alone, which analyses it."""

    def __init__(  # noqa: PLR0913 - what the analysis reads, by the framework's names
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = Default(None),  # noqa: B008 - the framework's own
        dependencies: Sequence[Depends] | None = None,
        responses: dict[int | str, dict[str, Any]] | None = None,
        name: str | None = None,
        description: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            path,
            _not_included,
            response_model=None,
            name=name or endpoint.__name__,
            description=description or cleandoc(endpoint.__doc__ or ""),
            **options,
        )
        self.endpoint = endpoint
        self.response_model = response_model
        self.dependencies = list(dependencies or ())
        self.responses = responses or {}


class Router(APIRouter):
    """The routes of one domain, or of a part of it."""

    def __init__(
        self, *, route_class: type[DeclaredRoute] = DeclaredRoute, **options: Any
    ) -> None:
        super().__init__(route_class=route_class, **options)


async def _not_included() -> NoReturn:
    message = "a declared route serves where its router is included"
    raise RuntimeError(message)
