"""The catalogue of problem types: the `type` of every problem is a URL of it."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator

from fastapi import APIRouter

from dossier.core.errors import AppError, NotFoundError
from dossier.core.schemas import ResponseModel
from dossier.core.web import PUBLIC

ROOT_PACKAGE = "dossier"

router = APIRouter(tags=["problems"])


class ProblemTypeNotFoundError(NotFoundError):
    """No problem type has this name."""

    title = "Problem type not found"


class ProblemTypeResponse(ResponseModel):
    """One kind of failure that clients can branch on."""

    type: str
    code: str
    title: str
    status: int
    description: str


class ProblemTypesResponse(ResponseModel):
    """All kinds of failure."""

    items: list[ProblemTypeResponse]


def load_errors() -> None:
    """Import every `exceptions` module, those that only workers use too."""
    for parent in (ROOT_PACKAGE, f"{ROOT_PACKAGE}.integrations"):
        folder = importlib.import_module(parent).__path__
        for module in pkgutil.iter_modules(folder, f"{parent}."):
            name = f"{module.name}.exceptions"
            if module.ispkg and importlib.util.find_spec(name) is not None:
                importlib.import_module(name)


def error_classes() -> list[type[AppError]]:
    """Return every named failure of the product, by slug."""
    load_errors()
    # Tests define errors too.
    ours = {
        kind
        for kind in _descendants(AppError)
        if kind.__module__.partition(".")[0] == ROOT_PACKAGE
    }
    return sorted(ours, key=lambda kind: kind.slug())


@router.get("/problems", openapi_extra=PUBLIC)
async def list_problem_types() -> ProblemTypesResponse:
    """List every kind of failure."""
    return ProblemTypesResponse(items=[_described(kind) for kind in error_classes()])


@router.get("/problems/{slug}", openapi_extra=PUBLIC)
async def get_problem_type(slug: str) -> ProblemTypeResponse:
    """Explain one kind of failure."""
    for kind in error_classes():
        if kind.slug() == slug:
            return _described(kind)
    raise ProblemTypeNotFoundError(slug)


def _described(kind: type[AppError]) -> ProblemTypeResponse:
    return ProblemTypeResponse(
        type=f"/problems/{kind.slug()}",
        code=kind.code(),
        title=kind.title,
        status=kind.status,
        description=kind.description(),
    )


def _descendants(kind: type[AppError]) -> Iterator[type[AppError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)
