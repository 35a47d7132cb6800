"""Query parameters that no route declares, over every route of the API."""

import re
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.core.openapi_samples import sample

from dossier.core.openapi import operations


def names(operation: dict[str, Any], place: str) -> list[dict[str, Any]]:
    return [each for each in operation.get("parameters", ()) if each["in"] == place]


async def test_an_unknown_parameter_is_refused_by_every_route(
    client: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    wrong = []
    for method, path, operation in operations(document):
        if not path.startswith("/api/v1"):
            continue
        values = {
            each["name"]: UUID(int=7)
            if each["schema"].get("format") == "uuid"
            else sample(document, each["schema"])
            for each in names(operation, "path")
        }
        body: dict[str, Any] = {"json": {}} if "requestBody" in operation else {}
        answer = await client.request(
            method, path.format(**values), params={"limot": 1}, **body
        )
        fault = answer.json().get("errors", [{}])[0]
        expected = "There is no such parameter."
        if "limit" in {each["name"] for each in names(operation, "query")}:
            expected += " Did you mean 'limit'?"
        found = (answer.status_code, fault.get("pointer"), fault.get("detail"))
        if found != (422, "limot", expected):
            wrong.append((method, path, found))

    assert wrong == []


async def test_an_unknown_parameter_is_not_named_to_a_stranger(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    answer = await anonymous_client.get("/api/v1/products", params={"limot": 1})

    assert answer.status_code == 401


async def test_the_known_parameters_are_listed(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/products", params={"limot": 1})

    assert "limit, " in answer.json()["detail"]


async def test_many_unknown_parameters_are_counted(client: httpx2.AsyncClient) -> None:
    query = "&".join(f"limit{number}=1" for number in range(2000))

    answer = await client.get(f"/api/v1/products?{query}")

    assert answer.json()["errors_total"] == 2000


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT", "DELETE"])
async def test_a_path_allows_its_own_methods_also_beside_a_parameter(
    client: httpx2.AsyncClient, document: dict[str, Any], method: str
) -> None:
    beside = {}
    for path, item in document["paths"].items():
        place = path.rpartition("/")[0] + "/{"
        methods = {name.upper() for name in item} - {"PARAMETERS"}
        if not path.endswith("}") and any(
            other.startswith(place) and other.count("/") == path.count("/")
            for other in document["paths"]
        ):
            beside[path] = methods | ({"HEAD"} if "GET" in methods else set())
    wrong = []
    for path, methods in beside.items():
        if method in methods:
            continue
        answer = await client.request(method, re.sub(r"{\w+}", str(UUID(int=7)), path))
        allowed = ", ".join(sorted(methods))
        expected = (405, allowed, f"{method} is not possible here; {allowed} is.")
        detail = answer.json()["detail"]
        found = (answer.status_code, answer.headers.get("allow"), detail)
        if found != expected:
            wrong.append((path, found))

    assert len(beside) >= 3
    assert wrong == []


async def test_a_number_of_thousands_of_digits_is_refused(
    client: httpx2.AsyncClient,
) -> None:
    path = f"/api/v1/products/{UUID(int=7)}/formulas/{'9' * 5000}"

    assert (await client.get(path)).status_code == 422


async def test_every_route_of_content_declares_how_it_answers(
    document: dict[str, Any],
) -> None:
    content = {
        path: item["get"]["responses"]
        for path, item in document["paths"].items()
        if path.endswith(("/content", ".pdf", ".json", ".zip", "/export"))
        and path.startswith("/api")
    }

    assert len(content) == 6
    for responses in content.values():
        assert {"200", "206", "304", "416"} <= set(responses)
        headers = responses["200"]["headers"]
        assert headers["Cache-Control"]["schema"]["const"] == "private, no-cache"
        assert "ETag" in headers
