"""Every route of the API, whoever wrote it: nobody 401, another organisation 404.

New routes are covered by themselves: ids come from the factories, bodies from the
examples of the schemas.
"""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.core.openapi_samples import (
    Document,
    body_of,
    filled,
    id_names,
    is_id,
    maker_of,
    path_parameters,
)

from dossier.core.openapi import is_public, operations

pytestmark = pytest.mark.usefixtures("acting_members")

PUBLIC = {
    "get /health",
    "get /health/db",
    "get /info",
    "get /live",
    "get /problems",
    "get /problems/{slug}",
    "get /ready",
    "get /api/v1/auth/invitations/{token}",
    "get /api/v1/chat/shared/{token}",
    "post /api/v1/auth/invitations/{token}",
    "post /api/v1/auth/login",
}
UNLISTED = {"/", "/assets/{path}", "/docs", "/openapi.json", "/redoc"}
"""Pages for people and their assets: not in the document, not of any tenant."""

Wanted = Callable[[str, str, Document], bool]


def title(method: str, path: str) -> str:
    return f"{method} {path}"


class Sweep:
    """Sends each operation of the document as one client."""

    def __init__(
        self, client: httpx2.AsyncClient, document: Document, ids: dict[str, str]
    ) -> None:
        self._client = client
        self._document = document
        self._ids = ids

    async def each(self, wanted: Wanted) -> AsyncIterator[tuple[str, httpx2.Response]]:
        for method, path, operation in operations(self._document):
            if is_public(operation) or not wanted(method, path, operation):
                continue
            url = filled(self._document, path, operation, self._ids)
            body = body_of(self._document, operation)
            answer = await self._client.request(method, url, **body)
            yield title(method, path), answer


def anything(_method: str, _path: str, _operation: Document) -> bool:
    return True


def has_id(_method: str, _path: str, operation: Document) -> bool:
    return any(is_id(each) for each in path_parameters(operation))


def shows_one(method: str, path: str, _operation: Document) -> bool:
    return method == "get" and path.endswith("_id}")


def test_public_routes_are_these_and_no_others(document: Document) -> None:
    marked = {
        title(method, path)
        for method, path, operation in operations(document)
        if is_public(operation)
    }

    assert marked == PUBLIC


def test_every_route_is_in_the_document(app: FastAPI, document: Document) -> None:
    served = {
        getattr(route, "path_format", route.path)
        for route in iter_route_contexts(app.routes)
    }

    assert served - set(document["paths"]) == UNLISTED


def test_every_id_in_a_path_has_a_factory(document: Document) -> None:
    """`{thing_id}` needs `make_thing(sessions, org_id)` in `tests/factories`."""
    assert [name for name in id_names(document) if maker_of(name) is None] == []


async def test_request_without_credentials_is_refused_everywhere(
    anonymous_client: httpx2.AsyncClient, document: Document, known_ids: dict[str, str]
) -> None:
    sweep = Sweep(anonymous_client, document, known_ids)

    let_in = {
        name: answer.status_code
        async for name, answer in sweep.each(anything)
        if answer.status_code != httpx2.codes.UNAUTHORIZED
    }

    assert let_in == {}


async def test_another_organisation_finds_nothing(
    other_client: httpx2.AsyncClient, document: Document, known_ids: dict[str, str]
) -> None:
    sweep = Sweep(other_client, document, known_ids)

    found = {
        name: (answer.status_code, answer.text[:200])
        async for name, answer in sweep.each(has_id)
        if answer.status_code != httpx2.codes.NOT_FOUND
    }

    assert found == {}


async def test_its_own_organisation_finds_it(
    client: httpx2.AsyncClient, document: Document, known_ids: dict[str, str]
) -> None:
    """Otherwise the sweep above would prove nothing."""
    sweep = Sweep(client, document, known_ids)

    answers = {name: answer async for name, answer in sweep.each(shows_one)}

    assert "get /api/v1/users/{user_id}" in answers
    assert {n: a.text for n, a in answers.items() if not a.is_success} == {}
