"""Invitations: made by an owner, accepted by who holds the link."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.accounts.conftest import PASSWORD, Enter, LogIn, MakeMember
from tests.accounts.keys import activity_log, change

from dossier.accounts.constants import Role
from dossier.accounts.models import Invitation, Membership
from dossier.core.clock import now
from dossier.core.database import SessionFactory

USERS = "/api/v1/users"
INVITATIONS = "/api/v1/invitations"
NEW = {"email": "Lin@Example.com", "name": "Lin", "role": "editor"}
CHOSEN = {"password": "a phrase of her own"}


async def invited(web: httpx2.AsyncClient, **overrides: Any) -> dict[str, Any]:
    answer = await web.post(USERS, json=NEW | overrides)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


async def test_invited_person_sees_the_invitation_and_sets_the_password(
    web: httpx2.AsyncClient, enter: Enter, org_id: UUID, log_in: LogIn
) -> None:
    owner = await enter()
    made = await invited(web)
    web.headers.pop("authorization")

    shown = await web.get(made["url"])
    accepted = await web.post(made["url"], json=CHOSEN)
    again = await web.post(made["url"], json=CHOSEN)
    logged_in = await log_in(
        "lin@example.com", CHOSEN["password"], organisation_id=str(org_id)
    )

    assert made["invited_by"] == str(owner.user_id)
    assert shown.json() == {
        "organisation": "Rose Maison",
        "email": "lin@example.com",
        "name": "Lin",
        "role": "editor",
        "expires_at": made["expires_at"],
    }
    assert accepted.status_code == 201
    assert accepted.json()["organisation_id"] == str(org_id)
    assert accepted.json()["role"] == "editor"
    assert again.json()["type"] == "/problems/invitation-not-found"
    assert logged_in.is_success


async def test_answers_are_the_same_whether_the_address_has_an_account_elsewhere(
    web: httpx2.AsyncClient,
    enter: Enter,
    org_id: UUID,
    other_org_id: UUID,
    make_member: MakeMember,
    log_in: LogIn,
) -> None:
    await enter()
    await make_member(other_org_id, "known@example.com")
    owner_token = web.headers["authorization"]

    answers = []
    for email in ("known@example.com", "unknown@example.com"):
        web.headers["authorization"] = owner_token
        made = await invited(web, email=email)
        accepted = await web.post(made["url"], json=CHOSEN)
        alone = await log_in(email, CHOSEN["password"])
        named = await log_in(email, CHOSEN["password"], organisation_id=str(org_id))
        codes = [each.status_code for each in (accepted, alone, named)]
        answers.append((made.keys(), accepted.json().keys(), codes))

    known = await log_in("known@example.com", PASSWORD)
    assert answers[0] == answers[1]
    assert answers[0][2] == [201, 401, 200]
    assert known.is_success  # the other organisation's account is as it was


async def test_own_address_may_become_one_that_another_organisation_has(
    web: httpx2.AsyncClient,
    enter: Enter,
    other_org_id: UUID,
    make_member: MakeMember,
    log_in: LogIn,
) -> None:
    await make_member(other_org_id, "known@example.com")
    answers = []
    for email in ("known@example.com", "unknown@example.com"):
        await enter()
        wanted = {"email": email, "current_password": PASSWORD}
        answer = await web.patch("/api/v1/users/me", json=wanted)
        answers.append((answer.status_code, answer.json().keys()))

    mine = await log_in("known@example.com", PASSWORD)
    me = (await web.get("/api/v1/users/me")).json()

    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert mine.is_success
    assert me["organisation_id"] == str(other_org_id)


async def test_new_invitation_replaces_the_former_one(
    web: httpx2.AsyncClient, enter: Enter
) -> None:
    await enter()
    first = await invited(web)
    second = await invited(web, role="owner")

    listed = (await web.get(INVITATIONS)).json()["items"]

    assert (await web.get(first["url"])).status_code == 404
    assert (await web.get(second["url"])).json()["role"] == "owner"
    assert [each["id"] for each in listed] == [second["id"]]
    assert "url" not in listed[0]


async def test_revoked_invitation_is_not_found(
    web: httpx2.AsyncClient, enter: Enter, sessions: SessionFactory, org_id: UUID
) -> None:
    await enter()
    made = await invited(web)

    revoked = await web.delete(f"{INVITATIONS}/{made['id']}")
    again = await web.delete(f"{INVITATIONS}/{made['id']}")
    accepted = await web.post(made["url"], json=CHOSEN)

    assert [each.status_code for each in (revoked, again, accepted)] == [204, 404, 404]
    events = [
        (event.action, event.entity_type)
        for event in await activity_log(sessions, org_id)
        if event.entity_type == "invitation"
    ]
    assert events == [("create", "invitation"), ("delete", "invitation")]


async def test_invitation_ends_with_its_time(
    web: httpx2.AsyncClient, enter: Enter, sessions: SessionFactory
) -> None:
    await enter()
    made = await invited(web)
    await change(sessions, Invitation, expires_at=now() - timedelta(seconds=1))

    assert (await web.get(made["url"])).status_code == 404
    assert (await web.post(made["url"], json=CHOSEN)).status_code == 404
    assert (await web.get(INVITATIONS)).json()["items"] == []


@pytest.mark.parametrize("lost", [{"role": Role.ADMIN}, {"is_active": False}])
async def test_invitation_by_somebody_who_is_no_owner_any_more_is_not_accepted(
    web: httpx2.AsyncClient,
    enter: Enter,
    sessions: SessionFactory,
    lost: dict[str, Any],
) -> None:
    await enter()
    made = await invited(web, role="owner")
    await change(sessions, Membership, **lost)

    assert (await web.post(made["url"], json=CHOSEN)).status_code == 404


async def test_invented_link_is_not_found(web: httpx2.AsyncClient) -> None:
    for token in ("x", "\u0107" * 43, "0" * 100):
        answer = await web.get(f"/api/v1/auth/invitations/{token}")
        assert answer.json()["type"] == "/problems/invitation-not-found"


@pytest.mark.parametrize(
    "email",
    [
        "m\u0435i@example.com",  # Cyrillic e
        "mei@ex\u0430mple.com",  # Cyrillic a
        "m\u0435\u03b9@example.com",  # Cyrillic, Greek
        "\uff4dei@example.com",  # full width m
    ],
)
async def test_address_that_imitates_another_one_is_refused(
    web: httpx2.AsyncClient, enter: Enter, email: str
) -> None:
    await enter()
    own = {"email": email, "current_password": PASSWORD}

    answers = [
        await web.post(USERS, json=NEW | {"email": email}),
        await web.patch("/api/v1/users/me", json=own),
    ]

    for answer in answers:
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == "#/email"


@pytest.mark.parametrize(
    "email",
    [
        "\u0438\u0432\u0430\u043d@example.com",
        "\u6797@example.com",
        "lin\u6797@example.com",
    ],
)
async def test_address_in_one_script_is_accepted(
    web: httpx2.AsyncClient, enter: Enter, email: str
) -> None:
    await enter()

    assert (await invited(web, email=email))["email"] == email
