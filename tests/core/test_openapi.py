from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from dossier.core.openapi import is_public, operations
from dossier.core.prefer import PreferRoute
from dossier.jobs.dependencies import LocationOfJob


def test_document_is_of_version_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _m, _p, operation in operations(document)]

    assert len(names) == len(set(names))


def test_every_operation_says_how_it_fails(document: dict[str, Any]) -> None:
    silent = [
        path
        for _method, path, operation in operations(document)
        if "application/problem+json"
        not in operation["responses"].get("default", {}).get("content", {})
    ]

    assert silent == []


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for _method, path, operation in operations(document):
        expected: list[dict[str, list[str]]] = (
            [] if is_public(operation) else [{"bearer": []}, {"apiKey": []}]
        )
        assert operation["security"] == expected, path


def test_every_operation_has_a_tag_and_a_description(document: dict[str, Any]) -> None:
    bare = [
        path
        for _method, path, operation in operations(document)
        if not operation.get("tags") or not operation.get("description")
    ]

    assert bare == []


def test_every_operation_that_enqueues_names_the_job_and_may_wait(
    app: FastAPI,
) -> None:
    enqueuing = [
        route
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and route.status_code == 202
    ]

    assert {route.name for route in enqueuing} >= {"retry_job"}
    for route in enqueuing:
        assert isinstance(route.original_route, PreferRoute), route.path
        assert LocationOfJob in route.dependencies, route.path


async def test_document_is_served(anonymous_client: httpx2.AsyncClient) -> None:
    answer = await anonymous_client.get("/openapi.json")

    assert answer.json()["info"]["title"] == "Dossier"


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_reference_asks_no_other_host(
    anonymous_client: httpx2.AsyncClient, page: str
) -> None:
    answer = await anonymous_client.get(page)

    assert "//" not in answer.text.replace("<!--", "").replace("http://www.w3", "")
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "asset",
    ["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"],
)
async def test_assets_of_the_reference_are_served_here(
    anonymous_client: httpx2.AsyncClient, asset: str
) -> None:
    answer = await anonymous_client.get(f"/assets/{asset}")

    assert answer.status_code == 200
    assert len(answer.content) > 100


async def test_missing_asset_is_a_problem(anonymous_client: httpx2.AsyncClient) -> None:
    answer = await anonymous_client.get("/assets/nothing.js")

    assert answer.json()["code"] == "route_not_found"
