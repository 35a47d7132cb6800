from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.accounts.conftest import PASSWORD, LogIn, MakeMember

from dossier.accounts.constants import Role

NEW = {"email": "Lin@Example.com", "name": "Lin", "role": "editor"}
CHOSEN = {"password": PASSWORD}


@pytest.fixture
async def owner_id(org_id: UUID, make_member: MakeMember, log_in: LogIn) -> UUID:
    member = await make_member(org_id)
    await log_in()
    return member.user_id


async def created(web: httpx2.AsyncClient, **overrides: Any) -> dict[str, Any]:
    invited = await web.post("/api/v1/users", json=NEW | overrides)
    assert invited.status_code == 201, invited.text
    answer = await web.post(invited.json()["url"], json=CHOSEN)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.usefixtures("owner_id")
async def test_invited_user_accepts_and_can_log_in(
    web: httpx2.AsyncClient, org_id: UUID, log_in: LogIn
) -> None:
    body = await created(web)

    assert body == {
        "id": body["id"],
        "organisation_id": str(org_id),
        "email": "lin@example.com",
        "name": "Lin",
        "role": "editor",
        "is_active": True,
        "created_at": body["created_at"],
    }
    answer = await log_in("lin@example.com", organisation_id=str(org_id))
    assert answer.status_code == 200


@pytest.mark.usefixtures("owner_id")
async def test_users_are_listed_newest_first_with_their_total(
    web: httpx2.AsyncClient,
) -> None:
    await created(web)

    answer = await web.get("/api/v1/users", params={"limit": 1})

    page = answer.json()
    assert [user["name"] for user in page["items"]] == ["Lin"]
    assert {key: page[key] for key in ("total", "limit", "offset")} == {
        "total": 2,
        "limit": 1,
        "offset": 0,
    }


@pytest.mark.usefixtures("owner_id")
async def test_page_above_fifty_is_refused(web: httpx2.AsyncClient) -> None:
    answer = await web.get("/api/v1/users", params={"limit": 51})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "limit"


@pytest.mark.usefixtures("owner_id")
async def test_address_that_is_taken_conflicts_whatever_its_case(
    web: httpx2.AsyncClient,
) -> None:
    answer = await web.post("/api/v1/users", json=NEW | {"email": "MEI@example.com"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/email-taken"
    assert "mei@example.com" in answer.json()["detail"]


@pytest.mark.usefixtures("owner_id")
async def test_short_password_and_unknown_field_are_both_named(
    web: httpx2.AsyncClient,
) -> None:
    invited = await web.post("/api/v1/users", json=NEW)
    answer = await web.post(
        invited.json()["url"], json={"password": "short", "is_admin": True}
    )

    faults = {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}
    assert faults == {
        "#/password": "string_too_short",
        "#/is_admin": "extra_forbidden",
    }
    assert "short" not in answer.json()["detail"]
    assert "at least 12 characters" in answer.json()["detail"]


@pytest.mark.usefixtures("owner_id")
@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/auth/login", "password"),
        ("PATCH", "/users/me", "password"),
        ("PATCH", "/users/me", "current_password"),
    ],
)
async def test_length_of_a_password_is_counted_in_characters(
    web: httpx2.AsyncClient, method: str, path: str, field: str
) -> None:
    body = {"email": "mei@example.com", field: "x" * 257}

    answer = await web.request(method, f"/api/v1{path}", json=body)

    faults = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert faults == {f"#/{field}": "String should have at most 256 characters"}


@pytest.mark.usefixtures("owner_id")
async def test_only_the_fields_that_are_sent_change(web: httpx2.AsyncClient) -> None:
    user = await created(web)

    answer = await web.patch(f"/api/v1/users/{user['id']}", json={"role": "viewer"})

    assert answer.json() == user | {"role": "viewer"}


@pytest.mark.usefixtures("owner_id")
async def test_owner_cannot_set_the_address_or_password_of_others(
    web: httpx2.AsyncClient,
) -> None:
    user = await created(web)

    answer = await web.patch(
        f"/api/v1/users/{user['id']}",
        json={"email": "x@example.com", "password": PASSWORD},
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("change", [{"role": "admin"}, {"is_active": False}])
async def test_last_active_owner_stays(
    web: httpx2.AsyncClient, owner_id: UUID, change: dict[str, Any]
) -> None:
    answer = await web.patch(f"/api/v1/users/{owner_id}", json=change)

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/last-owner"
    assert (await web.get("/api/v1/users/me")).json()["role"] == "owner"


async def test_owner_may_step_down_when_another_stays(
    web: httpx2.AsyncClient, owner_id: UUID
) -> None:
    await created(web, role="owner")

    answer = await web.patch(f"/api/v1/users/{owner_id}", json={"role": "viewer"})

    assert answer.status_code == 200


async def test_demoted_owner_can_neither_restore_the_role_nor_make_an_owner(
    web: httpx2.AsyncClient, owner_id: UUID, org_id: UUID, log_in: LogIn
) -> None:
    lin = await created(web, role="owner")
    mei_token = web.headers["authorization"]
    await log_in("lin@example.com", organisation_id=str(org_id))
    assert (await web.get("/api/v1/users")).status_code == 200  # now it is cached
    lin_token = web.headers["authorization"]
    web.headers["authorization"] = mei_token
    await web.patch(f"/api/v1/users/{lin['id']}", json={"role": "viewer"})
    web.headers["authorization"] = lin_token

    answers = [
        await web.patch(f"/api/v1/users/{lin['id']}", json={"role": "owner"}),
        await web.patch(f"/api/v1/users/{owner_id}", json={"role": "viewer"}),
        await web.post("/api/v1/users", json=NEW | {"email": "other@example.com"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
async def test_only_owners_manage_users(
    web: httpx2.AsyncClient,
    org_id: UUID,
    make_member: MakeMember,
    log_in: LogIn,
    role: Role,
) -> None:
    member = await make_member(org_id, role=role)
    await log_in()

    answers = [
        await web.get("/api/v1/users"),
        await web.get(f"/api/v1/users/{member.user_id}"),
        await web.post("/api/v1/users", json=NEW),
        await web.patch(f"/api/v1/users/{member.user_id}", json={"role": "owner"}),
    ]

    assert {answer.json()["type"] for answer in answers} == {"/problems/role-required"}


@pytest.mark.usefixtures("owner_id")
async def test_user_of_another_organisation_is_not_found(
    web: httpx2.AsyncClient, other_org_id: UUID, make_member: MakeMember
) -> None:
    stranger = await make_member(other_org_id, "lily@example.com")

    answers = [
        await web.get(f"/api/v1/users/{stranger.user_id}"),
        await web.patch(f"/api/v1/users/{stranger.user_id}", json={"name": "Eve"}),
    ]

    assert {answer.json()["type"] for answer in answers} == {"/problems/user-not-found"}


@pytest.mark.usefixtures("owner_id")
async def test_own_name_changes_without_a_password(web: httpx2.AsyncClient) -> None:
    answer = await web.patch("/api/v1/users/me", json={"name": "Mei-Hua"})

    assert answer.json()["name"] == "Mei-Hua"


@pytest.mark.usefixtures("owner_id")
@pytest.mark.parametrize(
    "change", [{"password": "another long phrase"}, {"email": "new@example.com"}]
)
@pytest.mark.parametrize("current", [None, "not the right one"])
async def test_password_and_address_need_the_current_password(
    web: httpx2.AsyncClient, change: dict[str, str], current: str | None
) -> None:
    answer = await web.patch(
        "/api/v1/users/me", json=change | {"current_password": current}
    )

    assert answer.json()["type"] == "/problems/current-password-required"


@pytest.mark.usefixtures("owner_id")
async def test_new_password_replaces_the_old_one(
    web: httpx2.AsyncClient, log_in: LogIn
) -> None:
    change = {"password": "another long phrase", "current_password": PASSWORD}

    answer = await web.patch("/api/v1/users/me", json=change)

    assert answer.status_code == 200
    assert (await log_in(password=PASSWORD)).status_code == 401
    assert (await log_in(password="another long phrase")).status_code == 200


@pytest.mark.usefixtures("owner_id")
async def test_own_address_cannot_become_one_that_is_taken(
    web: httpx2.AsyncClient,
) -> None:
    await created(web)

    answer = await web.patch(
        "/api/v1/users/me",
        json={"email": "lin@example.com", "current_password": PASSWORD},
    )

    assert answer.json()["type"] == "/problems/email-taken"


async def test_changes_are_recorded(web: httpx2.AsyncClient, owner_id: UUID) -> None:
    user = await created(web)
    await web.patch(f"/api/v1/users/{user['id']}", json={"name": "Lin Lin"})

    answer = await web.get("/api/v1/activity", params={"entity_id": user["id"]})

    events = [(e["action"], e["details"]) for e in answer.json()["items"]]
    assert events == [
        ("update", {"changed": ["name"]}),
        ("create", {"role": "editor", "invited_by": str(owner_id)}),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", None), ("role", None), ("is_active", None), ("name", "Mei\x00")],
)
async def test_null_and_nul_are_not_values(
    web: httpx2.AsyncClient, owner_id: UUID, field: str, value: str | None
) -> None:
    answer = await web.patch(f"/api/v1/users/{owner_id}", json={field: value})

    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"
