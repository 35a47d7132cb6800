"""API keys: who makes, sees, turns and revokes them."""

import logging
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.accounts.conftest import ByToken, Enter, MakeKey
from tests.accounts.keys import KEYS, MAKE, ME, activity_log, bearer, stored
from tests.factories.accounts import make_api_key

from dossier.accounts import rules
from dossier.accounts.constants import Role
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.security import PrincipalCache


async def test_key_is_shown_once_and_opens_the_api(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    member = await enter()

    made = await make_key()
    shown = await web.get(f"{KEYS}/{made['id']}")
    listed = await web.get(KEYS)
    me = await web.get(ME, headers=bearer(made["token"]))

    assert made["token"].startswith(made["prefix"] + "_")
    assert (made["name"], made["scopes"]) == (MAKE["name"], MAKE["scopes"])
    assert shown.json() == {k: v for k, v in made.items() if k != "token"}
    assert listed.json()["items"] == [shown.json()]
    assert me.json()["id"] == str(member.user_id)


async def test_answer_with_the_secret_is_stored_nowhere(
    web: httpx2.AsyncClient, enter: Enter
) -> None:
    await enter()

    answer = await web.post(KEYS, json=MAKE)

    assert answer.headers["cache-control"] == "no-store"


async def test_only_a_digest_of_the_secret_is_kept(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    sessions: SessionFactory,
    org_id: UUID,
    *,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await enter()

    made = await make_key()
    await web.get(ME, headers=bearer(made["token"]))

    secret = made["token"].removeprefix(made["prefix"])
    row = await stored(sessions, made["id"])
    told = [str(vars(record)) for record in caplog.records]
    told += [str(event.details) for event in await activity_log(sessions, org_id)]
    assert row.secret_sha256 == rules.secret_digest(secret[1 : 1 + rules.SECRET_LENGTH])
    assert row.secret_sha256 not in repr(row)
    assert not [text for text in told if secret[1:] in text]


async def test_revoked_key_is_refused_at_once_where_it_was_revoked(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    await enter()
    made = await make_key()
    assert (await web.get(ME, headers=bearer(made["token"]))).is_success

    first = await web.delete(f"{KEYS}/{made['id']}")
    again = await web.delete(f"{KEYS}/{made['id']}")
    answer = await web.get(ME, headers=bearer(made["token"]))
    shown = await web.get(f"{KEYS}/{made['id']}")

    assert (first.status_code, again.status_code) == (204, 204)
    assert answer.json()["type"] == "/problems/invalid-api-key"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert shown.json()["revoked_at"] is not None


async def test_making_and_revoking_a_key_are_recorded(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    sessions: SessionFactory,
    org_id: UUID,
) -> None:
    await enter()

    made = await make_key()
    await web.post(f"{KEYS}/{made['id']}/rotate")
    for _ in range(2):
        await web.delete(f"{KEYS}/{made['id']}")

    events = await activity_log(sessions, org_id)
    of_key = [event for event in events if event.entity_type == "api_key"]
    assert [event.action for event in of_key] == ["create", "update", "delete"]
    assert {event.entity_id for event in of_key} == {made["id"]}
    assert of_key[0].details["name"] == MAKE["name"]


async def test_new_secret_replaces_the_old_one(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    await enter()
    made = await make_key()
    await web.get(ME, headers=bearer(made["token"]))

    turned = (await web.post(f"{KEYS}/{made['id']}/rotate")).json()
    statuses = [
        (await web.get(ME, headers=bearer(token))).status_code
        for token in (made["token"], turned["token"])
    ]

    assert statuses == [401, 200]
    assert turned["prefix"] == made["prefix"]


async def test_expired_key_gets_no_new_secret(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey, sessions: SessionFactory
) -> None:
    await enter()
    made = await make_key()
    async with system_transaction(sessions) as session:
        over = text("update api_keys set expires_at = now() - interval '1 s'")
        await session.execute(over)

    answer = await web.post(f"{KEYS}/{made['id']}/rotate")

    assert answer.json()["type"] == "/problems/api-key-expired"


async def test_revoked_key_gets_no_new_secret(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    await enter()
    made = await make_key()
    await web.delete(f"{KEYS}/{made['id']}")

    answer = await web.post(f"{KEYS}/{made['id']}/rotate")

    assert answer.json()["type"] == "/problems/api-key-revoked"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/problems/api-key-expiry"),
        ({"scopes": []}, "/problems/request-invalid"),
        ({"scopes": ["everything"]}, "/problems/request-invalid"),
        ({"name": ""}, "/problems/request-invalid"),
    ],
)
async def test_key_that_makes_no_sense_is_refused(
    web: httpx2.AsyncClient, enter: Enter, wrong: dict[str, Any], kind: str
) -> None:
    await enter()

    answer = await web.post(KEYS, json=MAKE | wrong)

    assert (answer.status_code, answer.json()["type"]) == (422, kind)


async def test_deactivated_member_loses_the_keys_for_good(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    login_app: FastAPI,
    by_token: ByToken,
) -> None:
    login_app.state.authenticator = by_token(PrincipalCache(0))
    maker = await enter(Role.EDITOR)
    made = await make_key()
    await enter(Role.OWNER)

    for is_active in (False, True):
        await web.patch(f"/api/v1/users/{maker.user_id}", json={"is_active": is_active})
        answer = await web.get(ME, headers=bearer(made["token"]))
        assert answer.status_code == 401

    kept = await web.get(f"{KEYS}/{made['id']}")
    assert kept.json()["revoked_at"] is not None


async def test_members_see_their_own_keys_and_managers_all(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    await enter(Role.EDITOR)
    made = await make_key()
    path = f"{KEYS}/{made['id']}"

    await enter(Role.EDITOR)
    stranger = [
        await web.get(path),
        await web.delete(path),
        await web.post(f"{path}/rotate"),
    ]
    listed = await web.get(KEYS)
    await enter(Role.ADMIN)
    manager = [
        await web.get(path),
        await web.post(f"{path}/rotate"),
        await web.delete(path),
    ]

    assert {answer.json()["type"] for answer in stranger} == {
        "/problems/api-key-not-found"
    }
    assert listed.json()["total"] == 0
    # A new secret would let the manager act in the maker's name.
    assert [answer.status_code for answer in manager] == [200, 404, 204]


async def test_keys_of_another_organisation_are_not_found(
    web: httpx2.AsyncClient,
    enter: Enter,
    sessions: SessionFactory,
    other_org_id: UUID,
) -> None:
    foreign = await make_api_key(sessions, other_org_id)
    await enter()

    answer = await web.delete(f"{KEYS}/{foreign.id}")
    listed = await web.get(KEYS)

    assert answer.status_code == 404
    assert listed.json()["total"] == 0
    assert (await stored(sessions, str(foreign.id))).revoked_at is None
