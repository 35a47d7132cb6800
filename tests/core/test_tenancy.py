"""Every route of the API, whoever wrote it: nobody 401, another organisation 404.

New routes are covered by themselves: ids come from the factories, bodies from the
examples of the schemas.
"""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.core.openapi_samples import Document, body_of, sample

from dossier.core.database import SessionFactory
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

FACTORIES = Path(__file__).parents[1] / "factories"

Wanted = Callable[[str, str, Document], bool]
Maker = Callable[[SessionFactory, UUID], Awaitable[object]]


def maker_of(name: str) -> Maker | None:
    """Return `make_thing` of the factories for an id called `thing_id`."""
    for path in sorted(FACTORIES.glob("*.py")):
        module = importlib.import_module(f"tests.factories.{path.stem}")
        maker: Maker | None = getattr(module, f"make_{name.removesuffix('_id')}", None)
        if maker is not None:
            return maker
    return None


def title(method: str, path: str) -> str:
    return f"{method} {path}"


def path_parameters(operation: Document) -> list[Document]:
    return [each for each in operation.get("parameters", ()) if each["in"] == "path"]


def is_id(parameter: Document) -> bool:
    return bool(parameter["schema"].get("format") == "uuid")


def id_names(document: Document) -> set[str]:
    return {
        each["name"]
        for _method, _path, operation in operations(document)
        for each in path_parameters(operation)
        if is_id(each)
    }


@pytest.fixture
async def known_ids(
    sessions: SessionFactory, org_id: UUID, document: Document
) -> dict[str, str]:
    """One of everything, owned by the first organisation."""
    ids = {}
    for name in sorted(id_names(document)):
        make = maker_of(name)
        if make is not None:
            row = await make(sessions, org_id)
            ids[name] = str(getattr(row, "id", row))
    return ids


def filled(document: Document, path: str, operation: Document, ids: Any) -> str:
    """Return the path with ids that exist and other values that fit."""
    values = {
        each["name"]: ids[each["name"]]
        if is_id(each)
        else sample(document, each["schema"])
        for each in path_parameters(operation)
    }
    return path.format(**values)


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
