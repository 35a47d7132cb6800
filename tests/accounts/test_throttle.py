"""The throttle of password guesses, as clients meet it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.accounts.conftest import PASSWORD, MakeMember, Owners
from tests.accounts.keys import bearer

from dossier.accounts import rules
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.settings import Settings

LOGIN = "/api/v1/auth/login"
ALLOWED = 5


@pytest.fixture
def settings(settings: Settings) -> Settings:
    limits = settings.limits.model_copy(update={"wrong_passwords": ALLOWED})
    return settings.model_copy(update={"limits": limits})


class Guesser:
    """Logs in from addresses of its choice."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(
        self,
        password: str = "wrong",  # noqa: S107 - it is
        *,
        email: str = "mei@example.com",
        address: str = "203.0.113.1",
        token: str | None = None,
    ) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self._app, client=(address, 5000))
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            return await client.post(
                LOGIN,
                json={"email": email, "password": password},
                headers=bearer(token) if token else {},
            )


@pytest.fixture
def guess(login_app: FastAPI) -> Guesser:
    return Guesser(login_app)


async def passed(sessions: SessionFactory, seconds: int) -> None:
    """Let the stored counts grow older."""
    async with system_transaction(sessions) as session:
        await session.execute(
            text(
                "update login_counts set failed_at = failed_at - cast(:age as interval)"
            ),
            {"age": timedelta(seconds=seconds)},
        )


async def test_guesses_at_an_account_are_delayed_from_whatever_address(
    guess: Guesser, sessions: SessionFactory, org_id: UUID, make_member: MakeMember
) -> None:
    await make_member(org_id)

    answers = [await guess(address=f"203.0.113.{n}") for n in range(ALLOWED + 2)]
    await passed(sessions, 2)
    later = await guess(address="203.0.113.99")
    next_one = await guess(PASSWORD, address="203.0.113.98")

    assert [each.status_code for each in answers] == [401] * ALLOWED + [429] * 2
    assert answers[-1].json()["type"] == "/problems/login-throttled"
    assert answers[-1].headers["retry-after"] == "1"
    assert later.status_code == 401
    assert next_one.headers["retry-after"] == "2"


async def test_unknown_address_is_delayed_like_a_known_one(
    guess: Guesser, org_id: UUID, make_member: MakeMember
) -> None:
    await make_member(org_id)

    answers = [
        [
            (await guess(email=email, address=f"{net}.{n}")).status_code
            for n in range(ALLOWED + 1)
        ]
        for email, net in [("mei@example.com", "203.0.113"), ("x@x.com", "198.51.100")]
    ]

    assert answers[0] == answers[1]


async def test_guesses_at_once_at_two_processes_are_counted_before_they_are_checked(
    owners: Owners,
) -> None:
    body = {"email": "mei@example.com", "password": "wrong"}

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(client.post(LOGIN, json=body))
            for client in owners.clients
            for _ in range(ALLOWED)
        ]

    refused = [task.result().status_code for task in tasks].count(429)
    assert refused == ALLOWED


async def test_delay_grows_to_thirty_seconds_and_no_more() -> None:
    waits = [rules.login_wait_s(n, ALLOWED, 0) for n in (4, 5, 6, 9, 10, 10**9)]

    assert waits == [0, 1, 2, 16, 30, 30]
    assert rules.login_wait_s(10**9, ALLOWED, 30) == 0


async def test_address_that_guesses_at_many_accounts_is_delayed(
    guess: Guesser, org_id: UUID, make_member: MakeMember
) -> None:
    await make_member(org_id)
    prefix = "2001:db8:1:2"

    for number in range(4 * ALLOWED):
        address = f"{prefix}::{number + 1:x}"
        answer = await guess(email=f"a{number}@example.com", address=address)
        assert answer.status_code == 401

    same_network = await guess(PASSWORD, address=f"{prefix}:ffff::1")
    other_network = await guess(PASSWORD, address="2001:db8:1:3::1")

    assert same_network.status_code == 429
    assert other_network.is_success


async def test_nobody_locks_out_a_member_at_an_address_that_logged_in_lately(
    guess: Guesser, org_id: UUID, make_member: MakeMember
) -> None:
    await make_member(org_id)
    assert (await guess(PASSWORD, address="198.51.100.1")).is_success
    for number in range(2 * ALLOWED):
        await guess(address=f"203.0.113.{number}")
    for number in range(5 * ALLOWED):
        await guess(email=f"a{number}@example.com", address="198.51.100.1")

    at_home = await guess(PASSWORD, address="198.51.100.1")
    elsewhere = await guess(PASSWORD, address="203.0.113.200")

    assert at_home.is_success
    assert elsewhere.is_success  # that log-in has reset the account's count


async def test_success_resets_the_count(
    guess: Guesser, org_id: UUID, make_member: MakeMember
) -> None:
    await make_member(org_id)

    for address in ("203.0.113.1", "203.0.113.2"):
        for _ in range(ALLOWED - 1):
            assert (await guess(address=address)).status_code == 401
        assert (await guess(PASSWORD, address=address)).is_success


async def test_office_behind_one_address_logs_in_at_nine(
    guess: Guesser, org_id: UUID, make_member: MakeMember
) -> None:
    emails = [f"m{number}@example.com" for number in range(30)]
    for email in emails:
        await make_member(org_id, email)

    answers = [await guess(PASSWORD, email=email) for email in emails]

    assert {each.status_code for each in answers} == {200}


async def test_trust_of_an_address_ends_after_a_hundred_wrong_passwords(
    guess: Guesser, sessions: SessionFactory, org_id: UUID, make_member: MakeMember
) -> None:
    await make_member(org_id)
    await guess(PASSWORD)
    await guess()  # counted, and it may go on
    async with system_transaction(sessions) as session:
        await session.execute(text("update login_counts set failures = 100"))

    assert (await guess()).status_code == 429


async def test_wrong_current_passwords_are_delayed_whatever_key_or_token(
    login_app: FastAPI,
    web: httpx2.AsyncClient,
    org_id: UUID,
    make_member: MakeMember,
) -> None:
    member = await make_member(org_id)
    statuses = []
    for _ in range(ALLOWED + 1):
        token = login_app.state.signer.issue(member.user_id, org_id)
        answer = await web.patch(
            "/api/v1/users/me",
            json={"email": "new@example.com", "current_password": "wrong"},
            headers=bearer(token),
        )
        statuses.append(answer.status_code)

    assert statuses == [401] * ALLOWED + [429]
