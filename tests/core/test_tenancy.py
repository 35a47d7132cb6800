"""Every route of the API, whoever wrote it: nobody 401, another organisation 404."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.core.openapi_samples import Document, body_of, sample
from tests.factories.accounts import make_user

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.openapi import is_public, operations
from dossier.core.tenancy import Actor
from dossier.jobs.service import JobsService

PUBLIC = {
    "get /health",
    "get /health/db",
    "get /info",
    "get /live",
    "get /problems",
    "get /problems/{slug}",
    "get /ready",
    "post /api/v1/auth/login",
}
UNLISTED = {"/assets", "/docs", "/openapi.json", "/redoc"}
"""Pages for people and their assets: not in the document, not of any tenant."""

Maker = Callable[[SessionFactory, UUID], Awaitable[object]]


async def make_job(sessions: SessionFactory, org_id: UUID) -> UUID:
    async with tenant_transaction(sessions, org_id) as session:
        job = await JobsService(session, Actor.system(org_id)).enqueue("tests.nothing")
        return job.id


async def make_user_id(sessions: SessionFactory, org_id: UUID) -> UUID:
    return (await make_user(sessions, org_id)).user_id


MAKERS: dict[str, Maker] = {
    "job_id": make_job,
    "user_id": make_user_id,
}
"""How to make what an id in a path stands for; a new kind of id needs a line."""


@pytest.fixture
def document(app: FastAPI) -> Document:
    return app.openapi()


def title(method: str, path: str) -> str:
    return f"{method} {path}"


def path_parameters(operation: Document) -> list[Document]:
    return [each for each in operation.get("parameters", ()) if each["in"] == "path"]


def is_id(parameter: Document) -> bool:
    return bool(parameter["schema"].get("format") == "uuid")


@pytest.fixture
async def known_ids(sessions: SessionFactory, org_id: UUID) -> dict[str, str]:
    """One of everything, owned by the first organisation."""
    made = {name: await make(sessions, org_id) for name, make in MAKERS.items()}
    return {name: str(getattr(row, "id", row)) for name, row in made.items()}


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

    async def each(
        self, wanted: Callable[[Document], bool]
    ) -> AsyncIterator[tuple[str, httpx2.Response]]:
        for method, path, operation in operations(self._document):
            if is_public(operation) or not wanted(operation):
                continue
            url = filled(self._document, path, operation, self._ids)
            body = body_of(self._document, operation)
            answer = await self._client.request(method, url, **body)
            yield title(method, path), answer


def anything(_operation: Document) -> bool:
    return True


def has_id(operation: Document) -> bool:
    return any(is_id(each) for each in path_parameters(operation))


def test_public_routes_are_these_and_no_others(document: Document) -> None:
    marked = {
        title(method, path)
        for method, path, operation in operations(document)
        if is_public(operation)
    }

    assert marked == PUBLIC


def test_every_route_is_in_the_document(app: FastAPI, document: Document) -> None:
    served = {route.path for route in iter_route_contexts(app.routes)}

    assert served - set(document["paths"]) == UNLISTED


def test_every_id_in_a_path_can_be_made(document: Document) -> None:
    needed = {
        each["name"]
        for _method, _path, operation in operations(document)
        for each in path_parameters(operation)
        if is_id(each)
    }

    assert needed <= MAKERS.keys()


async def test_nobody_is_let_in_anywhere(
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

    missing = [
        name
        async for name, answer in sweep.each(has_id)
        if name.startswith("get ") and answer.json().get("code") == "route_not_found"
    ]

    assert missing == []
    own = [name async for name, answer in sweep.each(has_id) if answer.is_success]
    assert "get /api/v1/users/{user_id}" in own
