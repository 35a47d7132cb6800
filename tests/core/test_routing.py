import httpx2
import pytest
from fastapi import FastAPI

from dossier.api import API_ROUTERS, ROOT_ROUTERS
from dossier.core.routing import DeclaredRoute, Router


async def things(limit: int) -> list[int]:
    """List them."""
    return [limit]


def test_no_domain_analyses_its_routes_before_they_are_included() -> None:
    routes = [route for one in ROOT_ROUTERS + API_ROUTERS for route in one.routes]

    assert routes
    for route in routes:
        assert isinstance(route, DeclaredRoute)
        assert not route.dependant.dependencies
        assert route.response_field is None


async def test_included_route_is_served_and_documented_as_it_is_written() -> None:
    app, router = FastAPI(), Router(prefix="/things", tags=["things"])
    router.get("", status_code=201, responses={410: {"description": "Gone"}})(things)
    app.include_router(router, prefix="/api")
    transport = httpx2.ASGITransport(app=app)

    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost"
    ) as client:
        answers = [
            await client.get("/api/things?limit=3"),
            await client.get("/api/things?limit=many"),
            await client.post("/api/things"),
        ]
    documented = app.openapi()["paths"]["/api/things"]["get"]

    assert [answer.status_code for answer in answers] == [201, 422, 405]
    assert answers[0].json() == [3]
    assert documented["tags"] == ["things"]
    assert documented["description"] == "List them."
    assert documented["parameters"][0]["name"] == "limit"
    assert documented["responses"].keys() == {"201", "410", "422"}


async def test_declared_route_does_not_serve_alone() -> None:
    app = FastAPI()
    app.router.routes.append(DeclaredRoute("/things", things))
    transport = httpx2.ASGITransport(app=app)

    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost"
    ) as client:
        with pytest.raises(RuntimeError, match="included"):
            await client.get("/things")
