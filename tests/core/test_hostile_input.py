"""What no client should send: refused with a reason, never a failure of ours."""

from typing import Any

import httpx2
import pytest

NEW_USER = {
    "email": "lin@example.com",
    "name": "Lin",
    "role": "editor",
    "password": "a long pass phrase",
}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users", NEW_USER | {"name": "Lin\x00"}),
        ("/auth/login", {"email": "nul\x00@example.com", "password": "x"}),
    ],
)
async def test_nul_in_a_text_is_refused(
    client: httpx2.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await client.post(f"/api/v1{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/unstorable-text"


async def test_nul_in_a_filter_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/activity", params={"entity_id": "nul\x00"})

    assert answer.json()["type"] == "/problems/unstorable-text"


@pytest.mark.parametrize(
    "body", [rb'{"bad\ud800": 1}', rb'{"name": "\udfff"}', rb'{"n\u0000": "\u0000"}']
)
async def test_half_a_character_is_refused(
    client: httpx2.AsyncClient, body: bytes
) -> None:
    answer = await client.post(
        "/api/v1/users", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/request-invalid"


@pytest.mark.parametrize("path", ["users", "jobs", "activity", "products", "documents"])
@pytest.mark.parametrize("offset", [-1, 2**63, 10**40])
async def test_an_offset_that_nothing_can_have_is_refused(
    client: httpx2.AsyncClient, path: str, offset: int
) -> None:
    answer = await client.get(f"/api/v1/{path}", params={"offset": offset})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "offset"


async def test_the_last_offset_of_all_is_an_empty_page(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/api/v1/activity", params={"offset": 2**63 - 1})

    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"{bad", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"name=Lin", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"", "application/json"),
    ],
)
async def test_nobody_learns_only_that_nobody_is_asking(
    anonymous_client: httpx2.AsyncClient, content: bytes, media_type: str
) -> None:
    answer = await anonymous_client.post(
        "/api/v1/users", content=content, headers={"content-type": media_type}
    )

    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthenticated"


async def test_a_public_route_says_what_is_wrong_with_the_body(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    answer = await anonymous_client.post(
        "/api/v1/auth/login",
        content=b"{bad",
        headers={"content-type": "application/json"},
    )

    assert answer.json()["type"] == "/problems/malformed-json"
