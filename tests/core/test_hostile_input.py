"""What no client should send: refused with a reason, never a failure of ours."""

from typing import Any
from uuid import UUID

import httpx2
import pytest

pytestmark = pytest.mark.usefixtures("acting_members")

NEW_USER = {"email": "lin@example.com", "name": "Lin", "role": "editor"}


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("/users", NEW_USER | {"name": "Lin\x00"}, "request-invalid"),
        # Nothing checks the address here, so the database refuses it.
        ("/auth/login", {"email": "nul\x00@x.com", "password": "x"}, "unstorable-text"),
    ],
)
async def test_nul_in_a_text_is_refused(
    client: httpx2.AsyncClient, path: str, body: dict[str, Any], problem: str
) -> None:
    answer = await client.post(f"/api/v1{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["type"] == f"/problems/{problem}"


NEW_PRODUCT = {
    "code": "RC-1",
    "name_en": "Rose Cream",
    "category": "face_cream",
    "use": "leave_on",
    "holder": {"name": "Rose Maison"},
}


@pytest.mark.parametrize("steering", ["\x1b[2J", "\n", "\x85", "\u202e", "\u2066"])
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/users", NEW_USER, "name"),
        ("PATCH", "/users/me", {}, "name"),
        ("PATCH", f"/users/{UUID(int=1)}", {}, "name"),
        ("POST", "/products", NEW_PRODUCT, "code"),
        ("POST", "/products", NEW_PRODUCT, "name_en"),
        ("PATCH", f"/products/{UUID(int=1)}", {}, "name_zh"),
    ],
)
async def test_a_name_that_steers_what_shows_it_is_refused(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    body: dict[str, Any],
    field: str,
    steering: str,
) -> None:
    wanted = body | {field: f"Rose{steering}Lin"}

    answer = await client.request(method, f"/api/v1{path}", json=wanted)

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"#/{field}"]


async def test_a_longer_text_may_have_lines_but_nothing_that_reorders(
    client: httpx2.AsyncClient,
) -> None:
    path = "/api/v1/products"

    lines = await client.post(path, json=NEW_PRODUCT | {"intended_use": "Care\nonly"})
    marked = await client.post(path, json=NEW_PRODUCT | {"intended_use": "a\u202eb"})

    assert (lines.status_code, lines.json()["intended_use"]) == (201, "Care\nonly")
    assert marked.status_code == 422


async def test_nul_in_a_filter_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/activity", params={"entity_id": "nul\x00"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "entity_id"


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


async def test_a_number_too_long_to_read_is_refused_with_the_reason(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post(
        "/api/v1/users",
        content=b"1" * 6000,
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == "#"
    assert fault["detail"] == "An integer has more than 4300 digits"


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
async def test_request_without_credentials_is_401_on_every_route(
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


@pytest.mark.parametrize("encoding", ["gzip", "br", "x-unheard-of", "gzip, identity"])
async def test_an_encoded_body_is_refused_with_the_name_of_its_encoding(
    client: httpx2.AsyncClient, encoding: str
) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}

    answer = await client.post("/api/v1/users", content=b"{}", headers=headers)

    assert answer.status_code == 415
    assert answer.json()["type"] == "/problems/content-encoded"
    assert f"Content-Encoding: {encoding}`" in answer.json()["detail"]
    assert answer.headers["accept-encoding"] == "identity"


async def test_a_body_that_is_said_to_be_as_it_is_is_read(
    client: httpx2.AsyncClient,
) -> None:
    headers = {"content-encoding": "Identity"}

    answer = await client.post("/api/v1/users", json={}, headers=headers)

    assert answer.json()["type"] == "/problems/request-invalid"


async def test_json_that_is_nested_too_deep_is_called_so(
    client: httpx2.AsyncClient,
) -> None:
    headers = {"content-type": "application/json"}

    answer = await client.post(
        "/api/v1/users", content=b"[" * 100_000 + b"]" * 100_000, headers=headers
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/json-too-deep"


@pytest.mark.parametrize("number", [-1, 0, 2**31, "one"])
@pytest.mark.parametrize("path", ["formulas", "pif/versions"])
async def test_a_number_that_no_version_has_is_refused_alike(
    client: httpx2.AsyncClient, path: str, number: int | str
) -> None:
    url = f"/api/v1/products/00000000-0000-7000-8000-000000000000/{path}/{number}"

    answer = await client.get(url)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/request-invalid"
    assert answer.json()["errors"][0]["pointer"] == "number"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("users/{}", "user"),
        ("products/{}", "product"),
        ("documents/{}", "document"),
        ("jobs/{}", "job"),
        ("reports/{}", "report"),
    ],
)
async def test_what_does_not_exist_is_named(
    client: httpx2.AsyncClient, path: str, kind: str
) -> None:
    answer = await client.get(f"/api/v1/{path.format(UUID(int=7))}")

    assert answer.status_code == 404
    assert answer.json()["detail"] == f"There is no {kind} {UUID(int=7)}."


@pytest.mark.parametrize("path", ["jobs", "activity"])
@pytest.mark.parametrize(
    ("bound", "moment"),
    [
        ("created_after", "9999-12-31T23:59:59-23:00"),
        ("created_before", "0001-01-01T00:00:00+23:00"),
    ],
)
async def test_a_moment_outside_the_calendar_is_refused(
    client: httpx2.AsyncClient, path: str, bound: str, moment: str
) -> None:
    answer = await client.get(f"/api/v1/{path}", params={bound: moment})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == bound


@pytest.mark.parametrize("path", ["jobs", "activity"])
async def test_the_first_and_the_last_moment_are_bounds_like_others(
    client: httpx2.AsyncClient, path: str
) -> None:
    whole = {
        "created_after": "0001-01-01T00:00:00Z",
        "created_before": "9999-12-31T23:59:59Z",
    }

    answer = await client.get(f"/api/v1/{path}", params=whole)

    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["0.5", "1700000000", "-1e9", "nan", "1_000"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/activity", "created_before"),
        ("/activity", "created_after"),
        ("/jobs", "created_after"),
        ("/ai/calls", "since"),
    ],
)
async def test_a_number_is_no_instant(
    client: httpx2.AsyncClient, path: str, name: str, value: str
) -> None:
    answer = await client.get(f"/api/v1{path}", params={name: value})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == name


BUDGET = {"scope": "organisation", "window": "day"}
KEY = {"name": "Import", "scopes": ["read"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("PUT", "/ai/budgets", BUDGET | {"cap_tokens": True}, "#/cap_tokens"),
        ("PUT", "/ai/budgets", BUDGET | {"cap_tokens": "5"}, "#/cap_tokens"),
        ("POST", "/api-keys", KEY | {"expires_at": 4e9}, "#/expires_at"),
        ("POST", "/api-keys", KEY | {"expires_at": "4000000000"}, "#/expires_at"),
        (
            "POST",
            f"/chat/rooms/{UUID(int=1)}/shares",
            {"expires_in_days": True},
            "#/expires_in_days",
        ),
        ("PATCH", f"/users/{UUID(int=1)}", {"is_active": 1}, "#/is_active"),
        ("PATCH", f"/users/{UUID(int=1)}", {"is_active": "yes"}, "#/is_active"),
        (
            "POST",
            "/activity/verify",
            {"head": {"position": "1", "chain_hash": "0" * 64}},
            "#/head/position",
        ),
    ],
)
async def test_a_value_of_another_type_is_refused(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    body: dict[str, Any],
    pointer: str,
) -> None:
    answer = await client.request(method, f"/api/v1{path}", json=body)

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("value", ["9" * 90, "3", 7, True])
async def test_a_preference_is_stored_as_it_was_sent(
    client: httpx2.AsyncClient, value: object
) -> None:
    answer = await client.patch(
        "/api/v1/chat/profile", json={"preferences": {"theme": value}}
    )

    assert answer.json()["preferences"] == {"theme": value}
    assert type(answer.json()["preferences"]["theme"]) is type(value)
