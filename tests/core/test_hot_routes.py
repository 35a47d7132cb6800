"""The hot routes of the app: what they answer is what they declare."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from tests.conftest import client_of
from tests.factories.accounts import make_user
from tests.factories.jobs import make_job
from tests.factories.products import MINIMAL, WHOLE

from dossier.core.database import SessionFactory, make_engine, make_sessions
from dossier.core.hot import is_hot
from dossier.jobs.constants import JobState

ADR = Path(__file__).parents[2] / "docs/adr/0015-hot-reads.md"
PROBLEM = {"type": "/problems/upstream", "code": "upstream", "status": 502}


def hot_routes(app: FastAPI) -> dict[str, RouteContext]:
    return {
        f"{method} {route.path}": route
        for route in iter_route_contexts(app.routes)
        if hasattr(route.original_route, "dependant") and is_hot(route)
        for method in route.methods or ()
    }


def test_hot_routes_are_those_of_the_decision(app: FastAPI) -> None:
    listed = re.findall(r"`((?:GET|POST) /\S+)`", ADR.read_text())

    assert sorted(listed) == sorted(hot_routes(app))


@pytest.fixture
async def rows(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> dict[str, str]:
    """Rows of each kind, some members full and some empty; ids by path parameter."""
    await make_user(sessions, org_id)
    products = [
        (await client.post("/api/v1/products", json=facts)).json()
        for facts in (WHOLE, MINIMAL)
    ]
    job = await make_job(
        sessions, org_id, state=JobState.FAILED, error=PROBLEM, progress_done=3
    )
    return {"product_id": products[0]["id"], "job_id": str(job.id)}


async def test_raw_answers_are_as_declared(
    app: FastAPI, client: httpx2.AsyncClient, rows: dict[str, str]
) -> None:
    answers: dict[str, tuple[Any, Any]] = {}
    for name, route in hot_routes(app).items():
        if name.startswith("GET"):
            body = (await client.get(str(route.path).format(**rows))).content
            declared = route.response_model.model_validate(
                as_attributes(orjson.loads(body), str(route.path))
            )
            answers[name] = (orjson.loads(body), canonical(declared))

    assert len(answers) >= 6
    for raw, declared in answers.values():
        assert raw == declared


def canonical(model: Any) -> Any:
    return orjson.loads(model.model_dump_json())


def as_attributes(body: Any, path: str) -> Any:
    """Undo the names under which users are read from their rows."""
    if path.endswith("/users"):
        for user in body["items"]:
            user["user_id"] = user["id"]
            user["org_id"] = user["organisation_id"]
    return body


@pytest.fixture
async def pooled_client(
    app: FastAPI, fresh_database: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """The same app on a pool, as it is served; a test's usual session has none."""
    engine = make_engine(fresh_database, pool_size=1)
    app.state.sessions = make_sessions(engine)
    async with client_of(app, "mei") as client:
        yield client
    await engine.dispose()


async def test_empty_organisation_has_empty_lists(
    pooled_client: httpx2.AsyncClient,
) -> None:
    answers = [await pooled_client.get(f"/api/v1/{n}") for n in ("products", "users")]

    assert [answer.json() for answer in answers] == [
        {"items": [], "total": 0, "limit": 20, "offset": 0}
    ] * 2


async def test_what_cannot_be_stored_is_not_answered_as_stored(
    pooled_client: httpx2.AsyncClient,
) -> None:
    # Its organisation is not in this database.
    answer = await pooled_client.post("/api/v1/products", json=WHOLE)

    assert answer.status_code == 500
