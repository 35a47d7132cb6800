"""API keys: what they open, and when they stop."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from tests.accounts.conftest import ByToken, Enter, MakeKey
from tests.accounts.keys import (
    KEYS,
    MAKE,
    ME,
    PROBES,
    PRODUCT,
    activity_log,
    bearer,
    change,
    stored,
)
from tests.core.edge import Clock

from dossier.accounts import rules
from dossier.accounts.constants import LOCAL_USER_ID, Role
from dossier.accounts.dependencies import LocalAuthenticator
from dossier.accounts.models import ApiKey, Membership
from dossier.accounts.service.organisations import OrganisationsService
from dossier.accounts.service.sign_in import KeyUses
from dossier.core.clock import now
from dossier.core.database import (
    SessionFactory,
    make_engine,
    make_sessions,
    system_transaction,
)
from dossier.core.logging import ACCESS_LOGGER
from dossier.core.security import PrincipalCache
from dossier.main import caller_of


async def test_key_may_be_sent_as_a_field_of_its_own(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    member = await enter()
    made = await make_key()
    del web.headers["authorization"]

    answer = await web.get(ME, headers={"x-api-key": made["token"]})
    nothing = await web.get(ME, headers={"x-api-key": "dossier_nonsense"})

    assert answer.json()["id"] == str(member.user_id)
    assert nothing.json()["type"] == "/problems/invalid-api-key"


async def test_scope_decides_over_the_method(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    await enter()
    answers = {}
    for scopes in ("read", "write", "read write"):
        token = (await make_key(*scopes.split()))["token"]
        for method in ("GET", "HEAD", "POST"):
            answers[scopes, method] = await web.request(
                method, PROBES, headers=bearer(token), json={"unknown": 1}
            )

    assert {asked: answer.status_code for asked, answer in answers.items()} == {
        ("read", "GET"): 200,
        ("read", "HEAD"): 200,
        ("read", "POST"): 403,
        ("write", "GET"): 403,
        ("write", "HEAD"): 403,
        ("write", "POST"): 422,
        ("read write", "GET"): 200,
        ("read write", "HEAD"): 200,
        ("read write", "POST"): 422,
    }
    assert answers["read", "POST"].json()["type"] == "/problems/scope-required"


@pytest.mark.usefixtures("forgetful_app")
@pytest.mark.parametrize(
    ("scopes", "before", "after"),
    [(["read"], 403, 403), (["read", "admin"], 200, 403)],
)
async def test_key_never_exceeds_its_makers_role_of_today(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    sessions: SessionFactory,
    scopes: list[str],
    *,
    before: int,
    after: int,
) -> None:
    await enter(Role.ADMIN)
    made = await make_key(*scopes)

    first = await web.get("/api/v1/ai/usage", headers=bearer(made["token"]))
    await change(sessions, Membership, role=Role.VIEWER)
    second = await web.get("/api/v1/ai/usage", headers=bearer(made["token"]))

    assert (first.status_code, second.status_code) == (before, after)


USER = {"email": "a@example.com", "name": "A", "role": "owner"}
BUDGET = {"scope": "organisation", "window": "day", "cap_tokens": 1}
STEPS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", KEYS, MAKE),
    ("GET", KEYS, None),
    ("GET", f"{KEYS}/{uuid4()}", None),
    ("POST", f"{KEYS}/{uuid4()}/rotate", None),
    ("DELETE", f"{KEYS}/{uuid4()}", None),
    ("PATCH", ME, {}),
    ("POST", "/api/v1/users", USER),
    ("PATCH", f"/api/v1/users/{uuid4()}", {}),
    ("PUT", "/api/v1/ai/budgets", BUDGET),
    ("DELETE", f"/api/v1/ai/budgets/{uuid4()}", None),
]


async def test_key_cannot_do_what_needs_a_person(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey
) -> None:
    await enter()
    by_key = bearer((await make_key("read", "write", "admin"))["token"])

    answers = {
        (method, path): await web.request(method, path, headers=by_key, json=body)
        for method, path, body in STEPS
    }

    assert {
        asked: answer.json()["type"]
        for asked, answer in answers.items()
        if answer.json()["type"] != "/problems/person-required"
    } == {}
    assert {answer.status_code for answer in answers.values()} == {403}


async def test_revocation_elsewhere_takes_the_life_of_the_cache(
    login_app: FastAPI,
    by_token: ByToken,
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    *,
    sessions: SessionFactory,
) -> None:
    clock = Clock()
    login_app.state.authenticator = by_token(PrincipalCache(15, clock))
    await enter()
    made = await make_key()
    await web.get(ME, headers=bearer(made["token"]))

    await change(sessions, ApiKey, revoked_at=now())
    statuses = []
    for step_s in (14, 2):
        clock.now_s += step_s
        answer = await web.get(ME, headers=bearer(made["token"]))
        statuses.append(answer.status_code)

    assert statuses == [200, 401]


async def test_activity_log_names_the_key_of_a_change(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    sessions: SessionFactory,
    org_id: UUID,
) -> None:
    member = await enter()
    made = await make_key()

    answer = await web.post(PROBES, json=PRODUCT, headers=bearer(made["token"]))

    events = await activity_log(sessions, org_id)
    assert answer.is_success, answer.text
    assert events[-1].user_id == member.user_id
    assert events[-1].details["api_key_id"] == made["id"]
    assert "api_key_id" not in events[0].details


async def test_expired_key_is_refused_although_it_is_remembered(
    login_app: FastAPI,
    by_token: ByToken,
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    *,
    sessions: SessionFactory,
) -> None:
    clock = Clock()
    moment = now()
    clock.now_s = moment.timestamp()
    login_app.state.authenticator = by_token(PrincipalCache(15, clock))
    await enter()
    ends = moment + timedelta(seconds=5)
    made = await make_key(expires_at=ends.isoformat())

    first = await web.get(ME, headers=bearer(made["token"]))
    await change(sessions, ApiKey, expires_at=moment)
    clock.now_s += 6
    second = await web.get(ME, headers=bearer(made["token"]))

    assert (first.status_code, second.status_code) == (200, 401)


@pytest.mark.usefixtures("forgetful_app")
async def test_key_of_an_inactive_member_opens_nothing(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey, sessions: SessionFactory
) -> None:
    await enter()
    made = await make_key()

    await change(sessions, Membership, is_active=False)
    answer = await web.get(ME, headers=bearer(made["token"]))

    assert answer.json()["type"] == "/problems/invalid-api-key"


async def test_keys_of_a_deactivated_member_are_revoked(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey, sessions: SessionFactory
) -> None:
    await enter()
    made = await make_key()

    async with system_transaction(sessions) as session:
        await session.execute(delete(Membership))
        kept = await session.get(ApiKey, UUID(made["id"]))
    answer = await web.get(ME, headers=bearer(made["token"]))

    assert kept is None
    assert answer.json()["type"] == "/problems/invalid-api-key"


@pytest.mark.parametrize("use", ["another secret", "another key"])
async def test_well_formed_token_that_was_never_given_is_refused(
    web: httpx2.AsyncClient, enter: Enter, make_key: MakeKey, use: str
) -> None:
    await enter()
    made = await make_key()
    key_id = UUID(made["id"]) if use == "another secret" else uuid4()

    token = rules.token_of(key_id, "0" * rules.SECRET_LENGTH)
    answer = await web.get(ME, headers=bearer(token))

    assert answer.json()["type"] == "/problems/invalid-api-key"


async def test_use_is_written_later_and_once_a_minute(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    sessions: SessionFactory,
    login_app: FastAPI,
    *,
    by_token: ByToken,
    uses: KeyUses,
) -> None:
    login_app.state.authenticator = by_token(PrincipalCache(0))
    await enter()
    made = await make_key()

    await web.get(ME, headers=bearer(made["token"]))
    before = (await stored(sessions, made["id"])).last_used_at
    await uses.write()
    first = (await stored(sessions, made["id"])).last_used_at
    await web.get(ME, headers=bearer(made["token"]))
    await uses.write()
    second = (await stored(sessions, made["id"])).last_used_at
    await change(sessions, ApiKey, last_used_at=now() - timedelta(seconds=61))
    await web.get(ME, headers=bearer(made["token"]))
    await uses.close()
    third = (await stored(sessions, made["id"])).last_used_at

    assert before is None
    assert first == second
    assert first is not None
    assert third is not None
    assert third > first


async def test_failed_write_of_a_key_use_does_not_fail_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
    uses = KeyUses(make_sessions(engine), write_after_s=0)

    uses.note(uuid4(), None)
    await asyncio.sleep(0)  # the timer has run
    await uses.close()
    await engine.dispose()

    assert "accounts.api_key.use_lost" in [r.message for r in caplog.records]


async def test_access_line_names_the_key_and_not_its_secret(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, ACCESS_LOGGER)
    member = await enter()
    made = await make_key()

    await web.get(ME, headers=bearer(made["token"]))

    written = capfd.readouterr().err
    lines = [json.loads(line) for line in written.splitlines() if '"ms"' in line]
    assert lines[-1]["api_key_id"] == made["id"]
    assert lines[-1]["user_id"] == str(member.user_id)
    assert lines[0]["api_key_id"] is None
    assert made["token"].removeprefix(made["prefix"])[1:] not in written


async def test_key_opens_the_api_of_open_mode_and_others_are_ignored(
    web: httpx2.AsyncClient,
    login_app: FastAPI,
    by_token: ByToken,
    sessions: SessionFactory,
    make_key: MakeKey,
) -> None:
    login_app.state.authenticator = LocalAuthenticator(
        OrganisationsService(sessions), by_token(login_app.state.principals)
    )
    made = await make_key("read")

    statuses = [
        (await web.request(method, path, headers=bearer(token))).status_code
        for method, path, token in (
            ("GET", ME, made["token"]),
            ("GET", KEYS, made["token"]),
            ("POST", PROBES, made["token"]),
            ("GET", KEYS, "anything"),
            ("GET", KEYS, "dossier_anything"),
        )
    ]

    assert made["user_id"] == str(LOCAL_USER_ID)
    assert statuses == [200, 403, 403, 200, 401]


async def test_requests_of_a_member_are_counted_together_by_token_and_by_key(
    web: httpx2.AsyncClient,
    enter: Enter,
    make_key: MakeKey,
    login_app: FastAPI,
) -> None:
    principals = login_app.state.principals
    member = await enter()
    made = await make_key()
    tokens = [login_app.state.signer.issue(member.user_id, member.org_id)]
    tokens += [web.headers["authorization"].removeprefix("Bearer "), made["token"]]

    callers = []
    for token in tokens:
        await web.get(ME, headers=bearer(token))
        callers.append(caller_of(principals, f"Bearer {token}".encode()))

    assert callers == [str(member.user_id)] * 3
    assert caller_of(principals, b"Bearer invented") is None
