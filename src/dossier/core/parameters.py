"""Query parameters that a route does not declare are refused, on every route."""

from collections.abc import Iterator
from itertools import zip_longest

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dossier.core.errors import Fault, suggestion
from dossier.core.problems import MAX_FAULTS, RequestInvalidError
from dossier.core.web import PUBLIC, get_actor


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise an error that names each unknown query parameter and what it may mean.

    A misspelt filter that is ignored answers with everything, as if nothing were wrong.
    """
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    known = sorted(set(_names(route.dependant)))
    unknown = [name for name in request.query_params if name not in known]
    if not unknown:
        return
    if not (route.openapi_extra or {}).keys() & PUBLIC.keys():
        await get_actor(request)  # 401 comes first
    listed = f"Known: {', '.join(known)}." if known else "This route takes none."
    nearest = [suggestion(name, known) for name in unknown[:MAX_FAULTS]]
    faults = tuple(
        Fault(name, f"There is no such parameter.{near}", "extra_forbidden")
        for name, near in zip_longest(unknown, nearest, fillvalue="")
    )
    detail = f"{unknown[0][:100]}: {faults[0].detail} {listed}"
    raise RequestInvalidError(detail, faults=faults)


def _names(dependant: Dependant) -> Iterator[str]:
    """Yield the query parameters of a route and of all that it depends on."""
    for field in dependant.query_params:
        yield field.alias
    for each in dependant.dependencies:
        yield from _names(each)
